"""Copies of graphs: whole ones, parts, and one behind another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from ncnnparam.collector import collector_paused
from ncnnparam.errors import GraphError
from ncnnparam.graph import edit
from ncnnparam.graph.arrange import needed_layers
from ncnnparam.graph.fanout import attach, drop_lone, settle, spread, tidy, widen
from ncnnparam.graph.layer import INPUT, Blob, Layer, is_split

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph


@collector_paused()
def copy(graph: Graph) -> Graph:
    """``Graph.copy``."""
    new = _empty_like(graph)
    new._syntax = graph._syntax
    _Copier(new).copy_layers(graph)
    return new


def extract(graph: Graph, inputs: Iterable[str], outputs: Iterable[str]) -> Graph:
    """``Graph.extract``."""
    fed = [graph.blob(name) for name in dict.fromkeys(inputs)]
    wanted = [graph.blob(name) for name in dict.fromkeys(outputs)]
    if not wanted:
        raise GraphError("name at least one output to extract")
    needed = needed_layers(wanted, stop=fed)
    _check_cut(wanted, fed, needed)
    cut = {id(blob) for blob in fed if not _has_own_input(blob)}
    needed |= {id(blob.producer): blob.producer for blob in fed if blob.producer and id(blob) not in cut}

    new = _empty_like(graph)
    copier = _Copier(new, outside=cut)
    copier.copy_layers(layer for layer in graph if id(layer) in needed)
    for blob in reversed(fed):
        _feed(new, copier.blob(blob))
    copier.name_spare_outputs()
    for blob in wanted:
        _expose(new, copier.blob(blob))
    names = {blob.name for blob in wanted}
    for blob in new.outputs:
        if is_split(blob.producer) and blob.name not in names:
            tidy(new, blob)
    return new


def concat(graph: Graph, other: Graph, prefix: str, connect: Mapping[str, str]) -> None:
    """``Graph.concat``."""
    other = copy(other) if other is graph else other
    joined = {}
    for theirs, ours in connect.items():
        blob = other.blob(theirs)
        if not _is_input(blob):
            raise GraphError(f"'{theirs}' is no input of the other graph")
        joined[id(blob)] = graph.blob(ours)
    layers = [
        layer
        for layer in other
        if not (layer.type == INPUT and layer.outputs and all(id(blob) in joined for blob in layer.outputs))
    ]
    _check_unique(layers)
    for layer in layers:
        edit.check_layer_name(graph, prefix + layer.name)
    edit.check_blob_names(graph, [prefix + blob.name for blob in other.blobs if id(blob) not in joined])

    copier = _Copier(graph, prefix, joined, outside=joined, keep_lines=False)
    copier.copy_layers(layers)
    copier.name_spare_outputs()
    for blob in {id(blob): blob for blob in joined.values()}.values():
        if len(blob.uses) > 1:
            spread(graph, blob)
        for reader in blob.consumers:
            settle(graph, reader)
        drop_lone(graph, blob.producer)


class _Copier:
    """Copies layers to the end of a graph.

    Args:
        graph: The graph that gets the copies.
        prefix: Put before the names.
        known: Which blob of the graph stands for which one of the originals, by the ``id`` of those.
        outside: Originals whose copies are not written by the copies of their layers, by ``id``.
        keep_lines: Whether a copy prints as the line that the original was read from.
    """

    def __init__(
        self,
        graph: Graph,
        prefix: str = "",
        known: Mapping[int, Blob] | None = None,
        *,
        outside: Collection[int] = (),
        keep_lines: bool = True,
    ) -> None:
        self.graph = graph
        self.prefix = prefix
        self.blobs = dict(known or {})
        self.outside = outside
        self.keep_lines = keep_lines
        self.spare: list[Blob] = []

    def copy_layers(self, layers: Iterable[Layer]) -> None:
        """Copies layers, which come in the order of their graph."""
        graph = self.graph
        for layer in layers:
            origin = layer.origin if self.keep_lines else None
            new = Layer(graph, layer.type, self.prefix + layer.name, layer.params.raw, origin)
            new._weights = layer._weights
            graph.layers.append(new)
            graph._layer_names.add(new.name, new)
            for index, blob in enumerate(layer.inputs):
                attach(new, index, self.blob(blob))
            new._outputs = tuple([self._output(blob, new) for blob in layer.outputs])

    def blob(self, blob: Blob) -> Blob:
        """The copy of a blob; one that nobody writes as long as its layer was not copied."""
        if id(blob) not in self.blobs:
            self.blobs[id(blob)] = self._new_blob(blob, None)
        return self.blobs[id(blob)]

    def name_spare_outputs(self) -> None:
        """Gives names to the outputs that had to be made because their blobs are written outside."""
        for blob in self.spare:
            self.graph._set_blob_name(blob, self.graph.fresh_blob_name(blob.name))

    def _output(self, blob: Blob, producer: Layer) -> Blob:
        if id(blob) in self.outside:
            self.spare.append(self._new_blob(blob, producer))
            return self.spare[-1]
        new = self.blob(blob)
        new._producer = producer
        return new

    def _new_blob(self, blob: Blob, producer: Layer | None) -> Blob:
        new = Blob(self.graph, self.prefix + blob.name, producer)
        new.shape = blob.shape
        self.graph._blob_names.add(new.name, new)
        return new


def _empty_like(graph: Graph) -> Graph:
    new = type(graph)()
    new._newline = graph._newline
    return new


def _is_input(blob: Blob) -> bool:
    return blob.producer is None or blob.producer.type == INPUT


def _has_own_input(blob: Blob) -> bool:
    """Whether a blob is the only one of an Input layer, which can then be copied as it is."""
    producer = blob.producer
    return producer is not None and producer.type == INPUT and len(producer.outputs) == 1


def _check_cut(wanted: list[Blob], fed: list[Blob], needed: dict[int, Layer]) -> None:
    """Raises GraphError unless the outputs need all of the inputs that are fed and no other."""
    read = {id(blob): blob for layer in needed.values() for blob in layer.inputs}
    read |= {id(blob): blob for blob in wanted}
    fed_ids = {id(blob) for blob in fed}
    missing = [blob.name for layer in needed.values() if layer.type == INPUT for blob in layer.outputs]
    missing += [blob.name for blob in read.values() if blob.producer is None and id(blob) not in fed_ids]
    names = ", ".join(f"'{blob.name}'" for blob in wanted)
    if missing:
        need = ", ".join(f"'{name}'" for name in sorted(missing))
        hint = "name them as inputs, or cut further down"
        raise GraphError(f"{names} needs {need}, which is not among the inputs", hint=hint)
    idle = [f"'{blob.name}'" for blob in fed if id(blob) not in read]
    if idle:
        raise GraphError(f"{names} does not depend on {', '.join(idle)}", hint="leave that input out")


def _check_unique(layers: list[Layer]) -> None:
    """Raises GraphError if two layers have one name."""
    name, times = Counter(layer.name for layer in layers).most_common(1)[0] if layers else ("", 0)
    if times > 1:
        raise GraphError(f"the other graph has {times} layers '{name}'", hint="rename them first")


def _feed(graph: Graph, blob: Blob) -> None:
    """Puts the Input layer of a blob first, and makes one if there is none."""
    layer = blob.producer
    if layer is None:
        name = blob.name if not graph.has_layer(blob.name) else graph.fresh_layer_name(blob.name)
        layer = graph.add(INPUT, name, outputs=())
        layer._outputs = (blob,)
        blob._producer = layer
    graph.layers.remove(layer)
    graph.layers.insert_after(None, layer)


def _expose(graph: Graph, blob: Blob) -> None:
    """Makes a wanted blob that is also read inside an output, by a Split that gives it out."""
    if not blob.uses or _is_input(blob):
        return
    name = blob.name
    graph._set_blob_name(blob, graph.fresh_blob_name(name))
    graph._set_blob_name(widen(graph, spread(graph, blob)), name)
