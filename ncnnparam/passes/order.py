"""``Permute``'s numbers and PyTorch's words for the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

Axes = tuple[int, ...]


def order_type(axes: Sequence[int]) -> int:
    """The order for ``tensor.permute(axes)``: ncnn counts the permutations as the dictionary would."""
    return list(permutations(range(len(axes)))).index(tuple(axes))


def permuted_axes(order: int, rank: int) -> Axes | None:
    """The axes of ``tensor.permute`` for an order of ncnn, or None if there is no such order."""
    known = list(permutations(range(rank)))
    return known[order] if 0 <= order < len(known) else None


def to_front(axis: int, rank: int) -> Axes:
    """The permutation that puts an axis first and leaves the others in order."""
    return (axis, *(other for other in range(rank) if other != axis))


def from_front(axis: int, rank: int) -> Axes:
    """The permutation that puts the first axis at a place and leaves the others in order."""
    rest = list(range(1, rank))
    return (*rest[:axis], 0, *rest[axis:])


def without(axes: Sequence[int], dropped: int) -> Axes:
    """The permutation that is left when an axis of size one goes."""
    return tuple(axis - (axis > dropped) for axis in axes if axis != dropped)
