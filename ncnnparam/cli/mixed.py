"""The part of ``ncnnparam quantize`` that finds out what to leave in float."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.data import NETS, tell_skipped
from ncnnparam.cli.quantization import require_new_files

if TYPE_CHECKING:
    from ncnnparam.quantize.accuracy_sensitivity import LayerCost
    from ncnnparam.quantize.accuracy_spread import Spread
    from ncnnparam.quantize.data import Items
    from ncnnparam.quantize.int8 import Options
    from ncnnparam.quantize.mixed import Enough, Mixed
    from ncnnparam.quantize.runners import Pair
    from ncnnparam.quantize.table import Table

_GOALS = ("keep_worst", "min_sqnr", "max_wer_loss")
_FOR_WORDS = ("tokens", "transcripts", *NETS)


def require_goal(goal: dict[str, Any]) -> str:
    """Makes sure that a goal has what it needs; returns its option, or nothing if there is no goal."""
    given = [name for name in _GOALS if goal[name] is not None]
    data = [name for name in ("npy", "wavs") if goal[name]]
    if len(given) > 1:
        raise click.UsageError(f"{_option(given[0])} and {_option(given[1])}: name one of them")
    if not given:
        useless = next((name for name in ("npy", "wavs", *_FOR_WORDS, "skip_bad") if goal[name]), None)
        if useless:
            raise click.UsageError(f"{_option(useless)} is for --keep-worst, --min-sqnr and --max-wer-loss")
        return ""
    words = given[0] == "max_wer_loss"
    if len(data) != 1 or (words and data != ["wavs"]):
        wanted = "--wavs" if words else "--npy, or --wavs for an encoder"
        raise click.UsageError(f"{_option(given[0])} is measured on data: name {wanted}")
    nets = [net for net in NETS if goal[net]]
    if words and not (goal["tokens"] and goal["transcripts"] and len(nets) == len(NETS) - 1):
        raise click.UsageError(
            "--max-wer-loss needs --tokens, --transcripts, and of --encoder, --decoder and --joiner the two "
            "that IN is not"
        )
    if not words and (useless := next((name for name in _FOR_WORDS if goal[name]), None)):
        raise click.UsageError(f"{_option(useless)} is for --max-wer-loss")
    return _option(given[0])


def mixed_options(
    files: Pair, table: Table | None, options: Options, goal: dict[str, Any]
) -> tuple[Options, list[LayerCost]]:
    """The options that reach a goal, and the layers that they leave in float, the dearest first."""
    from ncnnparam.cli.progress import progress_bar
    from ncnnparam.quantize.accuracy_items import net_items
    from ncnnparam.quantize.mixed import Mixed
    from ncnnparam.quantize.mixed_words import transducer_items

    with Mixed(files, table, options) as mixed:
        if goal["max_wer_loss"] is not None:
            net, nets = _nets(files, goal)
            items, spread = transducer_items(nets, net, goal["wavs"])
        else:
            items, spread = net_items(files, goal["npy"], goal["wavs"])
        if not goal["skip_bad"]:
            items.require_good()
        require_new_files(item.name for item in items.good)
        enough = _enough(files, items, spread, goal)  # first: it reads files in which faults may be
        with progress_bar("measuring", len(items.good)) as advance:
            costs = mixed.costs(items.good, spread, advance)
        tell_skipped(items.bad)
        kept = costs[: goal["keep_worst"]] if enough is None else _search(mixed, costs, enough)
        return mixed.without(kept), kept


def _enough(files: Pair, items: Items, spread: Spread, goal: dict[str, Any]) -> Enough | None:
    """Tells whether a model is good enough; None if the goal is a number of layers."""
    from ncnnparam.quantize.mixed import Nearness
    from ncnnparam.quantize.mixed_words import WordLoss
    from ncnnparam.speech.files import read_words_of
    from ncnnparam.speech.transcripts import read_transcripts

    least, most = goal["min_sqnr"], goal["max_wer_loss"]
    if least is not None:
        near = Nearness(files, items.good, spread)
        return lambda pair: near(pair) >= least
    if most is not None:
        net, nets = _nets(files, goal)
        said = read_transcripts(goal["transcripts"], [item.name for item in items.good])
        loss = WordLoss(nets, net, items.good, read_words_of(goal["tokens"], nets.joiner[0]), said)
        return lambda pair: loss(pair) <= most
    return None


def _search(mixed: Mixed, costs: list[LayerCost], enough: Enough) -> list[LayerCost]:
    from ncnnparam.cli.progress import progress_bar

    with progress_bar("trying", len(costs).bit_length()) as advance:

        def tried(pair: Pair) -> bool:
            found = enough(pair)
            advance(1)
            return found

        return mixed.fewest(costs, tried)


def _nets(files: Pair, goal: dict[str, Any]) -> tuple[str, Any]:
    """Which net of a transducer is quantised, and the float transducer."""
    from ncnnparam.speech.files import NetFiles

    (net,) = (net for net in NETS if not goal[net])
    return net, NetFiles(*(goal[name] or files for name in NETS))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
