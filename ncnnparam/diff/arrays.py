"""What a comparison of weights consists of: one small record per array, and where the bytes went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ncnnparam.diff.measure import Distance
from ncnnparam.diff.records import Diff, LayerRef
from ncnnparam.diff.size import Size, Stored


@dataclass(frozen=True, slots=True)
class ArrayDiff:
    """An array of a layer in the one file and in the other.

    Attributes:
        name: Its name in ncnn's source.
        old: In the first file, or None.
        new: In the second file, or None.
        same: The bytes are the same, and so are the scales that go with them.
        distance: How far the numbers are apart; None for the same, for an array that only one file has, and
            for what ``note`` says.
        note: Why the numbers were not compared, or how they were; else empty.
    """

    name: str
    old: Stored | None
    new: Stored | None
    same: bool = False
    distance: Distance | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields in types that ``json.dumps`` takes."""
        return {
            "name": self.name,
            "old": self.old and self.old.to_json(),
            "new": self.new and self.new.to_json(),
            "same": self.same,
            "distance": self.distance and self.distance.to_json(),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class LayerArrays:
    """The arrays of a layer; ``before`` or ``after`` is None for a layer that only one graph has.

    Attributes:
        before: The layer in the first graph.
        after: The layer in the second graph.
        old: What it computes with in the first graph, as in ``LayerQuantized``; empty where it is not there.
        new: What it computes with in the second graph.
        is_quantized: In the second graph it does not compute with floats.
        arrays: Its arrays, those that only the first file has last.
    """

    before: LayerRef | None
    after: LayerRef | None
    old: str
    new: str
    is_quantized: bool
    arrays: tuple[ArrayDiff, ...]

    @property
    def layer(self) -> LayerRef:
        """The layer in the second graph if it is there, else in the first."""
        layer = self.after or self.before
        assert layer is not None
        return layer

    @property
    def old_bytes(self) -> int:
        """Bytes in the first file."""
        return sum(array.old.nbytes for array in self.arrays if array.old)

    @property
    def new_bytes(self) -> int:
        """Bytes in the second file."""
        return sum(array.new.nbytes for array in self.arrays if array.new)

    @property
    def worst(self) -> float | None:
        """The lowest SQNR of its arrays in dB, or None if none was measured."""
        return min((array.distance.sqnr for array in self.arrays if array.distance), default=None)


@dataclass(frozen=True, slots=True)
class WeightDiff:
    """All differences between two models with their weights; falsy when there are none.

    Attributes:
        graph: The differences of the graphs. What quantising does to params is one ``LayerQuantized`` each.
        rounded: How many params differ only beyond the 7 digits that ncnn's tools print, and are not in
            ``graph``.
        layers: The layers that have arrays, in the order of the second graph.
        old: Where the bytes of the first file are.
        new: Where the bytes of the second file are.
    """

    graph: Diff
    rounded: int
    layers: tuple[LayerArrays, ...]
    old: Size
    new: Size

    def __bool__(self) -> bool:
        return bool(self.graph) or bool(self.rounded) or any(True for _ in self.changed())

    def changed(self) -> Iterator[tuple[LayerArrays, ArrayDiff]]:
        """The arrays that are not the same, with their layers."""
        return ((layer, array) for layer in self.layers for array in layer.arrays if not array.same)

    def to_json(self) -> dict[str, Any]:
        """The diff in types that ``json.dumps`` takes."""
        layers = [
            {
                "before": layer.before and asdict(layer.before),
                "after": layer.after and asdict(layer.after),
                "old": layer.old,
                "new": layer.new,
                "is_quantized": layer.is_quantized,
                "arrays": [array.to_json() for array in layer.arrays],
            }
            for layer in self.layers
        ]
        return {
            **self.graph.to_json(),
            "same": not self,
            "rounded": self.rounded,
            "weights": {"old": self.old.to_json(), "new": self.new.to_json(), "layers": layers},
        }
