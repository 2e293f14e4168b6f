"""Split layers: ncnn's way to let several layers read one blob.

In a sound graph every blob is read at most once. The functions here keep that true while readers come
and go. They expect that the caller has checked the edit, and do not fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.graph.layer import INPUT, SPLIT, Blob, Layer

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph


def free_blob(graph: Graph, blob: Blob, reader: Layer) -> Blob:
    """A blob with the value of ``blob`` that nobody reads yet, and that stands above ``reader``.

    That is the blob itself when it is free, else a new output of its Split, which is made if need be.
    """
    if not blob._uses:
        if blob._producer is not None and blob._producer.type == SPLIT:
            _hoist(graph, blob._producer, reader)
        return blob
    split = _split_of(blob) or split_uses(graph, blob)
    _hoist(graph, split, reader)
    return _widen(graph, split)


def split_uses(graph: Graph, blob: Blob) -> Layer:
    """Puts a Split behind a blob and lets all who read the blob read the Split's outputs."""
    uses, blob._uses = blob._uses, []
    split = Layer(graph, SPLIT, graph.fresh_layer_name("splitncnn"), ())
    split._inputs = (blob,)
    blob._uses.append((split, 0))
    if blob._producer is not None:
        graph.layers.insert_after(blob._producer, split)
    else:
        first = min(uses, key=lambda use: use[0]._link.label)[0]
        graph.layers.insert_after(first.previous, split)
    graph._layer_names.add(split.name, split)
    for layer, index in uses:
        attach(layer, index, _widen(graph, split))
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


def tidy(graph: Graph, blob: Blob) -> None:
    """Narrows the Split that wrote a blob which has lost its reader; a Split of one output goes."""
    split = blob._producer
    if blob._uses or split is None or split.type != SPLIT or len(split._outputs) < 2:
        return
    split._outputs = tuple(out for out in split._outputs if out is not blob)
    graph._forget_blob(blob)
    if len(split._outputs) == 1:
        drop_single(graph, split)


def drop_single(graph: Graph, split: Layer) -> bool:
    """Removes a Split of one output, if no name of the network's inputs or outputs is lost by it."""
    (source,), (out,) = split._inputs, split._outputs
    if not out._uses and (source._producer is None or source._producer.type == INPUT):
        return False
    name = None if out._uses else out.name
    detach(split, 0)
    move_uses(out, source)
    graph._forget_blob(out)
    graph._forget_layer(split)
    if name is not None:
        graph._set_blob_name(source, name)
    elif source._producer is not None and source._producer.type == SPLIT:
        merge(graph, source._uses[0][0])
    return True


def merge(graph: Graph, split: Layer) -> None:
    """Gives the outputs of a Split that reads another Split to that other one."""
    if split.type != SPLIT:
        return
    (source,) = split._inputs
    above = source._producer
    if above is None or above.type != SPLIT:
        return
    for out in split._outputs:
        out._producer = above
    position = above._outputs.index(source)
    above._outputs = (*above._outputs[:position], *split._outputs, *above._outputs[position + 1 :])
    split._outputs = ()
    graph._forget_blob(source)
    graph._forget_layer(split)


def _split_of(blob: Blob) -> Layer | None:
    """The Split whose outputs carry the value of a blob: the one that reads it, or the one that writes it."""
    if len(blob._uses) == 1 and blob._uses[0][0].type == SPLIT:
        return blob._uses[0][0]
    producer = blob._producer
    if producer is not None and producer.type == SPLIT and len(blob._uses) <= 1:
        return producer
    return None


def _widen(graph: Graph, split: Layer) -> Blob:
    stem = f"{split._inputs[0].name}_splitncnn"
    blob = Blob(graph, graph.fresh_blob_name(stem), split)
    graph._blob_names.add(blob.name, blob)
    split._outputs = (*split._outputs, blob)
    return blob


def _hoist(graph: Graph, split: Layer, reader: Layer) -> None:
    """Moves a Split that stands below a reader up to the layer that writes what it splits."""
    if graph.layers.before(split, reader):
        return
    producer = split._inputs[0]._producer
    if producer is not None and producer.type == SPLIT:
        _hoist(graph, producer, reader)
    graph.layers.remove(split)
    graph.layers.insert_after(producer if producer is not None else reader.previous, split)
