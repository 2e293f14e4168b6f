"""What a graph says about the shapes of its blobs, for passes that must not change what is broadcast to what.

A size that is not known is a ``Symbol``: the same symbol is the same size, whatever it is. Only what is sure
is told: where a rule is missing, a blob has an ``Unknown`` shape, which still equals the shape of all that is
computed from the blob number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.graph import INPUT, SPLIT
from ncnnparam.ops import registry
from ncnnparam.passes.optimize.shape_moves import MOVE_RULES, pieces
from ncnnparam.passes.optimize.shape_windows import WINDOW_RULES, recurrent
from ncnnparam.passes.optimize.sizes import Rule, Shape, Size, Symbol, Unknown, listed, same, unknown, wholes
from ncnnparam.views.shapes import SHAPE_HINTS, shape

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer

__all__ = ["Shape", "Shapes", "Size", "Symbol", "Unknown"]

_Several: TypeAlias = Callable[["Layer", Sequence[Shape]], Sequence[Shape]]


class Shapes:
    """The shapes of a graph's blobs, found once; they hold for blobs that edits leave in place.

    What somebody has said of a blob (``Blob.shape``) is believed, and what the file states.
    """

    def __init__(self, graph: Graph) -> None:
        self._found: dict[int, tuple[Blob, Shape]] = {}
        for layer in graph:
            inputs = [self[blob] for blob in layer.inputs]
            for blob, found in zip(layer.outputs, _outputs(layer, inputs), strict=True):
                self._found[id(blob)] = blob, found if blob.shape is None else blob.shape

    def __getitem__(self, blob: Blob) -> Shape:
        """The shape of a blob."""
        if id(blob) not in self._found:
            self._found[id(blob)] = blob, Unknown()
        return self._found[id(blob)][1]

    def rank(self, blob: Blob) -> int | None:
        """How many axes a blob has, or None."""
        found = self[blob]
        return None if isinstance(found, Unknown) else len(found)


def _outputs(layer: Layer, inputs: Sequence[Shape]) -> Sequence[Shape]:
    """The shapes that a layer's outputs have, by what it states or by the rule of its type."""
    if layer.type == SPLIT and inputs and isinstance(inputs[0], tuple):
        return [inputs[0]] * len(layer.outputs)
    if layer.type == INPUT or layer.params.find(SHAPE_HINTS) is not None:
        stated = [shape(blob) for blob in layer.outputs]
        if all(stated):
            return [sizes[::-1] for sizes in stated if sizes]
    layer_type = registry.get(layer.type)
    if layer_type is None or len(layer.inputs) not in layer_type.inputs:
        return [Unknown() for _ in layer.outputs]
    several = _OF_SEVERAL.get(layer.type)
    if several is not None:
        return several(layer, inputs)
    rule = _RULES.get(layer.type)
    if rule is None:
        elementwise = layer_type.inplace and not layer_type.custom
        rule = same if elementwise and len(layer.inputs) == len(layer.outputs) == 1 else unknown
    return [rule(layer, inputs) for _ in layer.outputs]


def _broadcast(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """What BinaryOp makes of two shapes: ``BinaryOp::forward`` in ncnn's ``binaryop.cpp``."""
    if len(inputs) == 1 or inputs[0] == inputs[1]:
        return inputs[0]
    one, other = inputs[:2]
    if (1,) in (one, other):
        return other if one == (1,) else one
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return Unknown()
    few, many = sorted((one, other), key=len)
    if len(few) == 1 < len(many):
        if few[0] == many[0]:
            return many
        known = isinstance(few[0], int) and isinstance(many[0], int)
        return *many[:-1], _larger(many[-1], few[0]) if known else Symbol()
    few = few + (1,) * (len(many) - len(few))
    return tuple(_larger(*sizes) for sizes in zip(few, many, strict=True))


def _larger(one: Size, other: Size) -> Size:
    if one == other or other == 1:
        return one
    if one == 1:
        return other
    return max(one, other) if isinstance(one, int) and isinstance(other, int) else Symbol()


def _constant(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    return tuple(size for size in wholes(layer, "c", "d", "h", "w") if size) or (1,)


def _reduced(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found, axes = inputs[0], listed(layer, "axes")
    if isinstance(found, Unknown) or not isinstance(layer["axes"], tuple):
        return Unknown()
    gone = {axis % len(found) for axis in axes if -len(found) <= axis < len(found)}
    if layer["reduce_all"]:
        gone = set(range(len(found)))
    if layer["keepdims"]:
        return tuple(1 if axis in gone else size for axis, size in enumerate(found))
    return tuple(size for axis, size in enumerate(found) if axis not in gone) or (1,)


def _as_read(layer: Layer, inputs: Sequence[Shape]) -> Sequence[Shape]:
    """Each output is as large as the input of its number."""
    return inputs


_RULES: Mapping[str, Rule] = {
    SPLIT: same,
    "BinaryOp": _broadcast,
    "Eltwise": same,
    "MemoryData": _constant,
    "Reduction": _reduced,
    **WINDOW_RULES,
    **MOVE_RULES,
}
_OF_SEVERAL: Mapping[str, _Several] = {
    "Slice": pieces,
    "PoolingModuleNoProj": _as_read,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), recurrent),
}
"""Rules of types whose outputs have shapes of their own."""
