"""Sums and products of two blobs that one layer with a constant can do."""

from __future__ import annotations

from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

from ncnnparam.ops import registry
from ncnnparam.passes.optimize.rewrites import ShapedRewrite, drop_unread, number, weights_missing
from ncnnparam.patterns import Match, parse_replacement, replace_match

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.patterns import Replacement

_SYMMETRIC = ("add", "mul", "max", "min", "logaddexp")


class FuseMemoryDataBinaryOp(ShapedRewrite):
    """Writes a constant of one number into the BinaryOp that reads it."""

    name = "fuse-memorydata-binaryop"
    pattern = """
        MemoryData data 0 1 >m  w=1 h=0|1 d=0|1 c=0|1
        BinaryOp   op   2 1 {x m} y  with_scalar=0
    """
    message = "{op} has the number of {data} itself"

    def check(self, match: Match) -> str | None:
        """Declines constants that are not there, or would give the outcome more axes."""
        data, op = match["data"], match["op"]
        reason = weights_missing([data])
        if reason is not None:
            return reason
        axes = len(data.weights["data"].shape)
        if axes > 1 and axes > (self.shapes.rank(match.blobs["x"]) or 1):
            return f"{data.name} has {axes} axes, and the other input of {op.name} may have fewer"
        if not isfinite(_number(data)):
            return f"the number of {data.name} is infinite or none"
        return None

    def rewrite(self, match: Match) -> None:
        """Leaves the constant to its other readers; an operation whose first operand it was is reversed."""
        data, op = match["data"], match["op"]
        if op.inputs[0].source is match.blobs["m"]:
            op["op_type"] = _reversed(op)
        op["with_scalar"], op["b"] = 1, _number(data)
        replace_match(match, self._one_input)
        drop_unread(data)

    @cached_property
    def _one_input(self) -> Replacement:
        text = """
            * data 0 1 m    **data
            * op   1 1 x y  **op
        """
        return parse_replacement(text, self.parsed, name=self.name)


class FuseBinaryOpEltwise(ShapedRewrite):
    """Makes one Eltwise of a sum whose summands are multiplied by constants."""

    name = "fuse-binaryop-eltwise"
    pattern = """
        BinaryOp scaled 1 1 a l  op_type=mul with_scalar!=0
        BinaryOp other? 1 1 b r  op_type=mul with_scalar!=0
        BinaryOp sum    2 1 {l r} out  op_type=add with_scalar=0
    """
    replacement = """
        Eltwise  sum    2 1 a b out  op_type=sum
    """
    message = "{sum} is an Eltwise now, with the factor of {scaled}"

    def check(self, match: Match) -> str | None:
        """Declines summands of shapes that may differ, for Eltwise broadcasts nothing."""
        first, second = (match.blobs[name] for name in ("a", "b"))
        if self.shapes[first] == self.shapes[second]:
            return None
        return f"{first.name} and {second.name} may have different shapes, and Eltwise broadcasts nothing"

    def rewrite(self, match: Match) -> None:
        """States the factors."""
        scaled, other = match["scaled"], match.get("other")
        factors = number(scaled, "b"), number(other, "b") if other is not None else 1
        match.made["sum"]["coeffs"] = tuple(map(float, factors))


def _number(data: Layer) -> float:
    """The number of a constant that has one."""
    import numpy as np

    return float(data.weights["data"].numpy(np.float32).reshape(-1)[0])


def _reversed(op: Layer) -> int:
    """The operation that gives the same with its operands exchanged: ``rsub`` for ``sub``."""
    layer_type = registry.get(op.type)
    spec = layer_type.param("op_type") if layer_type is not None else None
    assert spec is not None
    word = spec.word(number(op, "op_type")) or ""
    ids = {word: number for number, word in spec.values.items()}
    turned = word if word in _SYMMETRIC else f"r{word}" if f"r{word}" in ids else word.removeprefix("r")
    return ids[turned]


PASSES = (FuseMemoryDataBinaryOp, FuseBinaryOpEltwise)
