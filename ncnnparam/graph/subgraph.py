"""Copies of graphs: whole ones, parts, and one behind another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.graph import edit
from ncnnparam.graph.arrange import needed_layers
from ncnnparam.graph.fanout import attach, free_blob, tidy
from ncnnparam.graph.layer import INPUT, SPLIT, Blob, Layer

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph


def copy(graph: Graph) -> Graph:
    """``Graph.copy``."""
    new = _empty_like(graph)
    new._syntax = graph._syntax
    _Copier(new).copy_layers(list(graph))
    return new


def extract(graph: Graph, inputs: list[str], outputs: list[str]) -> Graph:
    """``Graph.extract``."""
    fed = [graph.blob(name) for name in inputs]
    wanted = [graph.blob(name) for name in outputs]
    if not wanted:
        raise GraphError("name at least one output to extract")
    needed = needed_layers(wanted, stop=fed)
    _check_cut(wanted, fed, needed)
    new = _empty_like(graph)
    copier = _Copier(new)
    for blob in fed:
        copier.feed(blob)
    copier.copy_layers([layer for layer in graph if id(layer) in needed])
    for blob in list(new.outputs):
        if blob.producer is not None and blob.producer.type == SPLIT and blob.name not in outputs:
            tidy(new, blob)
    for name in outputs:
        _expose(new, name)
    return new


def concat(graph: Graph, other: Graph, prefix: str, connect: dict[str, str]) -> None:
    """``Graph.concat``."""
    other = copy(other) if other is graph else other
    joined = {}
    for theirs, ours in connect.items():
        blob = other.blob(theirs)
        if blob not in other.inputs:
            raise GraphError(f"'{theirs}' is no input of the other graph")
        joined[id(blob)] = graph.blob(ours)
    layers = [
        layer
        for layer in other
        if not (layer.type == INPUT and layer.outputs and all(id(blob) in joined for blob in layer.outputs))
    ]
    for layer in layers:
        edit.check_layer_name(graph, prefix + layer.name)
    new_blobs = [prefix + blob.name for blob in other.blobs if id(blob) not in joined]
    edit.check_blob_names(graph, new_blobs)
    _Copier(graph, prefix, joined).copy_layers(layers)


class _Copier:
    """Copies layers into a graph; knows which new blob stands for which old one."""

    def __init__(self, graph: Graph, prefix: str = "", joined: dict[int, Blob] | None = None) -> None:
        self.graph = graph
        self.prefix = prefix
        self.joined = joined or {}
        self.blobs: dict[int, Blob] = {}
        self.fed: set[int] = set()

    def feed(self, blob: Blob) -> None:
        """Adds an Input layer for a blob: a copy of its own, or a new one."""
        producer = blob.producer
        if producer is not None and producer.type == INPUT and len(producer.outputs) == 1:
            self.copy_layers([producer])
            return
        name = blob.name if not self.graph.has_layer(blob.name) else self.graph.fresh_layer_name(blob.name)
        self.blobs[id(blob)] = self.graph.add(INPUT, name, outputs=[blob.name]).outputs[0]
        self.fed.add(id(blob))

    def copy_layers(self, layers: list[Layer]) -> None:
        """Copies layers, which stand in the order of their graph, to the end of the new one."""
        graph = self.graph
        for layer in layers:
            new = Layer(graph, layer.type, self.prefix + layer.name, layer.params.raw, layer.origin)
            graph.layers.append(new)
            graph._layer_names.add(new.name, new)
            for index, blob in enumerate(layer.inputs):
                attach(new, index, self._blob(blob, new))
            new._outputs = tuple(self._output(blob, new) for blob in layer.outputs)

    def _blob(self, blob: Blob, reader: Layer) -> Blob:
        if id(blob) in self.joined:
            return free_blob(self.graph, self.joined[id(blob)], reader)
        if id(blob) not in self.blobs:  # nobody writes it, or only further down
            self.blobs[id(blob)] = self._new_blob(blob, None)
        return self.blobs[id(blob)]

    def _output(self, blob: Blob, producer: Layer) -> Blob:
        if id(blob) in self.fed:  # another output of its layer is needed; this one comes from outside
            new = Blob(self.graph, self.graph.fresh_blob_name(blob.name), producer)
            self.graph._blob_names.add(new.name, new)
            return new
        new = self.blobs.get(id(blob)) or self._new_blob(blob, producer)
        new._producer = producer
        self.blobs[id(blob)] = new
        return new

    def _new_blob(self, blob: Blob, producer: Layer | None) -> Blob:
        new = Blob(self.graph, self.prefix + blob.name, producer)
        self.graph._blob_names.add(new.name, new)
        return new


def _empty_like(graph: Graph) -> Graph:
    new = type(graph)()
    new._newline = graph._newline
    return new


def _check_cut(wanted: list[Blob], fed: list[Blob], needed: dict[int, Layer]) -> None:
    """Raises GraphError unless the outputs need all of the inputs that are fed and no other."""
    read = {id(blob): blob for layer in needed.values() for blob in layer.inputs}
    fed_ids = {id(blob) for blob in fed}
    missing = [blob.name for layer in needed.values() if layer.type == INPUT for blob in layer.outputs]
    missing += [blob.name for blob in read.values() if blob.producer is None and id(blob) not in fed_ids]
    names = ", ".join(f"'{blob.name}'" for blob in wanted)
    if missing:
        need = ", ".join(f"'{name}'" for name in sorted(missing))
        hint = "name them as inputs, or cut further down"
        raise GraphError(f"{names} needs {need}, which is not among the inputs", hint=hint)
    idle = [f"'{blob.name}'" for blob in fed if id(blob) not in read and blob not in wanted]
    if idle:
        raise GraphError(f"{names} does not depend on {', '.join(idle)}", hint="leave that input out")


def _expose(graph: Graph, name: str) -> None:
    """Makes a wanted blob that is also read inside an output, by a Split that gives it out."""
    blob = graph.blob(name)
    if not blob.uses or blob in graph.inputs:
        return
    graph._set_blob_name(blob, graph.fresh_blob_name(name))
    split = next((layer for layer in blob.consumers if layer.type == SPLIT), None)
    reader = split if split is not None else blob.consumers[0]
    graph._set_blob_name(free_blob(graph, blob, reader), name)
