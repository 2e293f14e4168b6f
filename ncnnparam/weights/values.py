"""The numbers of an array a piece at a time, so that a large array needs little memory.

``reader`` gives a function that widens, looks up or dequantizes any run of elements into a float32 buffer:
the values that ncnn computes with, those of packed low-bit matrices included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ncnnparam.weights.arrays import Weight
from ncnnparam.weights.packed import read_packed
from ncnnparam.weights.storage import Storage

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from ncnnparam.graph import Layer

Reader: TypeAlias = "Callable[[int, NDArray[np.float32]], None]"
"""``read(start, out)`` fills ``out`` with the numbers from ``start`` on."""

_INFINITY = 0x7C00  # as float16; beyond it comes NaN
_EXPONENT_STEP = np.float32(2.0**112)  # the exponents of float32 and float16 have biases of 127 and 15


def reader(layer: Layer, name: str, *, columns: int | None = None, transposed: bool = False) -> Reader | None:
    """A function that reads the numbers of an array.

    Args:
        layer: The layer.
        name: The name of one of its arrays.
        columns: How many numbers a row of a packed matrix has, which its bytes leave open.
        transposed: Read a matrix column by column.

    Returns:
        The function, or None for bytes that nobody can unpack.
    """
    weight = layer.weights[name]
    if weight.storage is Storage.BYTES:
        return read_packed(layer, weight, columns)
    stored = weight.numpy()
    read = _stored(weight, (stored.T if transposed else stored).reshape(-1))
    if weight.storage is not Storage.INT8 or weight.scales is None:
        return read
    each = weight.factors()
    if len(each) > 1 and weight.by_column is not transposed:
        return _by_column(read, each)
    return _by_run(read, each, weight.count // len(each))


def _stored(weight: Weight, flat: NDArray[Any]) -> Reader:
    """Reads numbers as they are stored, int8 undivided."""
    if weight.storage is Storage.FLOAT16:
        return lambda start, out: widen(flat[start : start + len(out)], out)
    if weight.storage is Storage.BFLOAT16:
        return lambda start, out: np.left_shift(
            flat[start : start + len(out)], 16, out=out.view(np.uint32), dtype=np.uint32
        )
    if weight.storage is Storage.TABLE:
        table = weight.table
        return lambda start, out: np.copyto(out, table[flat[start : start + len(out)]])
    return lambda start, out: np.copyto(out, flat[start : start + len(out)])


def widen(halves: NDArray[np.float16], out: NDArray[np.float32]) -> None:
    """float16 to float32, several times as fast as numpy does it.

    A shift puts exponent and fraction where float32 has them, and one product corrects the bias of the
    exponent, also of subnormal numbers. Only infinity and NaN would come out as large numbers; where there
    are such, numpy converts.
    """
    positive = np.max(halves.view(np.int16), initial=0)
    negative = np.max(halves.view(np.uint16), initial=0)
    if positive >= _INFINITY or negative >= _INFINITY | 0x8000:
        np.copyto(out, halves)
        return
    bits = out.view(np.int32)
    np.copyto(bits, halves.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, ~0x70000000, out=bits)  # of the copies of the sign only the highest stays
    np.multiply(out, _EXPONENT_STEP, out=out)


def _by_run(read: Reader, each: NDArray[np.float32], run: int) -> Reader:
    """Numbers of which each run of ``run`` has a factor."""

    def scaled(start: int, out: NDArray[np.float32]) -> None:
        read(start, out)
        row, inside = divmod(start, run)
        done = 0
        if inside:
            done = min(run - inside, len(out))
            out[:done] *= each[row]
            row += 1
        whole = (len(out) - done) // run
        end = done + whole * run
        out[done:end].reshape(whole, run)[...] *= each[row : row + whole, np.newaxis]
        if end < len(out):
            out[end:] *= each[row + whole]

    return scaled


def _by_column(read: Reader, each: NDArray[np.float32]) -> Reader:
    """Numbers of a matrix of which each column has a factor."""

    def scaled(start: int, out: NDArray[np.float32]) -> None:
        read(start, out)
        out *= each[np.arange(start, start + len(out)) % len(each)]

    return scaled
