"""From numbers to places in a chart: axes with round ticks, numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, isnan, log10
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TICKS = 6
"""About so many ticks has an axis."""
LARGEST = 1e300
"""Beyond it, and below its reciprocal, the arithmetic of axes would leave float64."""


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low: The number at ``start``.
        high: The number at ``end``; it is larger than ``low``.
        start: A place, in pixels.
        end: Another one, which may come before ``start``.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, number: float) -> float:
        """The place of a number; one beyond an end is put there."""
        share = (min(max(number, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers along the axis: 1, 2 or 5 times a power of ten apart."""
        step = _round_step((self.high - self.low) / TICKS)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def scale(
    numbers: Iterable[float], start: float, end: float, *, zero: bool = False, tight: bool = False
) -> Scale:
    """An axis for some numbers; those that are not finite are left out.

    Args:
        numbers: What it must reach.
        start: Where it starts, in pixels.
        end: Where it ends.
        zero: It must reach 0 too, as for bars.
        tight: It ends at the outermost numbers, not at round ones beyond them.
    """
    finite = [min(max(float(number), -LARGEST), LARGEST) for number in numbers if isfinite(number)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    # a span that is nothing, or nothing in float64, cannot be divided
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        low, high = (min(low, 0.0), max(high, 0.0)) if low else (0.0, 1.0)
    high = max(high, low + 1 / LARGEST)
    if tight:
        return Scale(low, high, start, end)
    step = _round_step((high - low) / TICKS)
    return Scale(floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, start, end)


def floats(numbers: ArrayLike) -> NDArray[np.float64]:
    """Numbers as one row of float64."""
    return np.asarray(numbers, np.float64).reshape(-1)


def number_text(number: float) -> str:
    """A number of four digits; ``∞`` for infinity, ``–`` for none."""
    if isnan(number):
        return "–"
    if abs(number) == inf:
        return "∞" if number > 0 else "-∞"
    return f"{number:.4g}" if number else "0"


def with_unit(number: float, unit: str) -> str:
    """A number with its unit, if there are both."""
    return number_text(number) if isnan(number) or not unit else f"{number_text(number)} {unit}"


def span_text(numbers: NDArray[np.float64], show: Callable[[float], str] = number_text) -> str:
    """From what to what numbers reach, in words: ``from 3 dB to 41.5 dB``."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return "no finite numbers"
    low, high = show(finite.min()), show(finite.max())
    return low if low == high else f"from {low} to {high}"


def _round_step(rough: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below a number."""
    power = 10.0 ** floor(log10(rough))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough * (1 - 1e-9))
