"""Types that work along an axis, said with copies and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ncnnparam.passes.compat.build import CONSTANT
from ncnnparam.passes.compat.equivalent import built

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.graph.substitute import Wire
    from ncnnparam.passes.compat.build import Build
    from ncnnparam.passes.optimize.shapes import Shapes

MOST_COPIES = 256
"""Copies that a Concat may join in the place of a Tile."""
LONGEST_SUM = 1024
"""Numbers along the axis of a running sum; the matrix for it has the square of that."""


@built("Tile", "Concat")
def tile(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Copies joined by Concat, axis by axis from the last one."""
    rank = shapes.rank(layer.inputs[0])
    repeats = _repeats(layer, rank)
    if isinstance(repeats, str):
        return repeats
    found = build.input
    for axis in reversed(range(len(repeats))):
        if repeats[axis] > MOST_COPIES:
            return f"it makes {repeats[axis]} copies, more than {MOST_COPIES}"
        if repeats[axis] > 1:
            found = build.add("Concat", *[found] * repeats[axis], axis=axis - len(repeats))
    return found if found is not build.input else "it copies nothing"


def _repeats(layer: Layer, rank: int | None) -> tuple[int, ...] | str:
    """How often each of the last axes is repeated, or why that cannot be told."""
    if layer["repeats"]:
        repeats = cast("tuple[int, ...]", layer["repeats"])
        if rank is None or len(repeats) > rank:
            return f"{layer.inputs[0].name} may have fewer than {len(repeats)} axes"
        return repeats
    axis, tiles = cast("int", layer["axis"]), cast("int", layer["tiles"])
    if rank is None or not 0 <= axis < rank:
        return f"{layer.inputs[0].name} may not have an axis {axis}"
    return (tiles, *(1 for _ in range(rank - axis - 1)))


@built("CumulativeSum", CONSTANT, "MatMul")
def running_sum(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """A product with a matrix of ones on one side of its diagonal."""
    import numpy as np

    blob = layer.inputs[0]
    shape = shapes[blob]
    if not isinstance(shape, tuple) or len(shape) > 2:
        return f"{blob.name} may have more than 2 axes"
    axis = cast("int", layer["axis"]) % len(shape)
    size = shape[axis]
    if not isinstance(size, int):
        return f"the length of the axis {axis} of {blob.name} is not known"
    if size > LONGEST_SUM:
        return f"the axis {axis} of {blob.name} has {size} numbers, more than {LONGEST_SUM}"
    above = np.triu(np.ones((size, size), np.float32))
    if axis == len(shape) - 1:
        return build.add("MatMul", build.input, build.constant(above))
    return build.add("MatMul", build.constant(above.T), build.input)


EQUIVALENTS = (tile, running_sum)
