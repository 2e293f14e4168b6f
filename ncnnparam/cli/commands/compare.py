"""``ncnnparam compare``: how far a model is from another one, on data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.accuracy import form_or_default
from ncnnparam.cli.common import FOUND, PATH, emit_json, ops_option
from ncnnparam.cli.comparison import print_net, run_items, tell_verdict, write_accuracy_page
from ncnnparam.cli.data import (
    NETS,
    Amount,
    about_items,
    html_option,
    nets_options,
    npy_option,
    report_option,
    skip_bad_option,
    tokens_option,
    top_option,
    transcripts_option,
    warn_of_leftovers,
    wavs_option,
)
from ncnnparam.cli.paths import require_apart

if TYPE_CHECKING:
    from ncnnparam.quantize.accuracy import Accuracy
    from ncnnparam.quantize.data import Items

ENOUGH = 20.0
"""SQNR in dB that is taken for the same where the user does not say one: an error of 1 % of the power."""
_PAIRS, _SCRIPT_AND_PAIR = 4, 3


@click.command(
    name="compare", epilog="Exit codes: 0 the same, or near enough; 1 worse; 2 what cannot be compared."
)
@click.argument("files", metavar="[A.param A.bin|A.pt B.param B.bin]", nargs=-1, type=PATH)
@npy_option
@nets_options("The .param and .bin of the {net}: A's, then B's; once if they share it.", multiple=True)
@wavs_option("for transducers")
@tokens_option
@transcripts_option
@click.option(
    "--min-sqnr",
    type=Amount(-200, 200),
    metavar="DB",
    help="The same is what has this SQNR at every output; by default 20, of transducers the same texts.",
)
@click.option(
    "--order",
    type=click.Choice(("worst", "graph")),
    default="worst",
    show_default=True,
    help="The worst layers first, or those that compute first.",
)
@top_option
@html_option("the error along the layers, and all layers, worst first")
@skip_bad_option
@report_option
@ops_option
def command(**options: Any) -> int:
    """Run two models on the same data, and tell how far B is from A, layer by layer.

    SQNR is the power of A's numbers over that of the error, in dB. Beside that of a layer's output stand the
    lowest one of what it reads, and the one it would have if it read A's numbers: its own error.

    Transducers run chunk by chunk, each with its own states and its own text. If A is a TorchScript file,
    PyTorch runs it, and the outputs are compared; if it is the three of a transducer, the texts.

    \b
    ncnnparam compare m.param m.bin int8.param int8.bin --npy inputs/
    ncnnparam compare m.param m.bin int8.param int8.bin --npy list.txt --order graph --top 0
    ncnnparam compare encoder.pt encoder.param encoder.bin --npy inputs/
    ncnnparam compare --encoder e.param e.bin --encoder e8.param e8.bin --decoder d.param d.bin \\
      --joiner j.param j.bin --joiner j8.param j8.bin --wavs wavs.txt --tokens tokens.txt
    ncnnparam compare e.pt d.pt j.pt --encoder e.param e.bin --decoder d.param d.bin \\
      --joiner j.param j.bin --wavs wavs.txt --tokens tokens.txt
    """
    require_apart("html")
    if any(options[name] for name in (*NETS, "wavs", "tokens", "transcripts")):
        from ncnnparam.cli.transducer_comparison import compare_transducers_of

        return compare_transducers_of(options)
    from ncnnparam.runtime.torchscript import is_torchscript

    files = options["files"]
    is_script = len(files) == _SCRIPT_AND_PAIR and is_torchscript(files[0])
    return _script(options) if is_script else _nets(options)


def _nets(options: dict[str, Any]) -> int:
    from ncnnparam.model import load
    from ncnnparam.quantize.accuracy import compare_nets
    from ncnnparam.quantize.arrays import npy_items

    files = options["files"]
    if len(files) != _PAIRS or not options["npy"]:
        raise click.UsageError(
            "name A.param A.bin B.param B.bin and --npy, or --encoder, --decoder, --joiner and --wavs, "
            "or a TorchScript file and B.param B.bin"
        )
    first, second = (files[0], files[1]), (files[2], files[3])
    items = npy_items(options["npy"], [blob.name for blob in load(*first).graph.inputs])
    warn_of_leftovers((first, second))
    accuracy = run_items(
        items, options, lambda advance: compare_nets(first, second, items.good, advance=advance)
    )
    return _judge(accuracy, items, options)


def _script(options: dict[str, Any]) -> int:
    """Compares what PyTorch and ncnn compute."""
    from ncnnparam.model import load
    from ncnnparam.quantize.accuracy_script import compare_script, random_items
    from ncnnparam.quantize.arrays import npy_items

    script, *second = options["files"]
    inputs = [blob.name for blob in load(*second).graph.inputs]
    items = npy_items(options["npy"], inputs) if options["npy"] else random_items(script, inputs)
    warn_of_leftovers([(second[0], second[1])])
    accuracy = run_items(
        items,
        options,
        lambda advance: compare_script(script, (second[0], second[1]), items.good, advance=advance),
    )
    return _judge(accuracy, items, options)


def _judge(accuracy: Accuracy, items: Items, options: dict[str, Any]) -> int:
    """Reports how far two nets are apart, and whether that is near enough."""
    write_accuracy_page({"": accuracy}, options)
    least = ENOUGH if options["min_sqnr"] is None else options["min_sqnr"]
    same = accuracy.sqnr >= least
    form = form_or_default(options["form"])
    if form == "json":
        emit_json({"same": same, "min_sqnr": least, **about_items(items), **accuracy.to_json()})
    else:
        print_net(accuracy, options, form)
        tell_verdict(same, f"{least:g} dB at every output", len(items.good))
    return 0 if same else FOUND
