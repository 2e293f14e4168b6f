"""Sizes of blobs that may not be known, and params as the rules about shapes read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.ops import registry

if TYPE_CHECKING:
    from ncnnparam.graph import Layer


class Symbol:
    """A size that nobody has told; the same symbol is the same size."""

    __slots__ = ()


class Unknown:
    """A shape of which not even the number of axes is known; the same object is the same shape."""

    __slots__ = ()


Size: TypeAlias = int | Symbol
Shape: TypeAlias = tuple[Size, ...] | Unknown
"""Sizes as numpy orders them, the width last."""
Rule: TypeAlias = Callable[["Layer", Sequence[Shape]], Shape]
"""What follows from a layer and the shapes of its inputs; for several outputs it is asked once for each."""


def same(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """The shape of the first input."""
    return inputs[0]


def unknown(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """A shape that nobody knows."""
    return Unknown()


def symbols(count: int) -> tuple[Symbol, ...]:
    """As many sizes that nobody knows."""
    return tuple(Symbol() for _ in range(count))


def place(axis: int, rank: int) -> int | None:
    """Which axis a number means, negative ones counted from the end, or None if there is no such axis."""
    counted = axis + rank if axis < 0 else axis
    return counted if 0 <= counted < rank else None


def whole(layer: Layer, name: str) -> int:
    """A param as ncnn reads it; 0 if it is no int."""
    return wholes(layer, name)[0]


def wholes(layer: Layer, *names: str) -> list[int]:
    """Several such params."""
    layer_type = registry.get(layer.type)
    assert layer_type is not None, "there are rules for known types only"
    stated = {param.id: param.value for param in layer.params.raw}
    values = [layer_type.read(name, stated) for name in names]
    return [value if isinstance(value, int) else 0 for value in values]


def listed(layer: Layer, name: str) -> tuple[int, ...]:
    """A param that is an array of ints; empty if it is none."""
    value = layer[name]
    items = value if isinstance(value, tuple) else ()
    return tuple(item for item in items if isinstance(item, int))
