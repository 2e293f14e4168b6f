"""A graph as the diff looks at it: layers by number, wiring seen through Splits, names aside.

``Split`` layers only carry blobs to several readers, so they are kept apart; what a layer reads is the
number of the layer behind them and the index of its output.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import cached_property
from itertools import count
from typing import TypeAlias

from ncnnparam.diff.meaning import Meaning, meaning_of
from ncnnparam.diff.records import LayerRef, Source
from ncnnparam.graph import INPUT, Blob, Graph, Layer
from ncnnparam.graph.layer import is_split

Wire: TypeAlias = tuple[int, int | str]
"""Number of a layer and index of its output, or -1 and the name of a blob that no layer writes."""

Level: TypeAlias = tuple[str, ...]
"""Names of columns of a ``View``: what two layers must agree in to be matched."""


class Shared:
    """What two views have in common, so that they can be compared number by number.

    Attributes:
        number: A small number for each thing, the same for equal things.
    """

    def __init__(self) -> None:
        self.number: defaultdict[Hashable, int] = defaultdict(count().__next__)
        self._meanings: dict[Hashable, Meaning] = {}

    def meaning(self, layer: Layer) -> Meaning:
        """The meaning of a layer's params; lines repeat, so it is kept by type and text."""
        key = (layer.type, *[param.text for param in layer.params.raw])
        found = self._meanings.get(key)
        if found is None:
            found = self._meanings[key] = meaning_of(layer)
        return found


class View:
    """One of the two graphs.

    Attributes:
        layers: All layers but the Splits.
        splits: The Splits with the wire each one fans out.
        inputs: For each layer, what its inputs read.
        meanings: For each layer, what its params say.
        outputs: For each output of the network, its blob name and the wire it is.
    """

    def __init__(self, graph: Graph, shared: Shared) -> None:
        self._number = shared.number
        self._columns: dict[Level, list[tuple[Hashable, ...]]] = {}
        self.layers: list[Layer] = []
        splits: list[Layer] = []
        for layer in graph:
            (splits if is_split(layer) else self.layers).append(layer)
        self._wires: dict[Blob, Wire] = {
            blob: (number, index)
            for number, layer in enumerate(self.layers)
            for index, blob in enumerate(layer.outputs)
        }
        self.inputs = [tuple([self._wire(blob) for blob in layer.inputs]) for layer in self.layers]
        self.splits = [(layer, self._wire(layer.inputs[0])) for layer in splits]
        self.meanings = [shared.meaning(layer) for layer in self.layers]
        self.outputs = [(blob.name, self._wire(blob)) for blob in graph.outputs]

    def __len__(self) -> int:
        return len(self.layers)

    def ref(self, number: int) -> LayerRef:
        """A layer for a record."""
        return layer_ref(self.layers[number])

    def source(self, wire: Wire) -> Source:
        """A wire for a record."""
        number, index = wire
        if isinstance(index, str):
            return Source(None, 0, index)
        layer = self.layers[number]
        return Source(layer.name, index, layer.outputs[index].name)

    def tokens(self, level: Level, layers: Sequence[int]) -> list[Hashable]:
        """What some layers say in a level, equal for layers that agree in it."""
        if level not in self._columns:
            self._columns[level] = list(zip(*[getattr(self, column) for column in level], strict=True))
        column = self._columns[level]
        return [column[layer] for layer in layers]

    @cached_property
    def name(self) -> list[str]:
        """The names of the layers."""
        return [layer.name for layer in self.layers]

    @cached_property
    def type(self) -> list[int]:
        """For each layer, a number for its type."""
        return [self._number[layer.type] for layer in self.layers]

    @cached_property
    def kind(self) -> list[int]:
        """For each layer, a number for its type and what its params say."""
        return [self._number[meaning.type, meaning.essence] for meaning in self.meanings]

    @cached_property
    def readers(self) -> list[list[tuple[int, int, int]]]:
        """For each layer, who reads it: index of the output, number of the reader, index of its input."""
        readers: list[list[tuple[int, int, int]]] = [[] for _ in self.layers]
        for number, wires in enumerate(self.inputs):
            for index, (producer, output) in enumerate(wires):
                if isinstance(output, int):
                    readers[producer].append((output, number, index))
        return readers

    @cached_property
    def up(self) -> list[int]:
        """For each layer, a number for its kind and all that leads to it."""
        return self._upward(self.kind)

    @cached_property
    def down(self) -> list[int]:
        """For each layer, a number for its kind and all that it leads to."""
        return self._downward(self.kind)

    @cached_property
    def up_type(self) -> list[int]:
        """Like ``up``, with types instead of kinds."""
        return self._upward(self.type)

    @cached_property
    def down_type(self) -> list[int]:
        """Like ``down``, with types instead of kinds."""
        return self._downward(self.type)

    def _upward(self, own: Sequence[int]) -> list[int]:
        found: list[int] = []
        for number, layer in enumerate(self.layers):
            # a wire from below (a broken file) counts as nothing, which keeps this one pass
            read = [(found[n] if n < number else None, i) if n >= 0 else i for n, i in self.inputs[number]]
            fed = [blob.name for blob in layer.outputs] if layer.type == INPUT else ()
            ancestry = ("up", own[number], *read, *fed)
            found.append(self._number[ancestry])
        return found

    def _downward(self, own: Sequence[int]) -> list[int]:
        names: dict[int, list[tuple[int | str, str]]] = {}
        for name, (number, index) in self.outputs:
            names.setdefault(number, []).append((index, name))
        found = [0] * len(self)
        for number in reversed(range(len(self))):
            read = sorted([(o, found[n] if n > number else -1, i) for o, n, i in self.readers[number]])
            descent = ("down", own[number], *read, *names.get(number, ()))
            found[number] = self._number[descent]
        return found

    def _wire(self, blob: Blob) -> Wire:
        if blob in self._wires:
            return self._wires[blob]
        source = blob.source
        return self._wires.get(source, (-1, source.name))


def layer_ref(layer: Layer) -> LayerRef:
    """A layer for a record."""
    return LayerRef(layer.type, layer.name, layer.line)
