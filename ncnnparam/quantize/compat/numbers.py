"""Numbers as ncnn2int8 writes them.

Its loops take four numbers at a time with the processor's own rounding, and the last one to three of a run
one by one with another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 4
"""How many numbers its loops take at a time."""
_SMALLEST = 1e-30
"""What is nearer to 0 is written as 0 where an array has no tag."""
_FIRST_NORMAL = np.float32(2.0**-14)
_INT32 = np.float32(2.0**31)


def to_int8(values: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.int8]:
    """Numbers times their scales, rounded and clipped to -127 to 127.

    Args:
        values: A row for each scale, or any number of rows for one scale.
        scales: The scales.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * scales[:, np.newaxis]
        tail = scaled.shape[1] // LANES * LANES
        half = np.copysign(np.float32(0.5), scaled)
        rounded = np.trunc(scaled + half)
        rounded[:, tail:] = np.trunc(scaled[:, tail:].astype(np.float64) + half[:, tail:])
        # what no int32 can hold, and NaN, becomes the least int32 first
        rounded[~(np.abs(scaled) < _INT32)] = -_INT32
    found: NDArray[np.int8] = np.clip(rounded, -127, 127).astype(np.int8)
    return found


def to_float16(values: NDArray[np.float32], *, cut_tail: bool = True) -> NDArray[np.float16]:
    """Numbers as float16: to the nearest, ties to even; the last ones cut off, the smallest of them to 0.

    Args:
        values: Numbers, from a multiple of four on.
        cut_tail: They go to the end of their array.
    """
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if cut_tail:
        tail = len(values) // LANES * LANES
        halves[tail:] = _cut(values[tail:])
    return halves


def without_denormals(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Numbers of an array without a tag: what is nearer to 0 than 1e-30 is 0."""
    return np.where((np.abs(values).astype(np.float64) < _SMALLEST) & (values != 0), np.float32(0), values)


def _cut(values: NDArray[np.float32]) -> NDArray[np.float16]:
    bits = values.view(np.uint32)
    exact = (bits & ~np.uint32(0x1FFF)).view(np.float32)  # the 13 bits that float16 has no room for
    with np.errstate(over="ignore"):
        halves = exact.astype(np.float16).view(np.uint16)
    sign = (bits >> 16 & 0x8000).astype(np.uint16)
    halves = np.where(np.abs(values) < _FIRST_NORMAL, sign, halves)
    return np.where(np.isnan(values), sign | 0x7E00, halves).astype(np.uint16).view(np.float16)
