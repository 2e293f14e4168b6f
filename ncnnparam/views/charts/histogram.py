"""How often which sizes occur, with thresholds as upright lines."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.views.charts import svg
from ncnnparam.views.charts.frame import Frame, framed, nothing
from ncnnparam.views.charts.scale import LARGEST, Scale, floats, number_text, scale
from ncnnparam.views.charts.svg import Svg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HEIGHT = 200
_MOST_COLUMNS = 128
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def histogram(
    title: str,
    counts: ArrayLike,
    *,
    high: float,
    low: float = 0.0,
    thresholds: Mapping[str, float] | None = None,
    x_label: str = "",
    log: bool = True,
    width: int = svg.WIDTH,
) -> Svg:
    """Columns for counts in equal bins, of which neighbours are taken together where there are very many.

    Args:
        title: What it shows.
        counts: How many numbers fell into each bin; what is negative or not finite counts as none.
        high: Where the last bin ends.
        low: Where the first bin starts.
        thresholds: Numbers to mark by lines, by what they are.
        x_label: What was counted.
        log: The columns grow with the logarithm of the counts: few activations are large, very many small.
        width: ``HALF`` for a chart that stands beside another one.
    """
    found = floats(counts)
    found = np.where(np.isfinite(found), found.clip(0.0, LARGEST), 0.0)
    columns, ends = _merged(found)
    heights = np.log10(1 + columns) if log else columns
    marks = {name: float(number) for name, number in (thresholds or {}).items() if isfinite(number)}
    if not (high > low and isfinite(high - low)):
        low, high = 0.0, 1.0
    names = [f"{name} {number_text(number)}" for name, number in marks.items()]
    colours = [svg.MARK, *map(svg.series_colour, range(1, len(names)))]
    legend = svg.legend(names, colours, 12, width) if names else []
    frame = Frame.below(len(legend), _HEIGHT, width)
    across = scale([low, high, *marks.values()], frame.left, frame.right, tight=True)
    up = scale(heights, frame.bottom, frame.top, zero=True)

    grid = framed(frame, across, up, x_label, "count", y_text=_power if log else number_text)
    body = [
        *legend,
        *grid,
    ]
    if columns.any():
        body.append(_outline(heights, low + ends * (high - low), across, up, across(low)))
    else:
        body.append(nothing(frame))
    for number, colour in zip(marks.values(), colours, strict=False):
        line = f"M{svg.at(across(number))} {svg.at(frame.top)}V{svg.at(frame.bottom)}"
        body.append(svg.path(line, stroke=colour, dash="4 3"))
    described = f"{number_text(found.sum())} numbers from {number_text(low)} to {number_text(high)}"
    return svg.document(title, ", ".join([described, *names]) + ".", frame.height, body, width)


def _merged(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same counts in at most ``_MOST_COLUMNS`` columns, and where each ends as a share of all."""
    width = max(1, -(-len(counts) // _MOST_COLUMNS))
    starts = np.arange(0, len(counts), width)
    columns = np.add.reduceat(counts, starts) if len(counts) else counts
    return columns, np.minimum(starts + width, len(counts)) / max(len(counts), 1)


def _outline(
    heights: NDArray[np.float64], ends: NDArray[np.float64], across: Scale, up: Scale, start: float
) -> str:
    """The columns as one shape, for there may be many of them; ``start`` is the place of the first."""
    steps = "".join(
        f"V{svg.at(up(height))}H{svg.at(across(end))}" for height, end in zip(heights, ends, strict=True)
    )
    outline = f"M{svg.at(start)} {svg.at(up(0))}{steps}V{svg.at(up(0))}Z"
    return svg.path(outline, fill=svg.series_colour(0))


def _power(exponent: float) -> str:
    """The count that a tick stands for; of the powers of ten, only whole ones are named."""
    if exponent != int(exponent):
        return ""
    return "10" + str(int(exponent)).translate(_SUPERSCRIPT) if exponent else "0"
