"""``ncnnparam rename``: another name for a layer or a blob, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import edit_options, finish_edit, max_size_option, model_argument, read_model, say
from ncnnparam.cli.completers import layer_and_blob_names

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

LAYER, BLOB, BOTH = "layer", "blob", "both"


@click.command(name="rename")
@model_argument
@click.argument("old", metavar="OLD", shell_complete=layer_and_blob_names)
@click.argument("new", metavar="NEW")
@click.option("--layer", "what", flag_value=LAYER, help="Rename the layer of that name.")
@click.option("--blob", "what", flag_value=BLOB, help="Rename the blob of that name.")
@click.option("--both", "what", flag_value=BOTH, help="Rename the layer and the blob of that name.")
@edit_options
@max_size_option
def command(
    model: str,
    old: str,
    new: str,
    what: str | None,
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> None:
    """Rename a layer, or a blob wherever it stands.

    When a layer and a blob have the name, say which is meant.

    \b
    ncnnparam rename encoder.ncnn.param 143 logits
    ncnnparam rename encoder.ncnn.param conv1 stem --layer
    ncnnparam rename encoder.ncnn.param conv1 stem --both --dry-run
    """
    target = read_model(model, max_size)
    graph = target.graph
    what = what or _what(graph, old)
    if what in (LAYER, BOTH):
        graph.rename_layer(old, new)
    if what in (BLOB, BOTH):
        graph.rename_blob(old, new)
    finish_edit(target, output, backup, dry_run)
    say(f"{'layer and blob' if what == BOTH else what} {old} -> {new}")
    # in a broken file a name may be there twice; lookup gave the first bearer
    if old != new and ((what != BLOB and graph.has_layer(old)) or (what != LAYER and graph.has_blob(old))):
        say(f"warning: '{old}' was there more than once, and the first was renamed; see ncnnparam check")


def _what(graph: Graph, name: str) -> str:
    """Which of the two a name means.

    Raises:
        GraphError: It means both.
        NotFoundError: It means neither.
    """
    from ncnnparam.errors import GraphError, NotFoundError, did_you_mean

    is_layer, is_blob = graph.has_layer(name), graph.has_blob(name)
    if is_layer and is_blob:
        raise GraphError(f"'{name}' is a layer and a blob", hint="say which: --layer, --blob or --both")
    if not is_layer and not is_blob:
        known = dict.fromkeys([*(layer.name for layer in graph), *(blob.name for blob in graph.blobs)])
        raise NotFoundError(f"there is no layer or blob '{name}'", hint=did_you_mean(name, known))
    return LAYER if is_layer else BLOB
