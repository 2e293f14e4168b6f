"""Split layers: ncnn's way to let several layers read one blob.

In a sound graph every blob is read at most once. The functions here keep that true while readers come
and go. They expect that the caller has checked the edit, and do not fail.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from ncnnparam.graph.layer import INPUT, SPLIT, Blob, Layer, is_split

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph

SHAPE_HINTS = 30
"""The param in which any layer may state the shapes of its outputs."""


def free_blob(graph: Graph, blob: Blob, reader: Layer) -> Blob:
    """A blob with the value of ``blob`` that nobody reads yet, and that stands above ``reader``.

    That is the blob itself when it is free, else a new output of its Split, which is made if need be.
    """
    while blob._graph is None and blob._producer is not None:  # its Split went while another input was found
        blob = blob._producer._inputs[0]
    if blob._uses:
        split = spread(graph, blob)
        _hoist(graph, split, reader)
        return widen(graph, split)
    if is_split(blob._producer):
        _hoist(graph, blob._producer, reader)
    return blob


def spread(graph: Graph, blob: Blob) -> Layer:
    """Gives each reader of a blob an output of a Split: of the one that is there, or of a new one."""
    split = _split_of(blob) or _new_split(graph, blob)
    uses, blob._uses = blob._uses, []
    for layer, index in uses:
        if layer is split or (blob._producer is split and not blob._uses):
            blob._uses.append((layer, index))
        else:
            _hoist(graph, split, layer)
            attach(layer, index, widen(graph, split))
            settle(graph, layer)
    return split


def attach(layer: Layer, index: int, blob: Blob) -> None:
    """Makes a blob the input ``index`` of a layer; the blob that stood there is not told."""
    inputs = layer._inputs
    layer._inputs = (*inputs[:index], blob, *inputs[index + 1 :])
    blob._uses.append((layer, index))


def detach(layer: Layer, index: int) -> Blob:
    """Makes a blob forget that a layer reads it as input ``index``; returns the blob."""
    blob = layer._inputs[index]
    blob._uses = [use for use in blob._uses if use[0] is not layer or use[1] != index]
    return blob


def move_uses(old: Blob, new: Blob) -> None:
    """Lets all who read ``old``, be it a Split, read ``new`` instead."""
    uses, old._uses = old._uses, []
    for layer, index in uses:
        attach(layer, index, new)


def tidy(graph: Graph, blob: Blob, keep: Container[Blob] = ()) -> None:
    """Clears up after a blob has lost a reader.

    If nobody writes it either, it goes. If a Split wrote it, that is narrowed; a Split of one output goes,
    unless that is to be kept under its name.
    """
    split = blob._producer
    if blob._uses or blob._graph is None:
        return
    if split is None:
        graph._forget_blob(blob)
    elif is_split(split) and len(split._outputs) > 1:
        _set_outputs(split, tuple(out for out in split._outputs if out is not blob))
        graph._forget_blob(blob)
        if split._outputs[0] not in keep:
            settle(graph, split)


def settle(graph: Graph, split: Layer | None) -> None:
    """Lets a Split go that has one output or reads another Split; leaves any other layer alone."""
    if is_split(split) and split._graph is graph:
        if len(split._outputs) == 1:
            drop_lone(graph, split)
        else:
            _merge(graph, split)


def drop_lone(graph: Graph, split: Layer | None) -> None:
    """Removes a Split of one output, if no name of the network's inputs or outputs is lost by it."""
    if not is_split(split) or split._graph is not graph or len(split._outputs) != 1:
        return
    (source,), (out,) = split._inputs, split._outputs
    is_input = source._producer is None or source._producer.type == INPUT
    if not out._uses and (is_input or len(source._uses) > 1):
        return
    name = None if out._uses else out.name
    readers = [layer for layer, _ in out._uses]
    detach(split, 0)
    move_uses(out, source)
    graph._forget_blob(out)
    graph._forget_layer(split)
    if name is not None:
        graph._set_blob_name(source, name)
    for reader in readers:
        settle(graph, reader)


def _merge(graph: Graph, split: Layer) -> None:
    """Gives the outputs of a Split that reads another Split to that other one."""
    (source,) = split._inputs
    above = source._producer
    if not is_split(above) or len(source._uses) > 1:
        return
    for out in split._outputs:
        out._producer = above
    position = above._outputs.index(source)
    _set_outputs(above, (*above._outputs[:position], *split._outputs, *above._outputs[position + 1 :]))
    split._outputs = ()
    graph._forget_blob(source)
    graph._forget_layer(split)


def splits_above(blob: Blob) -> list[Layer]:
    """The Splits between a blob and the layer that computes it, the nearest first."""
    found = []
    while is_split(blob._producer):
        found.append(blob._producer)
        blob = blob._producer._inputs[0]
    return found


def splits_below(blob: Blob) -> Iterator[Layer]:
    """The Splits between a blob and the layers that work with it, each behind the one it reads."""
    pending = [blob]
    while pending:
        for layer, _ in pending.pop()._uses:
            if is_split(layer):
                yield layer
                pending += layer._outputs


def _split_of(blob: Blob) -> Layer | None:
    """The Split whose outputs carry the value of a blob: one that reads it, or the one that writes it."""
    for layer, _ in blob._uses:
        if is_split(layer):
            return layer
    return blob._producer if is_split(blob._producer) else None


def _new_split(graph: Graph, blob: Blob) -> Layer:
    """Puts a Split without outputs behind a blob that is read."""
    split = Layer(graph, SPLIT, graph.fresh_layer_name("splitncnn"), ())
    if blob._producer is not None:
        graph.layers.insert_after(blob._producer, split)
    else:
        first = min((layer for layer, _ in blob._uses), key=lambda layer: layer._link.label)
        graph.layers.insert_after(first.previous, split)
    graph._layer_names.add(split.name, split)
    attach(split, 0, blob)
    return split


def widen(graph: Graph, split: Layer) -> Blob:
    """Gives a Split one more output."""
    stem = f"{split._inputs[0].name}_splitncnn"
    blob = Blob(graph, graph.fresh_blob_name(stem), split)
    graph._blob_names.add(blob.name, blob)
    _set_outputs(split, (*split._outputs, blob))
    return blob


def _set_outputs(split: Layer, outputs: tuple[Blob, ...]) -> None:
    """Gives a Split other outputs. Its shape hint goes if their number changes: it has a shape for each."""
    if len(outputs) != len(split._outputs):
        split.params.pop(SHAPE_HINTS, None)
    split._outputs = outputs


def _hoist(graph: Graph, split: Layer, reader: Layer) -> None:
    """Moves a Split that stands below a reader, and those it reads, up to what they split."""
    layers = graph.layers
    below = [split, *splits_above(split._inputs[0])]
    for one in reversed([one for one in below if not layers.before(one, reader)]):
        producer = one._inputs[0]._producer
        layers.remove(one)
        layers.insert_after(producer if producer is not None else reader.previous, one)
