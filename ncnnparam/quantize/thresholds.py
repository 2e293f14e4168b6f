"""From the numbers that a blob held to the threshold that int8's 127 shall stand for.

``kl`` and ``aciq`` give what ncnn2table gives. A blob of zeros has the threshold 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ncnnparam.quantize.histogram import BINS, Histogram
from ncnnparam.quantize.kl import STEPS, kl_divergences

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 127
"""The largest int8 number that ncnn makes."""
PERCENTILE = 99.99
"""Of the numbers other than 0, this share is below the threshold of ``percentile`` by default."""
DEFAULT, COMPAT = "mse", "kl"
"""The method where none is named: of ours, and of the C++ tools."""

# Multiples of the standard deviation at which to clip normally distributed numbers so that the mean square
# error of b bits is least, for b = 1 to 8. From Banner et al., "Post training 4-bit quantization of
# convolutional networks for rapid-deployment" (ACIQ), as in ncnn2table.
_GAUSSIAN_CLIP = (0.0, 1.71063519, 2.15159277, 2.55913646, 2.93620062, 3.28691474, 3.6151146, 3.92403714)
_GAUSSIAN_SPREAD = 0.5 * 0.35 * (1 + math.sqrt(math.pi * math.log(4)))

Method = Callable[[Histogram], float]


def input_scale(threshold: float) -> np.float32:
    """What ncnn multiplies the numbers of a blob by; infinity for a blob of zeros."""
    with np.errstate(divide="ignore", over="ignore"):
        scale: np.float32 = np.float32(LARGEST) / np.float32(threshold)
    return scale


def minmax(histogram: Histogram) -> float:
    """The largest absolute value."""
    return histogram.absmax


def kl(histogram: Histogram) -> float:
    """The threshold under which int8 keeps most of the distribution; see ``quantize.kl``."""
    counts = histogram.linear(BINS)
    if not counts.any():
        return 0.0
    best = STEPS + int(np.argmin(kl_divergences(counts)))
    return float(np.float32(best + 0.5) * np.float32(histogram.absmax) / np.float32(BINS))


def aciq(histogram: Histogram) -> float:
    """The best clip for normally distributed numbers of which only the largest is known."""
    return gaussian_clip(histogram.absmax, round(histogram.total / max(histogram.runs, 1)))


def gaussian_clip(absmax: float, count: int, bits: int = 8) -> float:
    """The best clip for normally distributed numbers.

    Args:
        absmax: The largest absolute value of them.
        count: How many they are; of 1 nothing can be told, and the clip is infinite.
        bits: Of the numbers they become, 1 to 8.
    """
    if count < 2:
        return math.inf if absmax else 0.0
    with np.errstate(over="ignore"):
        spread = float(np.float32(absmax) * np.float32(2))
    deviation = spread * _GAUSSIAN_SPREAD / math.sqrt(2 * math.log(count))
    return float(np.float32(float(np.float32(_GAUSSIAN_CLIP[bits - 1])) * deviation))


def percentile(histogram: Histogram, percent: float = PERCENTILE) -> float:
    """The value below which this share of the numbers other than 0 is."""
    counts = histogram.linear(BINS)
    if not counts.any():
        return 0.0
    below = np.concatenate(([0.0], np.cumsum(counts))) / counts.sum()
    return float(np.interp(percent / 100, below, np.arange(BINS + 1))) * histogram.absmax / BINS


def mse(histogram: Histogram) -> float:
    """The threshold with the least mean square error, each bin taken at its middle."""
    counts = histogram.linear(BINS)
    if not counts.any():
        return 0.0
    best = STEPS + int(np.argmin(_errors(counts, _all_levels())))
    return best * histogram.absmax / BINS


def noise(histogram: Histogram, threshold: float) -> float:
    """Mean square error of int8 numbers under a threshold, those that it clips among them."""
    if histogram.absmax == 0 or threshold <= 0:
        return histogram.power
    levels = _levels(np.array([threshold / histogram.absmax * BINS]))
    (error,) = _errors(histogram.linear(BINS), levels)
    return float(error) * (histogram.absmax / BINS) ** 2 / histogram.total


class _Levels(NamedTuple):
    """Which bins become which int8 number: a row for each threshold, a column for each number from 0."""

    bounds: NDArray[np.intp]  # the first bin of each number, and behind the last one the end of all
    values: NDArray[np.float64]  # what the numbers stand for, in bins


def _levels(thresholds: NDArray[Any]) -> _Levels:
    """The int8 numbers under thresholds in bins."""
    steps = thresholds[:, np.newaxis] / LARGEST
    numbers = np.arange(LARGEST + 1)
    firsts = np.ceil((numbers[1:] - 0.5) * steps - 0.5).clip(0, BINS).astype(np.intp)
    bounds = np.pad(firsts, ((0, 0), (1, 1)), constant_values=((0, 0), (0, BINS)))
    return _Levels(bounds, numbers * steps)


@lru_cache(maxsize=1)
def _all_levels() -> _Levels:
    """Those of all thresholds that ``mse`` tries, which are the same for every blob."""
    return _levels(np.arange(STEPS, BINS + 1))


def _errors(counts: NDArray[np.float64], levels: _Levels) -> NDArray[np.float64]:
    """Sums of square errors for each threshold, each bin taken at its middle.

    The bins that become one int8 number stand side by side. With running sums of their counts and of counts
    times middles, the sum of ``count * (middle - value) ** 2`` needs no more than the first and last of them.
    """
    bounds, values = levels
    middles = np.arange(BINS) + 0.5
    below, weighted = (np.concatenate(([0.0], np.cumsum(sums))) for sums in (counts, counts * middles))
    crossed = values * (values * np.diff(below[bounds]) - 2 * np.diff(weighted[bounds]))
    errors: NDArray[np.float64] = crossed.sum(axis=1) + float(np.square(middles) @ counts)
    return errors


METHODS: Mapping[str, Method] = {
    "kl": kl,
    "aciq": aciq,
    "percentile": percentile,
    "mse": mse,
    "minmax": minmax,
}
"""The methods that need nothing but a histogram, by name."""
