"""Reads a ``.bin`` as ncnn would, array by array, and notes where that stops making sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.errors import WeightsError
from ncnnparam.ops import WeightArray, registry
from ncnnparam.weights import Storage, Weight, array_at, wanted
from ncnnparam.weights.storage import TAG_SIZE

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

Wish = tuple["Layer", WeightArray]
"""An array that a layer wants."""


@dataclass(frozen=True)
class Odd:
    """An array that begins with a tag no tool of today writes.

    ncnn takes any such tag for a lookup table, so this is how a file that does not fit shows itself.

    Attributes:
        number: Number of the array.
        layer: The layer that wants it.
        array: What the layer wants.
        offset: Where it begins.
        tag: What stands there.
    """

    number: int
    layer: Layer
    array: WeightArray
    offset: int
    tag: int


@dataclass(frozen=True)
class Reading:
    """What ncnn would read of a ``.bin``.

    Attributes:
        data: The whole file.
        arrays: What was read, in order.
        left: What could not be read: the array before whose end the file ends, and all behind it.
        end: Where it stopped.
    """

    data: memoryview
    arrays: list[tuple[Layer, Weight]]
    left: list[Wish]
    end: int

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.data)

    @property
    def is_exact(self) -> bool:
        """Whether all was read and nothing is left over."""
        return not self.left and self.end == self.size

    def first_odd(self) -> Odd | None:
        """The first array with a strange tag, which may be the one that could not be read."""
        for number, (layer, weight) in enumerate(self.arrays):
            if weight.storage is Storage.TABLE:
                assert weight.offset is not None
                return Odd(number, layer, weight.array, weight.offset, self._tag(weight.offset))
        if self.left and self.left[0][1].kind == "tagged" and self.end + TAG_SIZE <= self.size:
            tag = self._tag(self.end)
            if Storage.from_tag(tag) is Storage.TABLE:
                return Odd(len(self.arrays), *self.left[0], self.end, tag)
        return None

    def _tag(self, offset: int) -> int:
        return int.from_bytes(self.data[offset : offset + TAG_SIZE], "little")

    def first_int8_in_float(self) -> int | None:
        """Number of the first array stored as int8 whose layer computes in float, or None."""
        found = (at for at, (layer, weight) in enumerate(self.arrays) if weight.storage is Storage.INT8)
        return next((at for at in found if not is_int8(self.arrays[at][0])), None)

    def usual_storage(self) -> Storage:
        """The storage of most tagged arrays, the one that is cut off included; float32 if there are none."""
        tagged = [weight.storage for _, weight in self.arrays if weight.array.kind == "tagged"]
        if self.left and self.left[0][1].kind == "tagged" and self.end + TAG_SIZE <= self.size:
            tagged.append(Storage.from_tag(self._tag(self.end)))
        return max(set(tagged), key=tagged.count) if tagged else Storage.FLOAT32


def wishes(graph: Iterable[Layer]) -> Iterator[Wish]:
    """All arrays that the layers want, in order.

    Raises:
        WeightsError: The params of a layer make no sense.
    """
    for layer in graph:
        for array in wanted(layer):
            yield layer, array


def read(wishes: list[Wish], data: memoryview, *, start: int = 0, sure: bool = False) -> Reading:
    """Reads arrays from an offset on, up to the end of the file.

    Args:
        wishes: The arrays.
        data: The whole file.
        start: Where the first one begins.
        sure: Stop at a strange tag too.
    """
    found: list[tuple[Layer, Weight]] = []
    end = start
    for layer, array in wishes:
        try:
            weight = array_at(end, layer, array, data)
        except WeightsError:
            break
        if sure and weight.storage is Storage.TABLE:
            break
        found.append((layer, weight))
        end += weight.nbytes
    return Reading(data, found, wishes[len(found) :], end)


def is_int8(layer: Layer) -> bool:
    """Whether a layer computes in int8; False for a type that nobody has declared."""
    layer_type = registry.get(layer.type)
    return layer_type is not None and layer_type.is_int8(dict(layer.params))
