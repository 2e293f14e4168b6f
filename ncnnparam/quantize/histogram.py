"""How large the numbers of a blob were: exactly while they are few, then in fine bins.

What a histogram says depends on the numbers alone and not on their order, so histograms of parts of the data
may be merged in any order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT = 1 << 17
"""As many numbers are kept as they are; more of them are counted in bins."""
_FINE_BITS = 16
FINE = 1 << _FINE_BITS
"""Bins from 0 to the power of two above the largest number. At least 16 of them make a bin of ``linear``."""
BINS = 2048
"""Bins of the histograms from which thresholds are taken, as in ncnn2table."""
_MATRIX = 2
_SPARE_BITS = 18
"""Of the 32 bits of a row's largest number these are dropped; left are sign, exponent and 5 bits."""


class Histogram:
    """Absolute values of the numbers that a blob held.

    Attributes:
        absmax: The largest absolute value.
        total: How many numbers there were, zeros among them.
        runs: In how many runs of the net.
        axes: How many axes the blob had; more than one number if that changed.
    """

    def __init__(self) -> None:
        self.absmax = 0.0
        self.total = 0
        self.runs = 0
        self.axes: set[int] = set()
        self._values: list[NDArray[np.float32]] = []  # those that are in no bin yet, without zeros
        self._waiting = 0
        self._counts: NDArray[np.int64] | None = None
        self._exponent = 0  # the bins go from 0 to 2 to this power
        self._peaks: Counter[int] = Counter()  # of the rows of matrices, by their first bits

    @classmethod
    def of(cls, numbers: Iterable[NDArray[Any]]) -> Histogram:
        """The histogram of some runs."""
        histogram = cls()
        for one in numbers:
            histogram.add(one)
        return histogram

    def add(self, numbers: NDArray[Any]) -> None:
        """Counts the numbers of one run.

        Raises:
            ValueError: One is infinite or none.
        """
        array = np.asarray(numbers, np.float32)
        sizes = np.abs(array).reshape(-1)
        largest = float(sizes.max(initial=0.0))
        if not math.isfinite(largest):
            raise ValueError("NaN or infinity")
        self.absmax = max(self.absmax, largest)
        self.total += sizes.size
        self.runs += 1
        self.axes.add(array.ndim)
        if array.ndim == _MATRIX:
            peaks = sizes.reshape(array.shape).max(axis=1, initial=0.0)
            self._peaks.update((peaks.view(np.uint32) >> _SPARE_BITS).tolist())
        self._take(sizes[sizes != 0])

    def update(self, other: Histogram) -> None:
        """Counts all that another histogram has counted."""
        self.absmax = max(self.absmax, other.absmax)
        self.total += other.total
        self.runs += other.runs
        self.axes |= other.axes
        self._peaks.update(other._peaks)
        if other._counts is not None:
            self._bin()
            self._reach(other._exponent)
            assert self._counts is not None
            self._counts += _coarser(other._counts, self._exponent - other._exponent)
        for values in other._values:
            self._take(values)

    def linear(self, bins: int = BINS) -> NDArray[np.float64]:
        """How many numbers other than 0 fall into each of equal bins from 0 to ``absmax``.

        A fine bin that lies in two bins is shared out by its parts.
        """
        if self.absmax == 0:
            return np.zeros(bins)
        if self._counts is None:
            largest, found = np.float32(self.absmax), np.zeros(bins, np.int64)
            for values in self._values:  # in float32, as the C++ tools do it
                places = (values / largest * np.float32(bins)).astype(np.intp)
                found += np.bincount(np.minimum(places, bins - 1), minlength=bins)
            return found.astype(np.float64)
        self._settle()
        edges = np.arange(bins + 1) * math.ldexp(self.absmax / bins, -self._exponent) * FINE
        edges[-1] = FINE
        before = np.concatenate(([0], np.cumsum(self._counts)))
        return np.diff(np.interp(edges, np.arange(FINE + 1), before))

    @property
    def power(self) -> float:
        """Mean square of the numbers, zeros among them."""
        counts = self.linear()
        middles = (np.arange(len(counts)) + 0.5) * (self.absmax / len(counts))
        return float(np.square(middles) @ counts) / max(self.total, 1)

    @property
    def row_power(self) -> float:
        """Mean square of the largest number of each row, within 3 %; 0 if the blob was never a matrix."""
        bits = np.array(list(self._peaks), np.uint32)
        middles = ((bits << _SPARE_BITS) + (1 << (_SPARE_BITS - 1))).astype(np.uint32).view(np.float32)
        counts = np.array(list(self._peaks.values()), np.float64)
        return float(np.square(middles.astype(np.float64)) @ counts) / max(float(counts.sum()), 1.0)

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays, from which ``restore`` makes it again."""
        self._settle()
        state: dict[str, NDArray[Any]] = {
            "facts": np.array([self.absmax, self.total, self.runs, self._exponent], np.float64),
            "axes": np.array(sorted(self.axes), np.uint8),
            "peaks": np.array(sorted(self._peaks.items()), np.int64).reshape(-1, 2),
        }
        if self._counts is None:
            return state | {"values": np.concatenate([np.empty(0, np.float32), *self._values])}
        return state | {"counts": self._counts.astype(np.min_scalar_type(int(self._counts.max())))}

    @classmethod
    def restore(cls, state: dict[str, NDArray[Any]]) -> Histogram:
        """A histogram from its ``state``.

        Raises:
            ValueError: It is none.
        """
        histogram = cls()
        facts = state["facts"]
        if facts.shape != (4,) or not np.isfinite(facts).all():
            raise ValueError("no facts of a histogram")
        histogram.absmax = float(facts[0])
        histogram.axes = {int(number) for number in state["axes"]}
        histogram.total, histogram.runs, histogram._exponent = (int(fact) for fact in facts[1:])
        histogram._peaks = Counter({int(bits): int(count) for bits, count in state["peaks"]})
        if "counts" in state:
            if state["counts"].shape != (FINE,):
                raise ValueError(f"a histogram has {FINE} bins")
            histogram._counts = state["counts"].astype(np.int64)
        else:
            histogram._take(state["values"].astype(np.float32, copy=False))
        return histogram

    def __reduce__(self) -> tuple[Any, ...]:
        """Goes to another process as its ``state``, in which the counts take few bytes."""
        return Histogram.restore, (self.state(),)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        mine, its = (
            {key: np.sort(value) if key == "values" else value for key, value in histogram.state().items()}
            for histogram in (self, other)
        )
        return mine.keys() == its.keys() and all(np.array_equal(mine[key], its[key]) for key in mine)

    def _take(self, values: NDArray[np.float32]) -> None:
        self._values.append(values)
        self._waiting += len(values)
        if self._waiting > EXACT:
            self._bin()

    def _settle(self) -> None:
        """Once there are bins, all numbers go there, and the bins reach just beyond the largest number."""
        if self._counts is not None:
            self._bin()

    def _bin(self) -> None:
        """Counts in bins what is in none."""
        _, exponent = math.frexp(self.absmax)
        if self._counts is None:
            self._counts, self._exponent = np.zeros(FINE, np.int64), exponent
        self._reach(exponent)
        values = np.concatenate([np.empty(0, np.float32), *self._values])
        places = np.ldexp(values, _FINE_BITS - self._exponent).astype(np.intp)
        self._counts += np.bincount(places, minlength=FINE)
        self._values, self._waiting = [], 0

    def _reach(self, exponent: int) -> None:
        if exponent > self._exponent:
            assert self._counts is not None
            self._counts = _coarser(self._counts, exponent - self._exponent)
            self._exponent = exponent


def _coarser(counts: NDArray[np.int64], doublings: int) -> NDArray[np.int64]:
    """The same numbers in bins that are each ``2 ** doublings`` times as wide."""
    width = 1 << min(doublings, _FINE_BITS)
    coarse = np.zeros_like(counts)
    coarse[: FINE // width] = counts.reshape(-1, width).sum(axis=1)
    return coarse
