"""``ncnnparam diff``: what is different between two models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import FOUND, PATH_OR_STREAM, max_size_option, ops_option, read_model, say
from ncnnparam.cli.diff_report import Named, report_graphs, report_weights
from ncnnparam.cli.progress import progress_bar
from ncnnparam.syntax.pairing import bin_of

if TYPE_CHECKING:
    from ncnnparam.diff import Diff
    from ncnnparam.diff.arrays import WeightDiff

FORMATS = ("text", "table", "json")


@click.command(
    name="diff", epilog="Exit codes: 0 the same, 1 different, 2 a file that cannot be read or does not fit."
)
@click.argument("files", metavar="A [A.bin] B [B.bin]", nargs=-1, type=PATH_OR_STREAM)
@click.option("--weights", is_flag=True, help="Compare the .bin files too that go with A and B by name.")
@click.option("--strict-names", is_flag=True, help="Other names of layers and blobs are differences too.")
@click.option(
    "--textual", is_flag=True, help="Params written differently that say the same are differences too."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to report; by default a table on a terminal and text elsewhere.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@ops_option
@max_size_option
def command(
    files: tuple[str, ...],
    weights: bool,
    strict_names: bool,
    textual: bool,
    form: str | None,
    quiet: bool,
    max_size: int,
) -> int:
    """Compare two models layer by layer, and their weights array by array.

    Layers are matched by name and by structure, so a model that was only renumbered is the same. Params are
    compared by what they say to ncnn: a default that is stated or left out, 1e-05 or 0.00001 is the same.
    Names of the network's inputs and outputs count. One of A and B may be -, standard input.

    With weights, arrays are compared by the numbers that ncnn computes with, so an int8 model shows for each
    layer what quantising cost, which layers stayed float, and why the file is not smaller.

    \b
    ncnnparam diff old.param new.param
    ncnnparam diff --strict-names --textual old.param new.param
    ncnnparam diff --format json old.param new.param
    git show HEAD:encoder.param | ncnnparam diff - encoder.param
    ncnnparam diff encoder.param encoder.bin encoder-int8.param encoder-int8.bin
    ncnnparam diff --weights encoder.param encoder-int8.param
    """
    a, b = _models(files, weights)
    form = form or ("table" if sys.stdout.isatty() else "text")
    if a.bin is None or b.bin is None:
        diff = _compare_graphs(a, b, max_size, strict_names, textual)
        if not quiet:
            report_graphs(diff, a, b, form)
        return FOUND if diff else 0
    weight_diff = _compare_weights(a, b, max_size, strict_names, textual)
    if not quiet:
        report_weights(weight_diff, a, b, form)
    return FOUND if weight_diff else 0


def _models(files: tuple[str, ...], by_name: bool) -> tuple[Named, Named]:
    """The two models that the command line names."""
    if len(files) == 4 and not by_name:
        a, b = Named(files[0], files[1]), Named(files[2], files[3])
    elif len(files) == 2:
        a, b = (Named(file, str(bin_of(file)) if by_name else None) for file in files)
    else:
        raise click.UsageError("name two .param files, or two pairs: A.param A.bin B.param B.bin")
    if a.param == b.param == "-":
        raise click.UsageError("standard input can be only one of the two models: name a file for the other")
    if by_name and "-" in files:
        raise click.UsageError("standard input has no .bin beside it: name both pairs, each with its .bin")
    if "-" in (a.bin, b.bin):
        raise click.UsageError("standard input can be a .param only: name a file for the .bin")
    return a, b


def _compare_graphs(a: Named, b: Named, max_size: int, strict_names: bool, textual: bool) -> Diff:
    from ncnnparam.diff import compare

    before, after = read_model(a.param, max_size), read_model(b.param, max_size)
    return compare(before.graph, after.graph, strict_names=strict_names, textual=textual)


def _compare_weights(a: Named, b: Named, max_size: int, strict_names: bool, textual: bool) -> WeightDiff:
    from ncnnparam.diff.weights import compare_weights
    from ncnnparam.model import load

    before, after = (load(side.param, side.bin, max_size=max_size) for side in (a, b))
    for side, model in ((a, before), (b, after)):
        if model.file is not None and model.file.leftover:
            left = f"the last {len(model.file.leftover)} bytes of {side.bin}"
            say(f"warning: {side.param} does not read {left}: do they belong together?")
    total = sum(model.file.used for model in (before, after) if model.file)
    with progress_bar("comparing", total) as advance:
        return compare_weights(before, after, strict_names=strict_names, textual=textual, progress=advance)
