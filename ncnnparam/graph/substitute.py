"""Puts layers in the place of others, as one edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ncnnparam.graph.fanout import (
    attach,
    detach,
    drop_lone,
    free_blob,
    move_uses,
    settle,
    splits_below,
    spread,
    tidy,
    widen,
)
from ncnnparam.graph.layer import INPUT, Blob, Layer
from ncnnparam.graph.plan import Draft, NewBlob, Plan, Wire, carriers

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph

__all__ = ["Draft", "NewBlob", "Wire", "substitute"]


def substitute(
    graph: Graph, old: Sequence[Layer], drafts: Sequence[Draft], joined: Mapping[Blob, Wire] | None = None
) -> list[Layer]:
    """Puts layers in the place of others.

    Blobs that the new layers write again keep their names and their readers, and so does an output of the
    network. What nobody needs any more above the place, Input layers aside, goes too.

    Args:
        graph: The graph.
        old: The layers that go, no Splits.
        drafts: The layers that come, each below those it reads from.
        joined: Blobs that go, and what their readers read instead.

    Returns:
        The layers that came, in the order of ``drafts``.

    Raises:
        GraphError: A blob that goes is needed, a layer would have to stand above one it reads from, or an
            output of the network would be one of its inputs; the graph is as it was.
    """
    plan = Plan(graph, old, drafts, joined or {})
    plan.check()
    return _Edit(plan).carry_out()


class _Edit:
    """What a plan that was checked comes to; it cannot fail."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = plan.graph
        self.made: dict[int, Blob] = {}
        self.freed: dict[Blob, list[Blob]] = {}

    def carry_out(self) -> list[Layer]:
        """Changes the graph; returns the layers of the drafts."""
        graph, gone = self.graph, self.plan.gone()
        outputs = [blob for blob in self.plan.joined if not blob.uses]
        for layer in self.plan.old:
            for index in range(len(layer.inputs)):
                blob = detach(layer, index)
                self.freed.setdefault(blob.source, []).append(blob)
            layer._inputs = ()
        layers = self._place()
        for blob in gone:
            _forget(graph, blob)
        for layer in set(self.plan.old) - set(layers):
            graph._forget_layer(layer)
        for draft, layer in zip(self.plan.drafts, layers, strict=True):
            for index, wire in enumerate(draft.inputs):
                attach(layer, index, self._free(wire, layer))
        for blob in self.plan.joined:
            if blob not in outputs:
                self._join(blob)
        for blob in outputs:
            self._give_out(blob)
        for layer in layers:
            for blob in layer.inputs:
                drop_lone(graph, blob.producer)
        self._clear_up()
        return layers

    def _place(self) -> list[Layer]:
        """Puts the layers of the drafts where they go, with their outputs and without inputs."""
        below = self.plan.lowest.next
        written = [wire for draft in self.plan.drafts for wire in draft.outputs if isinstance(wire, Blob)]
        splits = [split for blob in written for split in splits_below(blob)]
        layers = []
        for draft in self.plan.drafts:
            layer = draft.kept
            if layer is None:
                layer = self._new_layer(draft)
            elif id(draft) not in self.plan.staying:
                self.graph.layers.remove(layer)
            layer._type, layer._params = draft.type, draft.params
            if id(draft) not in self.plan.staying:
                self._put_before(self.plan.roofs[id(draft)] or below, layer)
            layers.append(layer)
        for draft, layer in zip(self.plan.drafts, layers, strict=True):
            layer._outputs = tuple([self._output(wire, layer) for wire in draft.outputs])
        self._sink(splits)
        return layers

    def _sink(self, splits: list[Layer]) -> None:
        """Moves Splits down that stand above the layer they read from; they were found while they did not."""
        layers = self.graph.layers
        for split in splits:
            producer = split.inputs[0].producer
            if producer is not None and layers.before(split, producer):
                layers.remove(split)
                layers.insert_after(producer, split)

    def _new_layer(self, draft: Draft) -> Layer:
        graph = self.graph
        name = graph.fresh_layer_name(draft.name) if graph.has_layer(draft.name) else draft.name
        layer = Layer(graph, draft.type, name, draft.params)
        graph._layer_names.add(name, layer)
        return layer

    def _put_before(self, below: Layer | None, layer: Layer) -> None:
        layers = self.graph.layers
        layers.insert_after(below.previous if below is not None else next(reversed(layers), None), layer)

    def _output(self, wire: Wire, layer: Layer) -> Blob:
        if isinstance(wire, Blob):
            wire._producer = layer
            return wire
        graph = self.graph
        name = graph.fresh_blob_name(layer.name) if graph.has_blob(layer.name) else layer.name
        blob = self.made[id(wire)] = Blob(graph, name, layer)
        graph._blob_names.add(name, blob)
        return blob

    def _value(self, wire: Wire) -> Blob:
        """The blob that carries the value of a wire, seen through Splits."""
        return wire.source if isinstance(wire, Blob) else self.made[id(wire)]

    def _free(self, wire: Wire, reader: Layer) -> Blob:
        """A blob for a reader, if possible one that an old layer read."""
        source = self._value(wire)
        if self.freed.get(source):
            return free_blob(self.graph, self.freed[source].pop(0), reader)
        if not source.uses and source not in self.freed and id(wire) not in self.made:
            source = self._keep_output(source)
        return free_blob(self.graph, source, reader)

    def _keep_output(self, blob: Blob) -> Blob:
        """Lets a Split give out an output of the network by its name, so that it can be read inside too."""
        graph, name = self.graph, blob.name
        graph._set_blob_name(blob, graph.fresh_blob_name(name))
        graph._set_blob_name(widen(graph, spread(graph, blob)), name)
        return blob

    def _join(self, blob: Blob) -> None:
        """Lets the readers of a blob read what it is joined with."""
        readers = blob.consumers
        if readers:
            first = min(readers, key=lambda layer: layer._link.label)
            splits = list(splits_below(blob))
            move_uses(blob, self._free(self.plan.joined[blob], first))
            self._sink(splits)
        self.graph._forget_blob(blob)
        for reader in readers:
            settle(self.graph, reader)

    def _give_out(self, blob: Blob) -> None:
        """Lets what an output of the network is joined with have its name."""
        graph, source = self.graph, self._value(self.plan.joined[blob])
        carrier = self.freed[source].pop(0) if self.freed.get(source) else source
        if carrier.uses:
            carrier = widen(graph, spread(graph, source))
        graph._forget_blob(blob)
        graph._set_blob_name(carrier, blob.name)

    def _clear_up(self) -> None:
        """Takes out the blobs that old layers read and nobody reads now, and what only they needed."""
        graph, pending = self.graph, list(self.freed.items())
        while pending:
            source, loose = pending.pop()
            loose = [blob for blob in loose if blob.graph is graph and not blob.uses]
            if source.graph is not graph or not loose:
                continue
            ends = [carrier for carrier in carriers(source) if not carrier.uses]
            if source.readers or len(ends) > len(loose):
                for blob in loose:
                    tidy(graph, blob)
                continue
            _forget_splits(graph, source)
            producer = source.producer
            if producer is None:
                graph._forget_blob(source)
            elif producer.type != INPUT and all(not blob.uses for blob in producer.outputs):
                pending += _take_out(graph, producer)


def _forget_splits(graph: Graph, blob: Blob) -> None:
    for split in list(splits_below(blob)):
        for out in split.outputs:
            graph._forget_blob(out)
        graph._forget_layer(split)
    blob._uses = []


def _forget(graph: Graph, blob: Blob) -> None:
    """Takes out a blob that nobody reads, with its Splits."""
    _forget_splits(graph, blob)
    graph._forget_blob(blob)


def _take_out(graph: Graph, layer: Layer) -> list[tuple[Blob, list[Blob]]]:
    """Takes out a layer that nobody needs; returns what it read, by source."""
    loose = [(layer.inputs[index].source, [detach(layer, index)]) for index in range(len(layer.inputs))]
    for blob in layer.outputs:
        graph._forget_blob(blob)
    graph._forget_layer(layer)
    return loose
