"""``ncnnparam remove``: takes layers out and joins what they stood between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    PATH,
    edit_options,
    find_layers,
    finish_edit,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
    say_names,
    warn_of_weights,
)
from ncnnparam.cli.completers import layer_names

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer


@click.command(name="remove")
@model_argument
@click.argument("names", metavar="LAYER...", nargs=-1, required=True, shell_complete=layer_names)
@click.option(
    "--no-reconnect", is_flag=True, help="Join nothing: remove only layers whose outputs nobody reads then."
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Of a layer with several inputs, the one that its readers get; 0 is the first.",
)
@click.option("--bin", "weights", metavar="BIN", type=PATH, help="The weights, changed with the model.")
@edit_options
@ops_option
@max_size_option
def command(
    model: str,
    names: tuple[str, ...],
    no_reconnect: bool,
    keep: int | None,
    weights: str | None,
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> None:
    """Remove layers; what read their output reads their input instead.

    A LAYER is a name, a glob or a selector (see ncnnparam find). Counts and Split layers follow. When one
    layer cannot be removed, none is. Without --bin the weights stay as they are, and a warning tells when
    they no longer fit.

    \b
    ncnnparam remove encoder.ncnn.param dropout_1
    ncnnparam remove encoder.ncnn.param 'dropout_*' 'identity_*' --backup
    ncnnparam remove encoder.ncnn.param 'Dropout or BinaryOp[op_type=mul, with_scalar=1, b=1]'
    ncnnparam remove encoder.ncnn.param add_7 --keep 0
    ncnnparam remove encoder.ncnn.param conv_7 --bin encoder.ncnn.bin -o out.param
    ncnnparam remove encoder.ncnn.param softmax topk --no-reconnect
    """
    from ncnnparam.errors import GraphError

    if no_reconnect and keep is not None:
        raise click.UsageError("--keep says what to reconnect, --no-reconnect says not to: take one of them")
    target = read_model(model, max_size, weights)
    graph = target.graph
    chosen = _chosen(graph, names)
    layers, blobs = list(graph), graph.blob_count
    removed = [f"{layer.name} ({layer.type})" for layer in chosen]
    # readers first: without reconnecting, a layer can go only after what reads it
    for layer in reversed(chosen):
        _remove(graph, layer, reconnect=not no_reconnect, keep=keep)
    if not len(graph):
        raise GraphError("no layer would be left, and ncnn reads no such file")
    finish_edit(target, output, backup, dry_run)
    say_names("removed", removed)
    if weights is None:
        warn_of_weights(layers, chosen)
    say(f"layers {len(layers)} -> {graph.layer_count}, blobs {blobs} -> {graph.blob_count}")


def _chosen(graph: Graph, patterns: tuple[str, ...]) -> list[Layer]:
    """The layers to remove, in the order of the file; globs pass over Splits, which follow suit."""
    from ncnnparam.graph import SPLIT

    chosen: set[Layer] = set()
    for pattern in patterns:
        found = find_layers(graph, pattern)
        others = [layer for layer in found if layer.type != SPLIT]
        chosen.update(others or found)
    return [layer for layer in graph if layer in chosen]


def _remove(graph: Graph, layer: Layer, *, reconnect: bool, keep: int | None) -> None:
    from ncnnparam.errors import GraphError

    if layer.graph is None:  # a Split that went with its readers
        return
    try:
        graph.remove(layer, reconnect=reconnect, keep=keep)
    except GraphError as error:
        raise GraphError(error.message, hint=_hint(layer, reconnect, keep) or error.hint) from None


def _hint(layer: Layer, reconnect: bool, keep: int | None) -> str | None:
    """The cure in terms of this command's options."""
    if not reconnect:
        return "name its readers too, or leave out --no-reconnect"
    if not layer.inputs and any(blob.uses for blob in layer.outputs):
        return "it has no input that its readers could get: name them too, with --no-reconnect"
    if len(layer.inputs) > 1 and len(layer.outputs) == 1 and keep is None:
        inputs = ", ".join(f"{index} ('{blob.name}')" for index, blob in enumerate(layer.inputs))
        return f"say which input its readers get: --keep with one of {inputs}"
    if not any(blob.uses for blob in layer.outputs):
        return "--no-reconnect removes it with its outputs"
    return None
