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
from ncnnparam.views.shapes import SHAPE_HINTS, shape

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer


class Symbol:
    """A size that nobody has told."""

    __slots__ = ()


class Unknown:
    """A shape of which not even the number of axes is known."""

    __slots__ = ()


Size: TypeAlias = int | Symbol
Shape: TypeAlias = tuple[Size, ...] | Unknown
"""Sizes as numpy orders them, the width last."""
Rule: TypeAlias = Callable[["Layer", Sequence[Shape]], Shape]


class Shapes:
    """The shapes of a graph's blobs, found once; they hold for blobs that edits leave in place."""

    def __init__(self, graph: Graph) -> None:
        self._found: dict[int, tuple[Blob, Shape]] = {}
        for layer in graph:
            rule, inputs = _rule(layer), [self[blob] for blob in layer.inputs]
            told = layer.type == INPUT or layer.params.find(SHAPE_HINTS) is not None
            for blob in layer.outputs:
                sizes = shape(blob) if told else None
                self._found[id(blob)] = blob, sizes[::-1] if sizes else rule(layer, inputs)

    def __getitem__(self, blob: Blob) -> Shape:
        """The shape of a blob."""
        if id(blob) not in self._found:
            self._found[id(blob)] = blob, Unknown()
        return self._found[id(blob)][1]

    def rank(self, blob: Blob) -> int | None:
        """How many axes a blob has, or None."""
        found = self[blob]
        return None if isinstance(found, Unknown) else len(found)


def _rule(layer: Layer) -> Rule:
    layer_type = registry.get(layer.type)
    if layer_type is None or len(layer.inputs) not in layer_type.inputs:
        return _unknown
    rule = _RULES.get(layer.type)
    if rule is not None:
        return rule
    elementwise = layer_type.inplace and not layer_type.custom
    return _same if elementwise and len(layer.inputs) == len(layer.outputs) == 1 else _unknown


def _unknown(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    return Unknown()


def _same(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    return inputs[0]


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
    return tuple(size for size in _ints(layer, "c", "d", "h", "w") if size) or (1,)


def _rows(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """InnerProduct: a matrix whose rows fit is taken row by row, everything else as one vector."""
    number = _int(layer, "num_output")
    found = inputs[0]
    if isinstance(found, Unknown):
        return Unknown()
    if len(found) != 2:
        return (number,)
    width = _int(layer, "weight_data_size") // number if number else 0
    if isinstance(found[1], Symbol):
        return Unknown()
    return (found[0], number) if found[1] == width else (number,)


def _windows(axes: str) -> Rule:
    """Convolutions: the number of outputs, then what is left of each axis."""

    def rule(layer: Layer, inputs: Sequence[Shape]) -> Shape:
        found, number = inputs[0], _int(layer, "num_output")
        if axes == "hw" and _ints(layer, "kernel_w", "kernel_h") == [1, 1]:
            if isinstance(found, Unknown):
                return Unknown()
            if len(found) == 1:  # a vector stays one
                return (number,)
        if isinstance(found, Unknown) or len(found) != len(axes) + 1:
            return (number, *(Symbol() for _ in axes))
        return (number, *(_slid(layer, axis, size) for axis, size in zip(axes, found[1:], strict=True)))

    return rule


_SIDES = {"w": ("left", "right"), "h": ("top", "bottom"), "d": ("front", "behind")}


def _slid(layer: Layer, axis: str, size: Size) -> Size:
    """How many places a window has along an axis."""
    kernel, dilation, stride, *pads = _ints(
        layer,
        *(f"{name}_{axis}" for name in ("kernel", "dilation", "stride")),
        *(f"pad_{side}" for side in _SIDES[axis]),
    )
    extent = dilation * (kernel - 1) + 1
    if stride == 1 and (min(pads) < 0 or sum(pads) == extent - 1):  # below 0: as much as keeps the size
        return size
    if isinstance(size, Symbol) or min(pads) < 0 or stride < 1:
        return Symbol()
    return (size + sum(pads) - extent) // stride + 1


def _spread(axes: int) -> Rule:
    """Transposed convolutions."""
    return lambda layer, inputs: (_int(layer, "num_output"), *(Symbol() for _ in range(axes)))


def _pooled(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found = inputs[0]
    channels = found[0] if isinstance(found, tuple) and len(found) == 3 else Symbol()
    return (channels,) if layer["global_pooling"] else (channels, Symbol(), Symbol())


def _of_other_sizes(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """As many axes as there were."""
    found = inputs[0]
    return Unknown() if isinstance(found, Unknown) else tuple(Symbol() for _ in found)


def _flat(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    return inputs[0] if isinstance(inputs[0], tuple) and len(inputs[0]) == 1 else (Symbol(),)


def _reshaped(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    stated = [size for size in _ints(layer, "c", "d", "h", "w") if size != _UNSTATED]
    if not stated or len(inputs) != 1 or layer["shape_expr"]:
        return Unknown()
    return tuple(size if size > 0 else Symbol() for size in stated)


def _reduced(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found, axes = inputs[0], layer["axes"]
    if isinstance(found, Unknown) or not isinstance(axes, tuple):
        return Unknown()
    gone = {int(axis) % len(found) for axis in axes if -len(found) <= axis < len(found)}
    if layer["reduce_all"]:
        gone = set(range(len(found)))
    if layer["keepdims"]:
        return tuple(1 if axis in gone else size for axis, size in enumerate(found))
    return tuple(size for axis, size in enumerate(found) if axis not in gone) or (1,)


def _joined(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found = inputs[0]
    if isinstance(found, Unknown):
        return Unknown()
    axis = _int(layer, "axis") % len(found)
    return tuple(Symbol() if place == axis else size for place, size in enumerate(found))


def _int(layer: Layer, name: str) -> int:
    return _ints(layer, name)[0]


def _ints(layer: Layer, *names: str) -> list[int]:
    """Params by name; 0 for one that is no int."""
    layer_type = registry.get(layer.type)
    assert layer_type is not None, "there are rules for known types only"
    stated = {param.id: param.value for param in layer.params.raw}
    values = [layer_type.read(name, stated) for name in names]
    return [value if isinstance(value, int) else 0 for value in values]


_UNSTATED = -233
"""ncnn's default for a size that ``Reshape`` does not state."""
_RULES: Mapping[str, Rule] = {
    SPLIT: _same,
    "BinaryOp": _broadcast,
    "Eltwise": _same,
    "MemoryData": _constant,
    "InnerProduct": _rows,
    "Convolution": _windows("hw"),
    "ConvolutionDepthWise": _windows("hw"),
    "Convolution1D": _windows("w"),
    "ConvolutionDepthWise1D": _windows("w"),
    "Convolution3D": _windows("dhw"),
    "ConvolutionDepthWise3D": _windows("dhw"),
    "Deconvolution": _spread(2),
    "DeconvolutionDepthWise": _spread(2),
    "Deconvolution1D": _spread(1),
    "DeconvolutionDepthWise1D": _spread(1),
    "Deconvolution3D": _spread(3),
    "DeconvolutionDepthWise3D": _spread(3),
    "Pooling": _pooled,
    **dict.fromkeys(("Crop", "Slice", "Padding", "Permute", "ShuffleChannel"), _of_other_sizes),
    "Flatten": _flat,
    "Reshape": _reshaped,
    "Reduction": _reduced,
    "Concat": _joined,
}
