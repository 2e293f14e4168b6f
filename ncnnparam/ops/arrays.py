"""The weight arrays of a layer type, declared by formulas, and of a layer, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

from ncnnparam.errors import OpsError

Kind: TypeAlias = Literal["tagged", "raw", "bytes"]
KINDS: tuple[Kind, ...] = ("tagged", "raw", "bytes")

MOST_ELEMENTS = 2**31 - 1
"""ncnn counts elements in a 32-bit int."""


@dataclass(frozen=True, slots=True)
class WeightArray:
    """An array of numbers that a layer reads from the ``.bin`` file.

    Attributes:
        name: The member's name in the C++ source, ``weight_data`` for example.
        kind: ``tagged``: a tag of 4 bytes says how the elements are stored. ``raw``: float32, no tag.
            ``bytes``: packed low-bit numbers, one element is one byte, no tag.
        shape: Sizes as numpy orders them, the innermost last; their product is ``count``.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of elements, at least 1."""
        return prod(self.shape)

    @property
    def size(self) -> int | None:
        """Bytes in the file with padding; None for a tagged array, whose tag decides."""
        if self.kind == "tagged":
            return None
        return 4 * self.count if self.kind == "raw" else -(-self.count // 4) * 4


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """A weight array as a layer type declares it.

    Attributes:
        name: See ``WeightArray``; several specs may share a name if their conditions exclude one another.
        kind: See ``WeightArray``.
        shape: A formula for each size.
        count: A formula for the number of elements where ncnn does not take the product of the sizes.
        when: The condition for the array to be there, a formula; empty for always.
    """

    name: str
    kind: Kind
    shape: tuple[str, ...]
    count: str = ""
    when: str = ""

    @property
    def formulas(self) -> tuple[str, ...]:
        """All formulas of this array."""
        return tuple(text for text in (*self.shape, self.count, self.when) if text)

    def array(self, evaluate: Callable[[str], int], tell: Callable[[str], str]) -> WeightArray | None:
        """The array of a layer, or None if the layer has none.

        Where the sizes contradict the count, the array is flat.

        Args:
            evaluate: Computes a formula for the params of the layer.
            tell: Gives the values of the params in a formula as text.

        Raises:
            OpsError: The array is empty, of negative size or larger than ncnn can count.
        """
        if self.when and not evaluate(self.when):
            return None
        if self.count:
            count = evaluate(self.count)
            self._require(0 < count <= MOST_ELEMENTS, f"{count} elements", self.count, tell)
            return WeightArray(self.name, self.kind, self._fitting_shape(count, evaluate))
        shape = tuple(self._size(size, evaluate, tell) for size in self.shape)
        fits = all(size > 0 for size in shape) and prod(shape) <= MOST_ELEMENTS
        self._require(fits, " x ".join(map(str, shape)) + " elements", " * ".join(self.shape), tell)
        return WeightArray(self.name, self.kind, shape)

    def _size(self, text: str, evaluate: Callable[[str], int], tell: Callable[[str], str]) -> int:
        try:
            return evaluate(text)
        except OpsError as error:
            raise OpsError(f"{self.name} has no size: {error.message}: {tell(text)}") from None

    def _fitting_shape(self, count: int, evaluate: Callable[[str], int]) -> tuple[int, ...]:
        try:
            shape = tuple(evaluate(size) for size in self.shape)
        except OpsError:  # a size divides by zero; the count stands all the same
            return (count,)
        return shape if prod(shape) == count and min(shape) > 0 else (count,)

    def _require(self, sound: bool, size: str, source: str, tell: Callable[[str], str]) -> None:
        if not sound:
            raise OpsError(f"{self.name} would have {size}: {tell(source)}")
