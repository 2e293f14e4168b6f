"""``ncnnparam rename``: another name for a layer or a blob, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    edit_options,
    find_layers,
    finish_edit,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
    say_names,
)
from ncnnparam.cli.completers import layer_and_blob_names

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer

LAYER, BLOB, BOTH = "layer", "blob", "both"


@click.command(name="rename")
@model_argument
@click.argument("old", metavar="OLD", shell_complete=layer_and_blob_names)
@click.argument("new", metavar="NEW")
@click.option("--layer", "what", flag_value=LAYER, help="Rename the layer of that name.")
@click.option("--blob", "what", flag_value=BLOB, help="Rename the blob of that name.")
@click.option("--both", "what", flag_value=BOTH, help="Rename the layer and the blob of that name.")
@edit_options
@ops_option
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

    When a layer and a blob have the name, say which is meant. OLD may also be a selector of one layer (see
    ncnnparam find). With one * in OLD and one in NEW, all names that match are changed, and what the * stands
    for stays.

    \b
    ncnnparam rename encoder.ncnn.param 143 logits
    ncnnparam rename encoder.ncnn.param conv1 stem --layer
    ncnnparam rename encoder.ncnn.param conv1 stem --both --dry-run
    ncnnparam rename encoder.ncnn.param 'Softmax and before(out0)' scores
    ncnnparam rename encoder.ncnn.param 'encoder/*' 'enc/*' --both
    """
    target = read_model(model, max_size)
    graph = target.graph
    if old.count("*") == new.count("*") == 1 and not graph.has_layer(old) and not graph.has_blob(old):
        renamed = _rename_all(graph, old, new, what)
        finish_edit(target, output, backup, dry_run)
        say_names("renamed", renamed)
        return
    what = what or _what(graph, old)
    if what == LAYER:
        old = _only_layer(graph, old).name
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
    """Which of the two a name means; what is the name of neither should mean a layer.

    Raises:
        GraphError: It means both.
        NotFoundError: It means neither.
    """
    from ncnnparam.errors import NotFoundError, did_you_mean
    from ncnnparam.selectors import is_word

    if graph.has_layer(name) or graph.has_blob(name):
        return _one_kind(name, graph.has_layer(name), graph.has_blob(name))
    try:
        find_layers(graph, name)
    except NotFoundError:
        if not is_word(name):
            raise
        known = dict.fromkeys([*(layer.name for layer in graph), *(blob.name for blob in graph.blobs)])
        raise NotFoundError(f"there is no layer or blob '{name}'", hint=did_you_mean(name, known)) from None
    return LAYER


def _one_kind(name: str, layer: bool, blob: bool) -> str:
    from ncnnparam.errors import GraphError

    if layer and blob:
        raise GraphError(f"'{name}' is a layer and a blob", hint="say which: --layer, --blob or --both")
    return BLOB if blob else LAYER


def _only_layer(graph: Graph, text: str) -> Layer:
    """The layer that a name or a selector means.

    Raises:
        GraphError: It means several.
        NotFoundError: It means none.
    """
    from ncnnparam.errors import GraphError

    if graph.has_layer(text):
        return graph.layer(text)
    found = find_layers(graph, text)
    if len(found) > 1:
        names = ", ".join(layer.name for layer in found[:3]) + (", ..." if len(found) > 3 else "")
        raise GraphError(f"'{text}' means {len(found)} layers: {names}", hint="name one of them")
    return found[0]


def _rename_all(graph: Graph, old: str, new: str, what: str | None) -> list[str]:
    """Gives all names that match ``old`` the form of ``new``; tells which became what.

    Raises:
        GraphError: A new name is taken, or is none.
        NotFoundError: No name matches.
    """
    from ncnnparam.errors import NotFoundError

    head, _, tail = old.partition("*")

    def matches(name: str) -> bool:
        return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)

    layers = [layer for layer in graph if matches(layer.name)]
    blobs = [blob for blob in graph.blobs if matches(blob.name)]
    what = what or _one_kind(old, bool(layers), bool(blobs))
    if what == BLOB:
        layers = []
    elif what == LAYER:
        blobs = []
    chosen: list[Layer | Blob] = [*layers, *blobs]
    if not chosen:
        raise NotFoundError(f"no name matches '{old}'")
    renamed: dict[Layer | Blob, str] = {}
    for item in chosen:
        renamed[item] = new.replace("*", item.name[len(head) : len(item.name) - len(tail)])
    told = dict.fromkeys(f"{item.name} -> {name}" for item, name in renamed.items())
    _give_names(graph, renamed)
    return list(told)


def _give_names(graph: Graph, names: dict[Layer | Blob, str]) -> None:
    """Renames many things at once; a new name may be the old one of another.

    Raises:
        GraphError: A new name is taken, or is none.
    """
    from ncnnparam.graph import Layer

    left = [(item, name) for item, name in names.items() if item.name != name]
    while left:
        waiting = []
        for item, name in left:
            taken = graph.has_layer(name) if isinstance(item, Layer) else graph.has_blob(name)
            if taken:
                waiting.append((item, name))
            else:
                item.name = name
        if len(waiting) == len(left):
            item, name = left[0]
            item.name = name  # the error that tells what keeps the name
        left = waiting
