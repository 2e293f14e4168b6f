"""``ncnnparam show``: a model at a glance, its layers, or what is around one of them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import (
    emit,
    emit_json,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
)
from ncnnparam.cli.completers import layer_and_blob_names, type_names

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.views.layers import LayerRow
    from ncnnparam.views.summary import Summary, TypeCount


@click.command(name="show")
@model_argument
@click.option("--layers", is_flag=True, help="List the layers.")
@click.option("--types", is_flag=True, help="Count the layers of each type.")
@click.option(
    "--around",
    metavar="NAME",
    shell_complete=layer_and_blob_names,
    help="List the layers above and below a layer or blob; Splits are seen through.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many steps to go with --around.",
)
@click.option(
    "--type", "type_glob", metavar="GLOB", shell_complete=type_names, help="List only layers of these types."
)
@click.option("--name", "name_glob", metavar="GLOB", help="List only layers of these names.")
@format_option
@ops_option
@max_size_option
def command(
    model: str,
    layers: bool,
    types: bool,
    around: str | None,
    depth: int,
    type_glob: str | None,
    name_glob: str | None,
    form: str,
    max_size: int,
) -> None:
    """Show what is in a model: its size, inputs, outputs, types and metadata; or its layers.

    Params have the names of ncnn's source. A GLOB takes * ? and [...].

    \b
    ncnnparam show encoder.ncnn.param
    ncnnparam show encoder.ncnn.param --layers
    ncnnparam show encoder.ncnn.param --type 'Conv*' --name 'encoder_3*'
    ncnnparam show encoder.ncnn.param --around out0 --depth 3
    ncnnparam show encoder.ncnn.param --types --format json
    """
    filtered = type_glob is not None or name_glob is not None
    if layers + types + (around is not None) > 1 or (around is not None and filtered):
        raise click.UsageError(
            "take one of --layers, --types and --around; --type and --name are for the first two"
        )
    graph = read_model(model, max_size).graph
    if around is not None:
        _show_around(graph, around, depth, form)
    elif types:
        _show_types(_found(graph, type_glob, name_glob), form)
    elif layers or filtered:
        _show_layers(graph, type_glob, name_glob, form)
    else:
        _show_summary(graph, "<stdin>" if model == "-" else model, form)


def _show_summary(graph: Graph, file: str, form: str) -> None:
    from ncnnparam.views.summary import summarise

    summary = summarise(graph)
    if form == "json":
        metadata = summary.metadata
        emit_json(
            {
                "file": file,
                "layers": summary.layers,
                "blobs": summary.blobs,
                "declared": summary.declared,
                "inputs": [asdict(port) for port in summary.inputs],
                "outputs": [asdict(port) for port in summary.outputs],
                "types": [asdict(count) for count in summary.types],
                "metadata": {str(id): value for id, value in metadata.params.items()} if metadata else None,
            }
        )
        return
    emit(_summary_text(summary, file))
    _print_types(summary.types)
    if sys.stdout.isatty():
        say("\n--layers lists the layers, --around NAME shows what is around one")


def _summary_text(summary: Summary, file: str) -> str:
    from ncnnparam.views.summary import port_text

    lines = [
        file,
        f"layers    {summary.layers}",
        f"blobs     {summary.blobs}",
        f"inputs    {len(summary.inputs):<4} {port_text(summary.inputs)}",
        f"outputs   {len(summary.outputs):<4} {port_text(summary.outputs)}",
    ]
    if summary.declared is not None:
        layers, blobs = summary.declared
        lines.insert(1, f"declares  {layers} layers and {blobs} blobs, which is wrong: see ncnnparam check")
    if summary.metadata is not None:
        lines.append(f"metadata  {_metadata_text(summary.metadata)}")
    return "".join(line.rstrip() + "\n" for line in [*lines, ""])


def _metadata_text(layer: Layer) -> str:
    """The metadata as the flags that they come from, or what is wrong with them."""
    from ncnnparam.errors import MetadataError
    from ncnnparam.speech.metadata import describe, from_layer

    try:
        metadata = from_layer(layer)
    except MetadataError as error:
        return error.message
    return f"{metadata.kind.name} {describe(metadata)}"


def _show_types(layers: list[Layer], form: str) -> None:
    from ncnnparam.views.summary import count_types

    counts = count_types(layers)
    if form == "json":
        emit_json([asdict(count) for count in counts])
    else:
        _print_types(counts)


def _print_types(counts: list[TypeCount]) -> None:
    from ncnnparam.cli.table import print_table

    rows = [
        (count.count, count.type if count.known else f"{count.type} (unknown to ncnn)") for count in counts
    ]
    print_table(("count", "type"), rows, right=("count",))


def _found(graph: Graph, type_glob: str | None, name_glob: str | None) -> list[Layer]:
    """The layers that match globs.

    Raises:
        NotFoundError: There is none.
    """
    from ncnnparam.errors import NotFoundError, did_you_mean

    layers = graph.find(type_glob, name=name_glob)
    if layers or (type_glob is None and name_glob is None):
        return layers
    known = {layer.type for layer in graph} if name_glob is None else {layer.name for layer in graph}
    asked = [
        f"--{what} '{glob}'" for what, glob in (("type", type_glob), ("name", name_glob)) if glob is not None
    ]
    hint = did_you_mean(name_glob or type_glob or "", sorted(known))
    raise NotFoundError(f"no layer matches {' and '.join(asked)}", hint=hint)


def _show_layers(graph: Graph, type_glob: str | None, name_glob: str | None, form: str) -> None:
    from ncnnparam.views.layers import layer_rows

    _found(graph, type_glob, name_glob)
    rows = layer_rows(graph, type=type_glob, name=name_glob)
    if form == "json":
        emit_json([_layer_json(row) for row in rows])
        return
    from ncnnparam.cli.table import print_table

    print_table(
        ("index", "type", "name", "inputs", "outputs", "params"),
        [(row.index, *_cells(row)) for row in rows],
        right=("index",),
    )


def _show_around(graph: Graph, name: str, depth: int, form: str) -> None:
    from ncnnparam.views.around import around
    from ncnnparam.views.layers import layer_row

    rows = [
        (near.step, layer_row(near.index, near.layer, past_splits=True))
        for near in around(graph, name, depth)
    ]
    if form == "json":
        emit_json([{"step": step, **_layer_json(row)} for step, row in rows])
        return
    from ncnnparam.cli.table import print_table

    print_table(
        ("step", "index", "type", "name", "inputs", "outputs", "params"),
        [(f"{step:+}" if step else ">", row.index, *_cells(row)) for step, row in rows],
        right=("step", "index"),
    )


def _cells(row: LayerRow) -> tuple[str, ...]:
    params = " ".join(map(str, row.params))
    return row.type, row.name, " ".join(row.inputs), " ".join(row.outputs), params


def _layer_json(row: LayerRow) -> dict[str, Any]:
    record = asdict(row)
    record["params"] = [
        {key: value for key, value in param.items() if key != "text"} for param in record["params"]
    ]
    return record
