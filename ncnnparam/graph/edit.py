"""Edits of single layers. Each one checks everything first and then cannot fail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import GraphError
from ncnnparam.graph.fanout import (
    attach,
    detach,
    drop_lone,
    free_blob,
    move_uses,
    settle,
    splits_above,
    splits_below,
    spread,
    tidy,
)
from ncnnparam.graph.layer import INPUT, Blob, Layer, is_split
from ncnnparam.graph.names import LONGEST_NAME

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph, Params

# a word of the language that can be written as UTF-8: of the surrogates only those that stand for bytes
_WORD = re.compile("[^ \t\v\f\r\n\0\ud800-\udc7f\udd00-\udfff]+")


def add(
    graph: Graph,
    type: str,
    name: str | None,
    inputs: Blob | str | Iterable[Blob | str],
    outputs: int | Iterable[str],
    params: Params | None,
    before: Layer | None,
    after: Layer | None,
    named: Mapping[str, Any],
) -> Layer:
    """``Graph.add``."""
    blobs = [graph._own_blob(blob) for blob in ([inputs] if isinstance(inputs, (str, Blob)) else inputs)]
    layer = _new_layer(graph, type, name, params, named)
    names = _output_names(graph, layer.name, outputs)
    anchor = _anchor(graph, before, after)
    for blob in blobs:
        _check_above(graph, blob, anchor)
    _place(graph, layer, anchor, names)
    for index, blob in enumerate(blobs):
        attach(layer, index, free_blob(graph, blob, layer))
    for blob in layer.inputs:
        drop_lone(graph, blob.producer)
    return layer


def insert_on(
    graph: Graph, blob: Blob, type: str, name: str | None, params: Params | None, named: Mapping[str, Any]
) -> Layer:
    """``Graph.insert_on``: the new layer takes over all readers of a blob, or its name as an output."""
    graph._own_blob(blob)
    layer = _new_layer(graph, type, name, params, named)
    producer = blob.producer
    anchor = producer
    if producer is None and blob.uses:
        anchor = min((layer for layer, _ in blob._uses), key=lambda user: user._link.label).previous
    is_output = not blob.uses and producer is not None and producer.type != INPUT
    (gives,) = [blob.name] if is_output else _output_names(graph, layer.name, 1)
    if is_output:
        graph._set_blob_name(blob, graph.fresh_blob_name(blob.name))
    _place(graph, layer, anchor, [gives])
    move_uses(blob, layer.outputs[0])
    attach(layer, 0, blob)
    for reader in layer.outputs[0].consumers:
        settle(graph, reader)
    drop_lone(graph, producer)
    return layer


def insert_before(
    graph: Graph,
    reader: Layer,
    index: int,
    type: str,
    name: str | None,
    params: Params | None,
    named: Mapping[str, Any],
) -> Layer:
    """``Graph.insert_before``: the new layer stands between one blob and one reader of it."""
    graph._check_layer(reader)
    _check_index(reader, index)
    layer = _new_layer(graph, type, name, params, named)
    _place(graph, layer, reader.previous, _output_names(graph, layer.name, 1))
    blob = detach(reader, index)
    attach(layer, 0, blob)
    attach(reader, index, layer.outputs[0])
    settle(graph, reader)
    return layer


def remove(graph: Graph, layer: Layer, *, reconnect: bool, keep: int | None) -> None:
    """``Graph.remove``."""
    graph._check_layer(layer)
    is_read = any(reader is not layer for blob in layer.outputs for reader in blob.consumers)
    if is_read and is_split(layer):
        if len(layer.outputs) > 1:
            hint = "Splits follow their readers: remove or rewire those"
            raise GraphError(f"the Split '{layer.name}' is needed by what reads its outputs", hint=hint)
        settle(graph, layer)
        return
    if reconnect and is_split(layer) and len(layer.outputs) == 1 and len(layer.inputs[0].uses) > 1:
        # a fault of the file: for the output to stay beside the other readers, it takes just such a Split
        message = f"the Split '{layer.name}' gives out as '{layer.outputs[0].name}' what others read too"
        raise GraphError(message, hint="remove it with reconnect=False to drop the output")
    if is_read and not reconnect:
        readers = ", ".join(sorted({f"'{use.layer.name}'" for blob in layer.outputs for use in blob.readers}))
        raise GraphError(f"layer '{layer.name}' is read by {readers}")
    if not reconnect:
        keep = None
    elif keep is None and len(layer.inputs) == len(layer.outputs) == 1:
        keep = 0
    if keep is not None:
        _check_index(layer, keep)
        if layer.inputs[keep] in layer.outputs:  # a fault of the file
            keep = None
    if is_read and (keep is None or len(layer.outputs) != 1):
        has = f"{len(layer.inputs)} inputs and {len(layer.outputs)} outputs"
        hint = "name the input to keep (keep=...), or rewire its readers first"
        raise GraphError(f"layer '{layer.name}' has {has}, so it is not clear what to reconnect", hint=hint)
    if keep is None:
        _take_out(graph, layer)
    else:
        _bypass(graph, layer, keep)


def replace(
    graph: Graph,
    layer: Layer,
    type: str,
    name: str | None,
    params: Params | None,
    named: Mapping[str, Any],
) -> Layer:
    """``Graph.replace``."""
    graph._check_layer(layer)
    check_word(type, "type")
    if name is not None and name != layer.name:
        check_layer_name(graph, name)
    draft = Layer(graph, type, name or layer.name, ())
    _state(draft, params, named)
    graph._rename_layer(layer, draft.name)
    if type != layer.type:
        layer._weights = ()
    layer._type, layer._params = type, draft._params
    return layer


def move(graph: Graph, layer: Layer, before: Layer | None, after: Layer | None) -> None:
    """``Graph.move``; the Splits around the layer go with it."""
    graph._check_layer(layer)
    if layer in (before, after):
        raise GraphError(f"layer '{layer.name}' cannot be moved next to itself")
    anchor = _anchor(graph, before, after)
    if anchor is layer:
        return  # it stands there already
    for blob in layer.inputs:
        _check_above(graph, blob, anchor)
    for blob in layer.outputs:
        for use in blob.readers:
            if anchor is not None and not graph.layers.before(anchor, use.layer):
                raise GraphError(f"layer '{use.layer.name}' reads '{blob.name}' and would stand above it")
    above = [splits_above(blob) for blob in layer.inputs]
    below = [split for blob in layer.outputs for split in splits_below(blob)]
    _put(graph, layer, anchor)
    for splits in above:
        reader = layer
        for split in splits:
            if graph.layers.before(reader, split):
                _put(graph, split, reader.previous)
            reader = split
    for split in below:
        producer = split.inputs[0].producer
        if producer is not None and graph.layers.before(split, producer):
            _put(graph, split, producer)


def set_input(graph: Graph, layer: Layer, index: int, blob: Blob) -> None:
    """``Graph.set_input``."""
    graph._check_layer(layer)
    _check_index(layer, index)
    if layer.inputs[index].source is blob.source:
        return
    _check_above(graph, blob, layer.previous)
    _rewire(graph, layer, index, blob)


def replace_uses(graph: Graph, old: Blob, new: Blob) -> None:
    """``Graph.replace_uses``."""
    if old.source is new.source:
        return
    readers, source = old.readers, new.source
    for use in readers:
        _check_above(graph, new, use.layer.previous)
    for use in readers:  # for the first of them a Split of one output may go, and with it the new blob
        _rewire(graph, use.layer, use.index, new if new.graph is graph else source)


def split_fanout(graph: Graph) -> list[Layer]:
    """``Graph.split_fanout``."""
    shared = [blob for blob in graph.blobs if len(blob.uses) > 1]
    # a Split that comes first may make another one, and with it a shared blob, superfluous
    splits = {id(split): split for split in [spread(graph, blob) for blob in shared if len(blob.uses) > 1]}
    return [split for split in splits.values() if split.graph is graph]


def check_word(name: str, what: str) -> None:
    """Raises GraphError unless the name can stand in a file."""
    if not _WORD.fullmatch(name):
        raise GraphError(f"{name!r} is no {what}: it must be one word")
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        raise GraphError(f"the {what} '{name[:40]}...' is too long: ncnn reads {LONGEST_NAME} bytes")


def check_layer_name(graph: Graph, name: str) -> None:
    """Raises GraphError unless a layer can get this name."""
    check_word(name, "layer name")
    if graph.has_layer(name):
        raise GraphError(f"there is a layer '{name}' already")


def check_blob_names(graph: Graph, names: Iterable[str]) -> None:
    """Raises GraphError unless new blobs can get these names."""
    seen: set[str] = set()
    for name in names:
        check_word(name, "blob name")
        if graph.has_blob(name) or name in seen:
            raise GraphError(f"there is a blob '{name}' already")
        seen.add(name)


def _new_layer(
    graph: Graph, type: str, name: str | None, params: Params | None, named: Mapping[str, Any]
) -> Layer:
    """A layer that is not yet in the graph, with its params stated."""
    check_word(type, "type")
    if name is None:
        name = graph.fresh_layer_name(type.lower())
    check_layer_name(graph, name)
    layer = Layer(graph, type, name, ())
    _state(layer, params, named)
    return layer


def _state(layer: Layer, params: Params | None, named: Mapping[str, Any]) -> None:
    for id, value in (params or {}).items():
        layer.params[id] = value
    for key, value in named.items():
        layer[key] = value


def _output_names(graph: Graph, layer_name: str, outputs: int | Iterable[str]) -> list[str]:
    if isinstance(outputs, int):
        if outputs < 0:
            raise GraphError(f"a layer cannot have {outputs} outputs")
        if outputs == 1 and not graph.has_blob(layer_name):
            return [layer_name]
        return graph._blob_names.fresh(layer_name, outputs)
    names = [outputs] if isinstance(outputs, str) else list(outputs)
    check_blob_names(graph, names)
    return names


def _anchor(graph: Graph, before: Layer | None, after: Layer | None) -> Layer | None:
    """The layer behind which a new one goes, or None for the first place."""
    if before is not None and after is not None:
        raise GraphError("a layer stands before one or after one, not both")
    for layer in (before, after):
        if layer is not None:
            graph._check_layer(layer)
    if before is not None:
        return before.previous
    return after if after is not None else next(reversed(graph.layers), None)


def _check_above(graph: Graph, blob: Blob, anchor: Layer | None) -> None:
    """Raises GraphError unless the blob is there for a layer that stands right behind the anchor."""
    producer = blob.source.producer
    if producer is None or producer is anchor:
        return
    if anchor is None or not graph.layers.before(producer, anchor):
        hint = "move that layer up, or this one down"
        raise GraphError(f"'{blob.name}' is written further down, by layer '{producer.name}'", hint=hint)


def _check_index(layer: Layer, index: int) -> None:
    if not 0 <= index < len(layer.inputs):
        raise GraphError(f"layer '{layer.name}' has {len(layer.inputs)} inputs, none of number {index}")


def _place(graph: Graph, layer: Layer, anchor: Layer | None, outputs: list[str]) -> None:
    """Puts a new layer into the graph, with its outputs and no inputs."""
    graph.layers.insert_after(anchor, layer)
    graph._layer_names.add(layer.name, layer)
    layer._outputs = tuple(Blob(graph, name, layer) for name in outputs)
    for blob in layer._outputs:
        graph._blob_names.add(blob.name, blob)


def _rewire(graph: Graph, layer: Layer, index: int, blob: Blob) -> None:
    new = free_blob(graph, blob, layer)
    old = detach(layer, index)
    attach(layer, index, new)
    tidy(graph, old)
    drop_lone(graph, new.producer)
    settle(graph, layer)


def _take_out(graph: Graph, layer: Layer) -> None:
    """Removes a layer whose outputs nobody reads."""
    for index in range(len(layer.inputs)):
        tidy(graph, detach(layer, index))
    for blob in layer.outputs:
        graph._forget_blob(blob)
    graph._forget_layer(layer)


def _bypass(graph: Graph, layer: Layer, keep: int) -> None:
    """Removes a layer of one output and lets its readers, or the network's output, have one input."""
    if len(layer.outputs) != 1:
        raise GraphError(f"layer '{layer.name}' has {len(layer.outputs)} outputs")
    (out,), source = layer.outputs, layer.inputs[keep]
    writer = source.producer
    if not out.uses and (writer is None or writer.type == INPUT):
        hint = "remove it with reconnect=False to drop the output"
        message = f"without layer '{layer.name}' the output '{out.name}' would be the input '{source.name}'"
        raise GraphError(message, hint=hint)
    if len(source.uses) > 1:  # a fault of the file; a Split makes a blob for each reader
        spread(graph, source)
        if layer.graph is None:
            return  # it was a Split above its input, and went when that was moved up
    source = detach(layer, keep)
    readers = out.consumers
    name = None if out.uses else out.name
    move_uses(out, source)
    graph._forget_blob(out)
    if name is not None:
        graph._set_blob_name(source, name)
    for index in range(len(layer.inputs)):
        if index != keep:
            tidy(graph, detach(layer, index))
    graph._forget_layer(layer)
    for reader in readers:
        settle(graph, reader)


def _put(graph: Graph, layer: Layer, anchor: Layer | None) -> None:
    graph.layers.remove(layer)
    graph.layers.insert_after(anchor, layer)
