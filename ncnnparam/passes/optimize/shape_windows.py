"""Shapes behind what slides a window over its input, or multiplies it by a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ncnnparam.passes.optimize.sizes import Rule, Shape, Size, Symbol, Unknown, symbols, whole, wholes

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

_BOTH_WAYS = 2
"""``direction`` of a layer that reads its input from both ends."""
_SIDES = {"w": ("left", "right"), "h": ("top", "bottom"), "d": ("front", "behind")}


def _rows(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """InnerProduct: a matrix whose rows fit is taken row by row, everything else as one vector."""
    number = whole(layer, "num_output")
    found = inputs[0]
    if isinstance(found, Unknown):
        return Unknown()
    if len(found) != 2:
        return (number,)
    width = whole(layer, "weight_data_size") // number if number else 0
    if isinstance(found[1], Symbol):
        return Unknown()
    return (found[0], number) if found[1] == width else (number,)


def _product(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """MatMul of matrices, with leading axes; of those one may be 1 where the other is not."""
    one, other = inputs
    if isinstance(one, Unknown) or isinstance(other, Unknown) or min(len(one), len(other)) < 2:
        return Unknown()
    ahead = max(len(one), len(other)) - 2
    first, second = (shape[:-2] for shape in (one, other))
    first, second = ((1,) * (ahead - len(sizes)) + sizes for sizes in (first, second))
    columns = other[-2] if layer["transB"] else other[-1]
    return *(_larger(*pair) for pair in zip(first, second, strict=True)), one[-2], columns


def _larger(one: Size, other: Size) -> Size:
    if one == other or other == 1:
        return one
    return other if one == 1 else Symbol()


def _gemm(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """Gemm of matrices; what is a weight has the sizes that the params state."""
    blobs = iter(inputs)
    one = None if layer["constantA"] else next(blobs, Unknown())
    other = None if layer["constantB"] else next(blobs, Unknown())
    if any(shape is not None and (isinstance(shape, Unknown) or len(shape) != 2) for shape in (one, other)):
        return Unknown()
    rows: Size = whole(layer, "constantM")
    columns: Size = whole(layer, "constantN")
    if isinstance(one, tuple):
        rows = one[1] if layer["transA"] else one[0]
    if isinstance(other, tuple):
        columns = other[0] if layer["transB"] else other[1]
    found = (columns, rows) if layer["output_transpose"] else (rows, columns)
    return (found[0], 1, found[1]) if layer["output_N1M"] else found


def recurrent(layer: Layer, inputs: Sequence[Shape]) -> Sequence[Shape]:
    """LSTM, GRU, RNN: a row for each row of the input, then the states."""
    found, directions = inputs[0], 2 if layer["direction"] == _BOTH_WAYS else 1
    if isinstance(found, Unknown) or len(found) != 2:
        return [Unknown() for _ in layer.outputs]
    number = whole(layer, "num_output")
    cell = whole(layer, "hidden_size") if layer.type == "LSTM" else number
    shapes = (found[0], number * directions), (directions, number), (directions, cell)
    return shapes[: len(layer.outputs)]


def _windows(axes: str) -> Rule:
    """Convolutions: the number of outputs, then what is left of each axis."""

    def rule(layer: Layer, inputs: Sequence[Shape]) -> Shape:
        found, number = inputs[0], whole(layer, "num_output")
        if axes == "hw" and wholes(layer, "kernel_w", "kernel_h") == [1, 1]:
            if isinstance(found, Unknown):
                return Unknown()
            if len(found) == 1:  # a vector stays one
                return (number,)
        if isinstance(found, Unknown) or len(found) != len(axes) + 1:
            return (number, *symbols(len(axes)))
        return (number, *(_slid(layer, axis, size) for axis, size in zip(axes, found[1:], strict=True)))

    return rule


def _slid(layer: Layer, axis: str, size: Size) -> Size:
    """How many places a window has along an axis."""
    kernel, dilation, stride, *pads = wholes(
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
    return lambda layer, inputs: (whole(layer, "num_output"), *symbols(axes))


def _pooled(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found = inputs[0]
    channels = found[0] if isinstance(found, tuple) and len(found) == 3 else Symbol()
    return (channels,) if layer["global_pooling"] else (channels, *symbols(2))


WINDOW_RULES: Mapping[str, Rule] = {
    "InnerProduct": _rows,
    "MatMul": _product,
    "Gemm": _gemm,
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
}
