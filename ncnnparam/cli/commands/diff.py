"""``ncnnparam diff``: what is different between two models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import FOUND, emit, max_size_option, ops_option, read_model

if TYPE_CHECKING:
    from ncnnparam.diff import Diff

FORMATS = ("text", "table", "json")


@click.command(name="diff", epilog="Exit codes: 0 the same, 1 different, 2 a file that cannot be read.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
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
    first: str,
    second: str,
    strict_names: bool,
    textual: bool,
    form: str | None,
    quiet: bool,
    max_size: int,
) -> int:
    """Compare two models layer by layer.

    Layers are matched by name and by structure, so a model that was only renumbered is the same. Params are
    compared by what they say to ncnn: a default that is stated or left out, 1e-05 or 0.00001 is the same.
    Names of the network's inputs and outputs count. One of A and B may be -, standard input.

    \b
    ncnnparam diff old.param new.param
    ncnnparam diff --strict-names --textual old.param new.param
    ncnnparam diff --format json old.param new.param
    git show HEAD:encoder.param | ncnnparam diff - encoder.param
    """
    from ncnnparam.diff import compare

    if first == second == "-":
        raise click.UsageError("standard input can be only one of the two models: name a file for the other")
    before, after = read_model(first, max_size), read_model(second, max_size)
    diff = compare(before.graph, after.graph, strict_names=strict_names, textual=textual)
    if not quiet:
        _report(diff, first, second, form or ("table" if sys.stdout.isatty() else "text"))
    return FOUND if diff else 0


def _report(diff: Diff, first: str, second: str, form: str) -> None:
    if form == "json":
        import json

        emit(json.dumps({"first": first, "second": second, **diff.to_json()}, indent=2) + "\n")
    elif form == "table":
        _print_table(diff)
    else:
        from ncnnparam.diff import to_text

        emit(to_text(diff, first, second))


def _print_table(diff: Diff) -> None:
    from ncnnparam.cli.table import print_table
    from ncnnparam.diff.text import place, sides, summary

    rows = []
    last = None
    for record in diff.records:
        where = place(record)
        old, new = sides(record)
        rows.append([*(where if where != last else ("", "", "")), "\n".join(old), "\n".join(new)])
        last = where
    if rows:
        print_table(("A", "B", "layer", "in A", "in B"), rows, right=("A", "B"))
    emit(summary(diff) + "\n")
