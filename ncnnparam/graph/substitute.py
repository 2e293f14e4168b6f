"""Puts layers in the place of others, as one edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.errors import GraphError
from ncnnparam.graph.edit import check_word
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
from ncnnparam.graph.layer import INPUT, Blob, Layer, is_split
from ncnnparam.syntax import Param

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph


class NewBlob:
    """A blob that is to be made; one of the layers that come writes it."""

    __slots__ = ()


Wire: TypeAlias = Blob | NewBlob


@dataclass(frozen=True)
class Draft:
    """A layer that comes.

    Attributes:
        type: Its type.
        name: Its name; of a new layer, if it is taken, the stem of its name.
        params: Its params.
        inputs: What it reads: blobs from outside, or what drafts above it write.
        outputs: What it writes: blobs of layers that go, or new ones.
        kept: The layer that goes on as this one, with its place, if that may be, and its weights.
    """

    type: str
    name: str
    params: tuple[Param, ...]
    inputs: tuple[Wire, ...]
    outputs: tuple[Wire, ...]
    kept: Layer | None = None


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
    plan = _Plan(graph, old, drafts, joined or {})
    plan.check()
    return plan.carry_out()


class _Plan:
    """One substitution: ``check`` raises or not and changes nothing, ``carry_out`` cannot fail."""

    def __init__(
        self, graph: Graph, old: Sequence[Layer], drafts: Sequence[Draft], joined: Mapping[Blob, Wire]
    ) -> None:
        self.graph = graph
        self.old = old
        self.drafts = drafts
        self.joined = joined
        self.lowest = max(old, key=lambda layer: layer._link.label)
        self.inside = {id(layer) for layer in old}
        self.writers = {id(wire): draft for draft in drafts for wire in draft.outputs}
        self.roofs = self._roofs()
        self.staying = self._staying()
        self.made: dict[int, Blob] = {}
        self.freed: dict[Blob, list[Blob]] = {}

    # ---- checks -------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises GraphError if the edit cannot be done."""
        for layer in self.old:
            self.graph._check_layer(layer)
            self._check_order(layer)
        for draft in self.drafts:
            check_word(draft.type, "type")
            check_word(draft.name, "layer name")
            self._check_place(draft)
        for blob in self._gone():
            self._check_unused(blob)
        for blob, wire in self.joined.items():
            self._check_join(blob, wire)

    def _check_order(self, layer: Layer) -> None:
        """Raises GraphError if an old layer stands above what it reads, or below what reads it."""
        pairs = [(blob.source.producer, layer) for blob in layer.inputs]
        pairs += [(layer, use.layer) for blob in layer.outputs for use in blob.readers]
        for producer, reader in pairs:
            if producer is not None and not self.graph.layers.before(producer, reader):
                message = (
                    f"layer '{reader.name}' reads what '{producer.name}' writes, and does not stand below it"
                )
                raise GraphError(message, hint="put the layers in order first: ncnnparam check --fix")

    def _gone(self) -> list[Blob]:
        """The blobs that nobody writes any more and that are not joined with others."""
        return [
            blob
            for layer in self.old
            for blob in layer.outputs
            if id(blob) not in self.writers and blob not in self.joined
        ]

    def _check_unused(self, blob: Blob) -> None:
        for carrier in _carriers(blob):
            if not carrier.uses:
                raise GraphError(f"blob '{carrier.name}' is an output of the network and would go")
        for use in blob.readers:
            if id(use.layer) not in self.inside:
                raise GraphError(f"blob '{blob.name}' would go, and layer '{use.layer.name}' reads it")

    def _check_join(self, blob: Blob, wire: Wire) -> None:
        if not blob.uses:
            self._check_output(blob, wire)
        if isinstance(wire, Blob) and id(wire) not in self.writers:
            producer = wire.source.producer
            for use in blob.readers:
                if producer is not None and not self.graph.layers.before(producer, use.layer):
                    message = f"layer '{use.layer.name}' stands above '{wire.name}', which it would read"
                    raise GraphError(message)

    def _check_output(self, blob: Blob, wire: Wire) -> None:
        """Raises GraphError if an output of the network cannot be the blob it is joined with."""
        if isinstance(wire, Blob) and not any(is_split(layer) for layer in wire.source.consumers):
            producer = wire.source.producer
            if producer is None or producer.type == INPUT:
                message = f"the output '{blob.name}' of the network would be its input '{wire.source.name}'"
                raise GraphError(message)
        outputs = [other for other, its in self.joined.items() if its is wire and not other.uses]
        if isinstance(wire, Blob) and not wire.uses:
            outputs.append(wire)
        if len(outputs) > 1:
            names = " and ".join(f"'{other.name}'" for other in outputs)
            raise GraphError(f"the outputs {names} of the network would be one blob")

    def _check_place(self, draft: Draft) -> None:
        """Raises GraphError if something that a draft reads stands below its place."""
        roof = self.roofs[id(draft)]
        for wire in draft.inputs:
            writer = self._writer(wire)
            if writer is not None:
                layer = writer.kept if id(writer) in self.staying else None
            else:
                assert isinstance(wire, Blob)
                layer = wire.source.producer
                if id(layer) in self.inside:
                    raise GraphError(f"'{draft.name}' would read '{wire.name}', which would go")
            if layer is None or (roof is None and layer is self.lowest):
                continue
            if not self.graph.layers.before(layer, roof or self.lowest):
                what = f"it reads what '{layer.name}' writes, which stands below"
                raise GraphError(f"there is no place for '{draft.name}': {what}")

    def _writer(self, wire: Wire) -> Draft | None:
        """The draft that writes a blob, seen through Splits; None for a blob from outside."""
        own = self.writers.get(id(wire))
        return self.writers.get(id(wire.source)) if own is None and isinstance(wire, Blob) else own

    # ---- where layers go --------------------------------------------------------------------------------

    def _roofs(self) -> dict[int, Layer | None]:
        """For each draft the layer it must stand above, or None if the place of the last old one will do."""
        before = self.graph.layers.before
        roofs: dict[int, Layer | None] = {}
        for draft in reversed(self.drafts):
            wires = {id(wire) for wire in draft.outputs}
            blobs = [wire for wire in draft.outputs if isinstance(wire, Blob)]
            blobs += [blob for blob, wire in self.joined.items() if id(wire) in wires]
            readers = [use.layer for blob in blobs for use in blob.readers]
            below = [layer for layer in readers if id(layer) not in self.inside]
            for other in self.drafts:
                roof = roofs.get(id(other))
                if roof is not None and any(id(wire) in wires for wire in other.inputs):
                    below.append(roof)
            first = min(below, key=lambda layer: layer._link.label, default=None)
            roofs[id(draft)] = first if first is not None and before(first, self.lowest) else None
        return roofs

    def _staying(self) -> set[int]:
        """The drafts whose kept layers can stay where they are, for all they read is written above."""
        staying: set[int] = set()
        for draft in self.drafts:
            kept, roof = draft.kept, self.roofs[id(draft)]
            if kept is None or (roof is not None and not self.graph.layers.before(kept, roof)):
                continue
            if all(self._is_above(wire, kept, staying) for wire in draft.inputs):
                staying.add(id(draft))
        return staying

    def _is_above(self, wire: Wire, layer: Layer, staying: set[int]) -> bool:
        """Whether what a kept layer reads is written above its place."""
        writer = self._writer(wire)
        if writer is not None:
            producer = writer.kept if id(writer) in staying else None
            return producer is not None and self.graph.layers.before(producer, layer)
        assert isinstance(wire, Blob)
        producer = wire.source.producer
        return producer is None or self.graph.layers.before(producer, layer)

    # ---- the edit -----------------------------------------------------------------------------------------

    def carry_out(self) -> list[Layer]:
        """Changes the graph; returns the layers of the drafts."""
        graph, gone = self.graph, self._gone()
        outputs = [blob for blob in self.joined if not blob.uses]
        for layer in self.old:
            for index in range(len(layer.inputs)):
                blob = detach(layer, index)
                self.freed.setdefault(blob.source, []).append(blob)
            layer._inputs = ()
        layers = self._place()
        for blob in gone:
            _forget(graph, blob)
        for layer in set(self.old) - set(layers):
            graph._forget_layer(layer)
        for draft, layer in zip(self.drafts, layers, strict=True):
            for index, wire in enumerate(draft.inputs):
                attach(layer, index, self._free(wire, layer))
        for blob in self.joined:
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
        below = self.lowest.next
        written = [wire for draft in self.drafts for wire in draft.outputs if isinstance(wire, Blob)]
        splits = [split for blob in written for split in splits_below(blob)]
        layers = []
        for draft in self.drafts:
            layer = draft.kept
            if layer is None:
                layer = self._new_layer(draft)
            elif id(draft) not in self.staying:
                self.graph.layers.remove(layer)
            layer._type, layer._params = draft.type, draft.params
            if id(draft) not in self.staying:
                self._put_before(self.roofs[id(draft)] or below, layer)
            layers.append(layer)
        for draft, layer in zip(self.drafts, layers, strict=True):
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
            move_uses(blob, self._free(self.joined[blob], first))
            self._sink(splits)
        self.graph._forget_blob(blob)
        for reader in readers:
            settle(self.graph, reader)

    def _give_out(self, blob: Blob) -> None:
        """Lets what an output of the network is joined with have its name."""
        graph, source = self.graph, self._value(self.joined[blob])
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
            ends = [carrier for carrier in _carriers(source) if not carrier.uses]
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


def _carriers(blob: Blob) -> list[Blob]:
    """A blob and those that Splits make of it."""
    return [blob, *(out for split in splits_below(blob) for out in split.outputs)]


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
