"""``ncnnparam sensitivity``: which layers of an int8 model hurt most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.accuracy import form_or_default, show
from ncnnparam.cli.common import PATH, emit, emit_json, ops_option
from ncnnparam.cli.data import (
    Amount,
    about_items,
    html_option,
    npy_option,
    report_option,
    skip_bad_option,
    tell_skipped,
    top_option,
    warn_of_leftovers,
    wavs_option,
    write_page,
)
from ncnnparam.cli.paths import require_apart
from ncnnparam.views.units import decibel

if TYPE_CHECKING:
    from ncnnparam.quantize.accuracy_sensitivity import LayerCost
    from ncnnparam.quantize.data import Items


@click.command(
    name="sensitivity", epilog="Exit codes: 0 measured; 2 what cannot be run, or models that do not fit."
)
@click.argument("param", metavar="A.param", type=PATH)
@click.argument("weights", metavar="A.bin", type=PATH)
@click.argument("other", metavar="B.param", type=PATH)
@click.argument("other_weights", metavar="B.bin", type=PATH)
@npy_option
@wavs_option("if A and B are encoders")
@click.option("--keep-worst", type=click.IntRange(min=1), metavar="N", help="Say how to leave N in float.")
@click.option(
    "--min-sqnr",
    type=Amount(-200, 200),
    metavar="DB",
    help="Say what to leave in float to have this at every output.",
)
@top_option
@html_option("what each layer costs")
@skip_bad_option
@report_option
@ops_option
def command(**options: Any) -> None:
    """Tell which layers of B, the quantised form of A, hurt most when quantised alone.

    For each quantised layer A runs with that layer's numbers as B makes them of A's, and the outputs are
    compared with those of A. The layers with the lowest SQNR (in dB) come first.

    \b
    ncnnparam sensitivity m.param m.bin int8.param int8.bin --npy inputs/
    ncnnparam sensitivity m.param m.bin int8.param int8.bin --npy list.txt --min-sqnr 30
    ncnnparam sensitivity enc.param enc.bin enc8.param enc8.bin --wavs wavs.txt --keep-worst 3
    """
    from ncnnparam.cli.progress import progress_bar
    from ncnnparam.quantize.accuracy_items import net_items
    from ncnnparam.quantize.accuracy_sensitivity import keep_float, sensitivity

    if bool(options["npy"]) == bool(options["wavs"]):
        raise click.UsageError("name the data: --npy, or --wavs for encoders")
    if options["keep_worst"] is not None and options["min_sqnr"] is not None:
        raise click.UsageError("--keep-worst and --min-sqnr: name one of them")
    first, second = (
        (options["param"], options["weights"]),
        (options["other"], options["other_weights"]),
    )
    require_apart("html")
    items, spread = net_items(first, options["npy"], options["wavs"])
    if not options["skip_bad"]:
        items.require_good()
    require_apart("html", items=[item.name for item in items.good])
    warn_of_leftovers((first, second))
    with progress_bar("measuring", len(items.good)) as advance:
        costs = sensitivity(first, second, items.good, spread=spread, advance=advance)
    kept = costs[: options["keep_worst"] or 0]
    if options["min_sqnr"] is not None:
        kept = keep_float(costs, options["min_sqnr"])
    if options["html"]:
        from ncnnparam.quantize.accuracy_page import sensitivity_page

        write_page(options["html"], sensitivity_page(costs))
    if form_or_default(options["form"]) == "json":
        _emit_json(costs, kept, items)
    else:
        _print(costs, kept, options)
    tell_skipped(items.bad)


def _print(costs: list[LayerCost], kept: list[LayerCost], options: dict[str, Any]) -> None:
    from shlex import quote

    from ncnnparam.quantize.accuracy_sensitivity import expected, selector

    shown = costs[: options["top"]] if options["top"] else costs
    rows = [[one.layer, one.type, one.new, decibel(one.sqnr), one.output] for one in shown]
    show(("layer", "type", "B", "SQNR", "output"), rows, form_or_default(options["form"]))
    if len(costs) > len(shown):
        emit(f"and {len(costs) - len(shown)} more layers\n")
    emit(f"all {len(costs)} together: about {decibel(expected(costs))} dB\n")
    if kept:
        rest = costs[len(kept) :]
        about = f"about {decibel(expected(rest))} dB" if rest else "all float"
        emit(f"without the first {len(kept)}: {about}; ncnnparam quantize --skip {quote(selector(kept))}\n")


def _emit_json(costs: list[LayerCost], kept: list[LayerCost], items: Items) -> None:
    emit_json(
        {
            **about_items(items),
            "layers": [cost.to_json() for cost in costs],
            "keep_float": [cost.layer for cost in kept],
        }
    )
