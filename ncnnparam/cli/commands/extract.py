"""``ncnnparam extract``: the part of a model between some blobs, as a model of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    bin_argument,
    changed_lines,
    emit,
    find_layers,
    max_size_option,
    model_argument,
    ops_option,
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
@bin_argument
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
@ops_option
@max_size_option
def command(
    model: str,
    weights: str | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> None:
    """Cut out the part of a model that computes some blobs from some others.

    A layer, or a selector of layers (see ncnnparam find), stands for the blobs that it writes. Every input
    gets an Input layer; layers that the outputs do not need are left out. With BIN the part gets its
    weights, beside OUT under the same name; without, a warning tells when the .bin does not fit the part.

    \b
    ncnnparam extract encoder.ncnn.param encoder.ncnn.bin --outputs 143 -o head.param
    ncnnparam extract encoder.ncnn.param --inputs 143 --outputs out0,out1 -o tail.param
    ncnnparam extract encoder.ncnn.param --outputs 'Softmax and before(out0)' -o scores.param
    ncnnparam extract encoder.ncnn.param --inputs 12 --inputs 17 --outputs 143 -o - | ncnnparam show -
    """
    if output is None and not dry_run:
        raise click.UsageError("say where to write the part: -o OUT, or -o - for standard output")
    if output == "-" and weights is not None:
        raise click.UsageError("a model with its weights cannot go to standard output: name a file with -o")
    from ncnnparam.model import Model, dumps, save
    from ncnnparam.syntax.pairing import bin_of

    whole = read_model(model, max_size, weights)
    graph = whole.graph
    wanted = _blobs(graph, outputs)
    fed = _blobs(graph, inputs) if inputs else _needed_inputs(graph, wanted)
    part = Model(graph.extract(fed, wanted))
    if dry_run:
        emit(changed_lines(dumps(whole), dumps(part), whole.path or "-"))
    elif weights is None:
        write_model(part, output, backup=backup)
    else:
        assert output is not None
        save(part, output, bin_of(output), backup=backup)
    kept = {layer.name for layer in part.graph}
    if weights is None:
        warn_of_weights(list(graph), {layer for layer in graph if layer.name not in kept})
    say(f"{part.graph.layer_count} of {graph.layer_count} layers: {', '.join(fed)} -> {', '.join(wanted)}")


def _blobs(graph: Graph, options: Iterable[str]) -> list[str]:
    """The blobs that options name: each is a blob, several words with commas between them, or a selector."""
    from ncnnparam.selectors import is_word

    names: list[str] = []
    for option in options:
        parts = [part for part in option.split(",") if part]
        listed = all(graph.has_blob(part) or is_word(part) for part in parts)
        for text in parts if listed and not graph.has_blob(option) else [option]:
            names += [text] if graph.has_blob(text) else _written(graph, text)
    return list(dict.fromkeys(names))


def _written(graph: Graph, text: str) -> list[str]:
    """The blobs that some layers write; those of Splits only if there are no others.

    Raises:
        NotFoundError: There is no such layer.
    """
    from ncnnparam.errors import NotFoundError
    from ncnnparam.graph import SPLIT
    from ncnnparam.selectors import is_word

    try:
        layers = find_layers(graph, text)
    except NotFoundError:
        if is_word(text):
            graph.blob(text)  # raises too, with the names of blobs that look alike
        raise
    others = [layer for layer in layers if layer.type != SPLIT]
    return [blob.name for layer in others or layers for blob in layer.outputs]


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
