"""Layers that change a shape for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ncnnparam.passes.optimize.groups import RewriteGroup
from ncnnparam.passes.optimize.rewrites import ShapedRewrite
from ncnnparam.patterns import Match, Rewrite

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

_PLAIN = 'shape_expr="" input_batch_axis=233 output_batch_axis=233'
"""A Reshape whose sizes are numbers and that leaves the batch alone."""
_UNSTATED = -233


class EliminateFlatten(ShapedRewrite):
    """Takes out Flattens of what has one axis."""

    name = "eliminate-flatten"
    pattern = "Flatten flatten 1 1 x y"
    replacement = "y = x"
    message = "its input has one axis"

    def check(self, match: Match) -> str | None:
        """Declines an input that has more axes, or may have."""
        blob = match.blobs["x"]
        return None if self.shapes.rank(blob) == 1 else f"{blob.name} may have more than one axis"


class _ReshapeToTheSame(ShapedRewrite):
    """A Reshape to the shape that is there."""

    name = "reshape-to-the-same"
    pattern = f"Reshape reshape 1 1 x y  {_PLAIN}"
    replacement = "y = x"
    message = "its input has that shape"

    def check(self, match: Match) -> str | None:
        """Declines an input of another shape, or of one that is not known."""
        blob, sizes = match.blobs["x"], sizes_of(match["reshape"])
        found = self.shapes[blob]
        if isinstance(found, tuple) and len(found) == len(sizes):
            # 0 is the size that was there; of all but one sizes the last one follows
            kept = [new == 0 or new == old for new, old in zip(sizes, found, strict=True)]
            if sum(kept) >= len(kept) - 1:
                return None
        return f"{blob.name} may have another shape"


class _ReshapeOfReshape(Rewrite):
    """A Reshape of what was reshaped before; the last one settles the shape."""

    name = "reshape-of-reshape"
    pattern = f"""
        Reshape first  1 1 x y  {_PLAIN}
        Reshape second 1 1 y z  {_PLAIN} w!=0 h!=0 c!=0 d!=0
    """
    replacement = "* second 1 1 x z  **second"
    message = "{second} gives the shape"


class EliminateReshape(RewriteGroup):
    """Takes out Reshapes to the shape that is there, and those that another Reshape follows."""

    name = "eliminate-reshape"

    @cached_property
    def rewrites(self) -> Sequence[Rewrite]:
        """The two kinds."""
        return _ReshapeOfReshape(), _ReshapeToTheSame()


class _BeforeBinaryOp(ShapedRewrite):
    """A vector that is reshaped to channels, to be combined with a picture: BinaryOp does so by itself."""

    message = "{op} takes a vector for channels"

    def check(self, match: Match) -> str | None:
        """Declines unless the vector is as long as the picture has channels."""
        reshape, (vector, picture) = match["reshape"], (match.blobs["x"], match.blobs["other"])
        found, length = self.shapes[picture], self.shapes[vector]
        if self.shapes.rank(vector) != 1:
            return f"{vector.name} may have more than one axis"
        if not isinstance(found, tuple) or len(found) not in (3, 4):
            return f"{picture.name} may have fewer than 3 axes"
        lengths = length if isinstance(length, tuple) else ()
        if found[0] != reshape["c"] and found[0] not in lengths:
            return f"{picture.name} may have another number of channels"
        return None


class _FirstOfBinaryOp(_BeforeBinaryOp):
    name = "reshape-of-first-operand"
    pattern = f"""
        Reshape  reshape 1 1 x y        {_PLAIN} w=1 h=1 c!={_UNSTATED} c!=0 d={_UNSTATED}
        BinaryOp op      2 1 y other z  with_scalar=0
    """
    replacement = "* op 2 1 x other z  **op"


class _SecondOfBinaryOp(_BeforeBinaryOp):
    name = "reshape-of-second-operand"
    pattern = f"""
        Reshape  reshape 1 1 x y        {_PLAIN} w=1 h=1 c!={_UNSTATED} c!=0 d={_UNSTATED}
        BinaryOp op      2 1 other y z  with_scalar=0
    """
    replacement = "* op 2 1 other x z  **op"


class EliminateReshapeBeforeBinaryOp(RewriteGroup):
    """Takes out Reshapes of a vector to channels where BinaryOp does the same by itself."""

    name = "eliminate-reshape-before-binaryop"

    @cached_property
    def rewrites(self) -> Sequence[Rewrite]:
        """For either operand."""
        return _FirstOfBinaryOp(), _SecondOfBinaryOp()


def sizes_of(reshape: Layer) -> tuple[int, ...]:
    """The sizes that a Reshape states, as numpy orders them."""
    # ncnn counts the axes up to the first that is not stated, in this order; with d there are four
    names = ("w", "h", "c")
    stated = [reshape[name] for name in names]
    count = next((place for place, size in enumerate(stated) if size == _UNSTATED), len(names))
    sizes = [size for size in stated[:count] if isinstance(size, int)]
    depth = reshape["d"]
    if count == len(names) and isinstance(depth, int) and depth != _UNSTATED:
        sizes.insert(2, depth)
    return tuple(reversed(sizes))


PASSES = (EliminateFlatten, EliminateReshape, EliminateReshapeBeforeBinaryOp)
