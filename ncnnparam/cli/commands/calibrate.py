"""``ncnnparam calibrate``: the calibration table of a model, from runs on data."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.calibration import finish
from ncnnparam.cli.common import PATH, format_option, ops_option, require_use, say
from ncnnparam.cli.data import (
    Amount,
    html_option,
    nets_options,
    npy_option,
    skip_bad_option,
    warn_of_leftovers,
    wavs_option,
)
from ncnnparam.cli.paths import require_apart

if TYPE_CHECKING:
    from ncnnparam.quantize.calibrate import Part
    from ncnnparam.quantize.data import Item, Items
    from ncnnparam.quantize.images import Preparation
    from ncnnparam.quantize.runners import NetRunner, Runner
    from ncnnparam.quantize.statistics import Statistics
    from ncnnparam.quantize.table import Table

METHODS = ("kl", "aciq", "eq", "percentile", "mse", "minmax")
_EQ = "eq"
_TABLES = ("table", "encoder_table", "joiner_table")
_WRITTEN = (*_TABLES, "stats", "html")
_CHANNELS = {"rgb": 3, "bgr": 3, "gray": 1}


def _numbers(ctx: click.Context, param: click.Parameter, text: str) -> tuple[float, ...]:
    """``0.5`` or ``103.5,116.3,123.7``."""
    from math import isfinite

    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3) or not all(map(isfinite, numbers)):
        raise click.BadParameter(f"'{text}': write one number, or one for each of three channels: 1,2,3")
    return numbers


def _size(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """``224,224``: width and height."""
    if text is None:
        return None
    words = text.split(",")
    if len(words) != 2 or not all(
        word.isascii() and word.isdigit() and 0 < int(word) < 65536 for word in words
    ):
        raise click.BadParameter(f"'{text}': write WIDTH,HEIGHT, as in 224,224")
    return int(words[0]), int(words[1])


@click.command(name="calibrate")
@click.argument("model", metavar="[MODEL]", required=False, type=PATH)
@click.argument("weights", metavar="[BIN]", required=False, type=PATH)
@click.option("--table", metavar="T", type=PATH, help="Where to write the table of MODEL.")
@npy_option
@click.option("--images", metavar="LIST|DIR", type=PATH, help="Inputs as pictures.")
@click.option("--size", metavar="W,H", callback=_size, help="Resize pictures.")
@click.option("--pixels", type=click.Choice(tuple(_CHANNELS)), default="rgb", show_default=True)
@click.option(
    "--mean",
    default="0",
    show_default=True,
    callback=_numbers,
    help="For each channel: (pixel - mean) * norm.",
)
@click.option("--norm", default="1", show_default=True, callback=_numbers)
@nets_options("The .param and .bin of the {net}.")
@wavs_option("for a transducer")
@click.option("--encoder-table", metavar="E", type=PATH, help="Where to write the encoder's table.")
@click.option("--joiner-table", metavar="J", type=PATH, help="Where to write the joiner's table.")
@click.option(
    "--method", type=click.Choice(METHODS), help="How to find scales; by default mse, with --compat kl."
)
@click.option(
    "--percent",
    type=Amount(0, 100, min_open=True),
    default=99.99,
    show_default=True,
    help="For --method percentile: how much of the numbers is not clipped.",
)
@click.option(
    "--stats",
    metavar="FILE",
    type=PATH,
    help="Keep what was seen in an .npz file; go on from there if it exists.",
)
@click.option("--merge", metavar="FILE", multiple=True, type=PATH, help="Add what another run has seen.")
@click.option(
    "--save-every",
    type=Amount(min=0),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How often to write --stats.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=-1),
    default=1,
    show_default=True,
    help="Processes; -1: all cores.",
)
@html_option("what each layer's input held, and its threshold")
@skip_bad_option
@click.option("--no-lower-gemm", is_flag=True, help="No rows for Gemm layers that are better InnerProduct.")
@click.option(
    "--compat", is_flag=True, help="Make the table that ncnn's or sherpa-ncnn's own tool would make."
)
@format_option
@ops_option
def command(**options: Any) -> None:
    """Find the scales of int8 by running a model on data.

    Writes the table that quantize, and ncnn's own ncnn2int8, take. A transducer is run as sherpa-ncnn
    runs it: chunk by chunk, greedy search driving decoder and joiner; the decoder is never quantised.

    \b
    ncnnparam calibrate m.param m.bin --npy inputs/ --table m.table
    ncnnparam calibrate m.param m.bin --images list.txt --size 224,224 --mean 104,117,123 --table m.table
    ncnnparam calibrate --encoder e.param e.bin --decoder d.param d.bin --joiner j.param j.bin \\
      --wavs wavs.txt --encoder-table e.table --joiner-table j.table --stats seen.npz -j 2
    ncnnparam calibrate m.param m.bin --stats seen.npz --method minmax --table minmax.table
    """
    from ncnnparam.quantize.thresholds import COMPAT, DEFAULT

    options["method"] = options["method"] or (COMPAT if options["compat"] else DEFAULT)
    if not options["images"]:
        require_use("--images", "size", "pixels", "mean", "norm")
    if not options["stats"]:
        require_use("--stats", "save_every")
    if options["method"] != "percentile":
        require_use("--method percentile", "percent")
    if options["jobs"] == 0:
        raise click.UsageError("-j takes 1 or more processes, or -1 for all cores")
    for name in _WRITTEN:
        _require_place(options[name])
    require_apart(*_WRITTEN)
    if options["form"] == "json" and "-" in [options[name] for name in _TABLES]:
        raise click.UsageError("--format json goes to standard output: name a file for the table")
    if options["encoder"] or options["decoder"] or options["joiner"] or options["wavs"]:
        _transducer(options)
    else:
        _net(options)


def _require_place(path: str | None) -> None:
    """Makes sure before the work begins that a file can be put there when it is done."""
    from ncnnparam.errors import FileError

    if path is None or path == "-":
        return
    if os.path.isdir(path):
        raise FileError(f"cannot write {path}: it is a folder", hint="name a file in it")
    folder = os.path.dirname(path) or "."
    if not os.access(folder, os.W_OK):
        there = "may not be written" if os.path.isdir(folder) else "is no folder"
        raise FileError(f"cannot write {path}: {folder} {there}")


def _net(options: dict[str, Any]) -> None:
    from ncnnparam.quantize.calibrate import prepare_net

    if not (options["model"] and options["weights"] and options["table"]):
        raise click.UsageError("name MODEL and BIN and --table, or --encoder, --decoder, --joiner and --wavs")
    if options["npy"] and options["images"]:
        raise click.UsageError("--npy and --images: name one of them")
    for name in ("encoder_table", "joiner_table"):
        if options[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} is for transducers; for MODEL it is --table")
    preparation = _preparation(options)
    runner, part = prepare_net(
        options["model"],
        options["weights"],
        lower=not options["no_lower_gemm"],
        compat=options["compat"],
        preparation=str(preparation) if options["images"] else "",
        digests=True,
    )
    items = _items(options, part, preparation)
    warn_of_leftovers([runner.files])
    statistics, bad = _collect(runner, items, options)
    table = part.table(statistics, *_method(options))
    if options["method"] == _EQ:
        _equalize(runner, part, [item for item in items.good if item.name not in bad], table)
    finish([(part, table, options["table"])], statistics, bad, options)


def _transducer(options: dict[str, Any]) -> None:
    from ncnnparam.optional import need
    from ncnnparam.quantize.calibrate import prepare_transducer
    from ncnnparam.quantize.data import Items
    from ncnnparam.quantize.wavs import wav_items
    from ncnnparam.speech.streaming import shortest, streaming

    for name in ("encoder", "decoder", "joiner", "encoder_table", "joiner_table"):
        if not options[name]:
            raise click.UsageError(f"a transducer also needs --{name.replace('_', '-')}")
    for name in ("model", "table", "npy", "images"):
        if options[name]:
            raise click.UsageError(
                f"{name.upper() if name == 'model' else '--' + name} is not for transducers"
            )
    if options["method"] == _EQ:
        raise click.UsageError("--method eq is for single nets")
    need("kaldi_native_fbank", "speech")
    runner, encoder, joiner = prepare_transducer(
        options["encoder"],
        options["decoder"],
        options["joiner"],
        lower=not options["no_lower_gemm"],
        compat=options["compat"],
        digests=True,
    )
    items = wav_items(options["wavs"], shortest(streaming(runner.metadata))) if options["wavs"] else Items()
    warn_of_leftovers([runner.encoder, runner.decoder, runner.joiner])
    statistics, bad = _collect(runner, items, options)
    how = _method(options)
    results = [
        (part, part.table(statistics, *how), options[name])
        for part, name in ((encoder, "encoder_table"), (joiner, "joiner_table"))
    ]
    finish(results, statistics, bad, options)


def _method(options: dict[str, Any]) -> tuple[str, Any]:
    """Name and function of the method; eq begins with kl."""
    from ncnnparam.quantize.thresholds import METHODS as FUNCTIONS
    from ncnnparam.quantize.thresholds import percentile

    name = "kl" if options["method"] == _EQ else options["method"]
    how = partial(percentile, percent=options["percent"]) if name == "percentile" else FUNCTIONS[name]
    return name, how


def _preparation(options: dict[str, Any]) -> Preparation:
    from ncnnparam.quantize.images import Preparation

    channels = _CHANNELS[options["pixels"]]
    for name in ("mean", "norm"):
        if len(options[name]) not in (1, channels):
            raise click.UsageError(f"--{name} has {len(options[name])} numbers for {channels} channels")
    return Preparation("", options["pixels"], options["size"], options["mean"], options["norm"])


def _items(options: dict[str, Any], part: Part, preparation: Preparation) -> Items:
    from dataclasses import replace

    from ncnnparam.quantize.arrays import npy_items
    from ncnnparam.quantize.data import Items
    from ncnnparam.quantize.images import image_items

    inputs = [blob.name for blob in part.graph.inputs]
    if options["npy"]:
        return npy_items(options["npy"], inputs)
    if options["images"]:
        if len(inputs) != 1:
            raise click.UsageError(f"--images is for nets of one input; this one has {', '.join(inputs)}")
        return image_items(options["images"], replace(preparation, input=inputs[0]))
    return Items()


def _collect(runner: Runner, items: Items, options: dict[str, Any]) -> tuple[Statistics, dict[str, str]]:
    """What was seen, and what could not be."""
    from ncnnparam.cli.progress import progress_bar
    from ncnnparam.quantize.collect import collect, missing_items
    from ncnnparam.quantize.statistics import Statistics

    if not options["skip_bad"] and items.bad:
        items.require_good()
    require_apart(*_WRITTEN, items=[item.name for item in items.good])
    stats = options["stats"]
    statistics = Statistics.load(stats) if stats and os.path.exists(stats) else Statistics()
    settings = runner.settings()
    if statistics.items:
        statistics.require(settings, stats)
    for file in options["merge"]:
        other = Statistics.load(file)
        other.require(settings, file)
        statistics.settings = settings
        statistics.update(other)
    missing = missing_items(items.good, statistics)
    old = len(statistics.items.keys() - {item.name for item in items.good})
    if old and items.good:
        say(f"note: {old} items that were seen earlier count too")
    save = (lambda seen: seen.save(stats)) if stats else None
    with progress_bar("calibrating", len(missing)) as advance:
        bad = collect(
            runner,
            missing,
            statistics,
            jobs=options["jobs"],
            skip_bad=options["skip_bad"],
            save=save,
            save_every=options["save_every"],
            advance=advance,
        )
    return statistics, items.bad | bad


def _equalize(runner: NetRunner, part: Part, items: list[Item], table: Table) -> None:
    from ncnnparam.cli.progress import progress_bar
    from ncnnparam.quantize.equalize import equalize

    if not items:
        raise click.UsageError("--method eq runs int8 layers on data: name it with --npy or --images")
    with progress_bar("equalizing", len(part.layers)) as advance:
        equalize(runner, part.layers, items, table, advance)
