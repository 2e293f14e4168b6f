"""``ncnnparam find``: the layers that a selector means."""

from __future__ import annotations

import click

from ncnnparam.cli.common import (
    emit_json,
    find_layers,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
)
from ncnnparam.cli.completers import layer_names, type_names

NONE = 1
"""Exit code for "no such layer", as grep has it."""


def _names_and_types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [*layer_names(ctx, param, incomplete), *type_names(ctx, param, incomplete)]


@click.command(name="find", epilog="Exit codes: 0 some layers found, 1 none, 2 trouble.")
@model_argument
@click.argument("selector", metavar="SELECTOR", shell_complete=_names_and_types)
@format_option
@ops_option
@max_size_option
def command(model: str, selector: str, form: str, max_size: int) -> int:
    """List the layers that a selector means: line, type, name and params.

    A SELECTOR is a name, a type, a glob of either, or what docs/selectors.md tells: types with conditions in
    brackets, name=..., line=..., after(...), before(...), between(..., ...), joined by and, or, not. set,
    remove, rename and extract take the same.

    \b
    ncnnparam find encoder.ncnn.param Convolution
    ncnnparam find encoder.ncnn.param 'Convolution[kernel_w=3, num_output>64]'
    ncnnparam find encoder.ncnn.param 'Conv*|InnerProduct and after(in0)'
    ncnnparam find encoder.ncnn.param 'name=conv_* and not BinaryOp[op_type=add|mul]'
    ncnnparam find encoder.ncnn.param 'between(in1, out1)' --format json
    """
    from ncnnparam.cli.rows import layer_json
    from ncnnparam.cli.table import print_table
    from ncnnparam.errors import NotFoundError
    from ncnnparam.views.layers import layer_row

    graph = read_model(model, max_size).graph
    try:
        found = set(find_layers(graph, selector))
    except NotFoundError as error:
        if form == "json":
            emit_json([])
        say(str(error))
        return NONE
    rows = [layer_row(index, layer) for index, layer in enumerate(graph) if layer in found]
    if form == "json":
        emit_json([layer_json(row) for row in rows])
    else:
        print_table(
            ("line", "type", "name", "params"),
            [(row.line, row.type, row.name, " ".join(map(str, row.params))) for row in rows],
            right=("line",),
        )
    return 0
