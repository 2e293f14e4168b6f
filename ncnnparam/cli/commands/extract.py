"""``ncnnparam extract``: the part of a model between some blobs, as a model of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    changed_lines,
    emit,
    max_size_option,
    model_argument,
    read_model,
    say,
    warn_of_weights,
    write_model,
)
from ncnnparam.cli.completers import blob_names

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


@click.command(name="extract")
@model_argument
@click.option(
    "--inputs",
    metavar="BLOB,...",
    multiple=True,
    shell_complete=blob_names,
    help="What the part is fed; by default the model's inputs that the outputs need. May be repeated.",
)
@click.option(
    "--outputs",
    metavar="BLOB,...",
    multiple=True,
    required=True,
    shell_complete=blob_names,
    help="What the part gives. May be repeated.",
)
@click.option("-o", "--output", metavar="OUT", help="Where to write; - is standard output.")
@click.option("--backup", is_flag=True, help="Keep the file that was there as OUT.bak.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the changed lines and write nothing.")
@max_size_option
def command(
    model: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> None:
    """Cut out the part of a model that computes some blobs from some others.

    Every input gets an Input layer; layers that the outputs do not need are left out. The .bin is not
    changed; a warning tells when it no longer fits.

    \b
    ncnnparam extract encoder.ncnn.param --outputs 143 -o head.param
    ncnnparam extract encoder.ncnn.param --inputs 143 --outputs out0,out1 -o tail.param
    ncnnparam extract encoder.ncnn.param --inputs 12 --inputs 17 --outputs 143 -o - | ncnnparam show -
    """
    if output is None and not dry_run:
        raise click.UsageError("say where to write the part: -o OUT, or -o - for standard output")
    from ncnnparam.model import Model, dumps

    whole = read_model(model, max_size)
    graph = whole.graph
    wanted = _names(graph, outputs)
    fed = _names(graph, inputs) if inputs else _needed_inputs(graph, wanted)
    part = Model(graph.extract(fed, wanted))
    if dry_run:
        emit(changed_lines(dumps(whole), dumps(part), whole.path or "-"))
    else:
        write_model(part, output, backup=backup)
    kept = {layer.name for layer in part.graph}
    warn_of_weights(list(graph), {layer for layer in graph if layer.name not in kept})
    say(f"{part.graph.layer_count} of {graph.layer_count} layers: {', '.join(fed)} -> {', '.join(wanted)}")


def _names(graph: Graph, options: Iterable[str]) -> list[str]:
    """The blobs that options name: each is a blob, or several with commas between them."""
    names: list[str] = []
    for option in options:
        names += [option] if graph.has_blob(option) else [name for name in option.split(",") if name]
    return list(dict.fromkeys(names))


def _needed_inputs(graph: Graph, outputs: Iterable[str]) -> list[str]:
    """The inputs of the network that some blobs depend on."""
    from ncnnparam.graph.arrange import needed_layers

    needed = needed_layers(graph.blob(name) for name in outputs)
    read = {blob for layer in needed.values() for blob in layer.inputs}
    return [
        blob.name
        for blob in graph.inputs
        if blob in read or (blob.producer is not None and id(blob.producer) in needed)
    ]
