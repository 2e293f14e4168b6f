"""The threshold of least Kullback-Leibler divergence, for all thresholds of a histogram at once.

What is computed is what ncnn2table and generate-int8-scale-table compute one threshold after the other. The
values below a threshold of ``t`` bins are told apart by 128 steps of ``t / 128`` bins each. A step's mass is
spread evenly over its bins; a bin that two steps share gets its part from both. The result is compared with
the histogram, to whose last bin below the threshold all mass above is added.

Steps begin at multiples of ``t / 128``, and the mass up to such a place is a sum of whole bins and a part of
one, so running sums give the mass of all steps for all thresholds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 128
"""Steps of an int8 number without its sign; also the smallest threshold, in bins."""
_FLOOR = float(np.float32(1e-4))
"""What both distributions have everywhere, so that no logarithm is of 0; from the C++ tools."""
_BLOCK = 128
"""Thresholds that are worked on at a time: their arrays stay in the processor's cache."""


class _Places(NamedTuple):
    """Where the steps of some thresholds begin: a row for each threshold."""

    bins: NDArray[np.intp]  # the bin in which a step begins; the last column is the threshold itself
    parts: NDArray[np.float64]  # how much of that bin lies before
    whole: NDArray[np.intp]  # the first bin that belongs to no step before
    split: NDArray[np.bool_]  # whether two steps share that bin; without the first and the last column


class _Sums(NamedTuple):
    """What all thresholds need of a histogram; each running sum is of what comes before a bin."""

    share: NDArray[np.float64]  # of all values, of each bin; and a 0 behind
    below: NDArray[np.float64]  # running sum of the shares
    floored: NDArray[np.float64]  # the same with the floor
    floored_below: NDArray[np.float64]
    entropy: NDArray[np.float64]  # running sum of floored shares times their logarithms


def kl_divergences(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The divergence of each threshold from 128 bins to one less than there are.

    Args:
        counts: How many values each bin has; not all 0.
    """
    # the tools keep the shares as float32
    share = (counts / counts.sum()).astype(np.float32).astype(np.float64)
    floored = share + _FLOOR
    sums = _Sums(
        np.append(share, 0.0),
        _running(share),
        np.append(floored, 0.0),
        _running(floored),
        _running(floored * np.log(floored)),
    )
    return np.concatenate([_divergences(sums, places) for places in _places(len(counts))])


def _divergences(sums: _Sums, places: _Places) -> NDArray[np.float64]:
    bins, parts, whole, split = places
    thresholds = bins[:, -1]
    mass = np.diff(sums.below[bins] + parts * sums.share[bins], axis=1)
    level = mass * (STEPS / thresholds)[:, np.newaxis]
    tail = sums.below[-1] - sums.below[thresholds]

    inside = sums.floored_below[bins[:, 1:]] - sums.floored_below[whole[:, :-1]]
    inside[:, -1] += tail
    cross = np.einsum("ij,ij->i", inside, np.log(level + _FLOOR))

    left, right, part = level[:, :-1], level[:, 1:], parts[:, 1:-1]
    shared = np.where(split, sums.floored[bins[:, 1:-1]], 0.0)
    cross += np.einsum("ij,ij->i", shared, np.log(right + part * (left - right) + _FLOOR))

    last = sums.floored[thresholds - 1] + tail
    divergences: NDArray[np.float64] = sums.entropy[thresholds - 1] + last * np.log(last) - cross
    return divergences


@lru_cache(maxsize=2)
def _places(count: int) -> list[_Places]:
    blocks = []
    for start in range(STEPS, count, _BLOCK):
        thresholds = np.arange(start, min(start + _BLOCK, count))
        begins = thresholds[:, np.newaxis] * np.arange(STEPS + 1)  # in parts of a bin, of which it has 128
        bins, rest = np.divmod(begins, STEPS)
        blocks.append(_Places(bins, rest / STEPS, bins + (rest > 0), rest[:, 1:-1] > 0))
    return blocks


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of all values before each, and at the end of all."""
    return np.concatenate(([0.0], np.cumsum(values)))
