"""Plans of substitutions: what comes in whose place, whether that can be done, and where layers go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.errors import GraphError
from ncnnparam.graph.edit import check_word
from ncnnparam.graph.fanout import splits_below
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


class Plan:
    """One substitution: what goes, what comes, and where to.

    Attributes:
        graph: The graph, which a plan leaves as it is.
        old: The layers that go.
        drafts: The layers that come.
        joined: Blobs that go, and what their readers read instead.
        lowest: The old layer that stands below the others.
        roofs: For each draft, by ``id``, the layer it must stand above, or None if the place of the last old
            one will do.
        staying: The drafts, by ``id``, whose kept layers can stay where they are.
    """

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

    def check(self) -> None:
        """Raises GraphError if the edit cannot be done."""
        for layer in self.old:
            self.graph._check_layer(layer)
            self._check_order(layer)
        for draft in self.drafts:
            check_word(draft.type, "type")
            check_word(draft.name, "layer name")
            self._check_place(draft)
        for blob in self.gone():
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

    def gone(self) -> list[Blob]:
        """The blobs that nobody writes any more and that are not joined with others."""
        return [
            blob
            for layer in self.old
            for blob in layer.outputs
            if id(blob) not in self.writers and blob not in self.joined
        ]

    def _check_unused(self, blob: Blob) -> None:
        for carrier in carriers(blob):
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


def carriers(blob: Blob) -> list[Blob]:
    """A blob and those that Splits make of it."""
    return [blob, *(out for split in splits_below(blob) for out in split.outputs)]
