"""Matrices of 4, 6 or 8 bit numbers with a scale for each block of a row: low-bit Gemm, MultiHeadAttention.

The layout is that of ``gemm_weight_block_quantize_unpack`` and ``forward_weight_block_quantize`` in ncnn's
``src/layer/gemm.cpp``: the numbers of a row one after the other, low bits first, in two's complement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.ops import registry
from ncnnparam.weights.arrays import Weight, factors
from ncnnparam.weights.storage import Storage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Layer


def packing(layer: Layer) -> tuple[int, int] | None:
    """Bits of a number, and numbers of a block, of a layer whose matrices are packed; else None."""
    layer_type = registry.get(layer.type)
    params = dict(layer.params)
    if layer_type is None or "low_bit" not in layer_type.terms or not layer_type.evaluate("low_bit", params):
        return None
    return layer_type.evaluate("bits", params), layer_type.evaluate("block", params)


def matrix_shape(layer: Layer, weight: Weight, transposed: bool = False) -> tuple[int, int] | None:
    """Rows and columns of a matrix, packed or not; None for what is no matrix or cannot be unpacked.

    A packed matrix has as many columns as the bytes of a row have room for, which may be one too many.
    """
    if len(weight.shape) != 2:
        return None
    rows, columns = weight.shape
    if weight.storage is Storage.BYTES:
        packed = packing(layer)
        return packed and (rows, columns * 8 // packed[0])
    return (columns, rows) if transposed else (rows, columns)


def read_packed(
    layer: Layer, weight: Weight, columns: int | None
) -> Callable[[int, NDArray[np.float32]], None] | None:
    """A function that reads the numbers of a packed matrix; see ``values.reader``.

    Where the layer has input scales, the columns are multiplied by them: ncnn does that to the input.

    Args:
        layer: The layer.
        weight: One of its arrays, of storage ``BYTES``.
        columns: How many numbers a row has; by default as many as fit into its bytes.
    """
    packed = packing(layer)
    scales = layer.weights.get(f"{weight.name}_quantize_scales")
    if packed is None or scales is None:
        return None
    bits, block = packed
    rows, width = weight.shape
    count = width * 8 // bits if columns is None else columns
    data, each = weight.numpy(), factors(scales).reshape(rows, -1)
    inputs = layer.weights.get(f"{weight.name}_input_scales")
    columns_by = np.float32(1) if inputs is None else inputs.numpy(np.float32)[:count]

    def read(start: int, out: NDArray[np.float32]) -> None:
        first, end = start // count, -(-(start + len(out)) // count)
        scaled = unpack(data[first:end], bits, count) * np.repeat(each[first:end], block, axis=1)[:, :count]
        numbers = (scaled * columns_by).reshape(-1)
        np.copyto(out, numbers[start - first * count :][: len(out)])

    return read


def unpack(data: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.float32]:
    """The numbers of packed rows.

    Args:
        data: The bytes, a row for each row.
        bits: Bits of a number, at most 8.
        count: How many numbers a row has.
    """
    at = np.arange(count) * bits
    words = np.pad(data, ((0, 0), (0, 1))).astype(np.int32)  # the last number has no byte behind it
    both = words[:, at // 8] | words[:, at // 8 + 1] << 8
    sign = 1 << (bits - 1)
    unsigned = (both >> (at % 8).astype(np.int32)) & ((1 << bits) - 1)
    return ((unsigned ^ sign) - sign).astype(np.float32)
