"""Sound as people know it: the smallest and largest sample of each moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.views.charts import svg
from ncnnparam.views.charts.scale import Scale, number_text
from ncnnparam.views.charts.svg import Svg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HEIGHT = 72
_AXIS = 18
COLUMNS = 320
"""One for each two pixels of a chart."""


def envelope(samples: ArrayLike, columns: int = COLUMNS) -> NDArray[np.float32]:
    """The smallest and the largest sample of equal parts of a sound; samples that are not finite count as 0.

    Args:
        samples: Any number of samples.
        columns: How many parts there are at most.

    Returns:
        Shape (columns, 2), or fewer rows where there are fewer samples.
    """
    array = np.asarray(samples, np.float32).reshape(-1)
    array = np.where(np.isfinite(array), array, np.float32(0))
    columns = min(columns, len(array))
    if not columns:
        return np.empty((0, 2), np.float32)
    starts = np.arange(columns) * len(array) // columns
    return np.stack([np.minimum.reduceat(array, starts), np.maximum.reduceat(array, starts)], axis=1)


def waveform(title: str, peaks: ArrayLike, seconds: float, *, width: int = svg.WIDTH) -> Svg:
    """A sound by its envelope, as high as its loudest moment lets it be.

    Args:
        title: What it shows.
        peaks: What ``envelope`` gives, shape (columns, 2).
        seconds: How long the sound is.
        width: ``HALF`` for a chart that stands beside another one.
    """
    pairs = np.asarray(peaks, np.float64).reshape(-1, 2)
    pairs = np.where(np.isfinite(pairs), pairs, 0.0)
    loudest = float(np.abs(pairs).max(initial=0.0))
    up = Scale(-(loudest or 1.0), loudest or 1.0, _HEIGHT, 0)
    across = Scale(0, max(len(pairs), 1), 0, width)
    upper = [f"{svg.at(across(place))} {svg.at(up(high) - 0.5)}" for place, (_, high) in enumerate(pairs)]
    lower = [f"{svg.at(across(place))} {svg.at(up(low) + 0.5)}" for place, (low, _) in enumerate(pairs)]
    body = [svg.rule(0, up(0), width, up(0), opacity=0.3)]
    if len(pairs):
        body.append(svg.path("M" + "L".join(upper + lower[::-1]) + "Z", fill=svg.series_colour(0)))
    else:
        body.append(svg.text(width / 2, _HEIGHT / 2 - 4, svg.NOTHING, anchor="middle", quiet=True))
    if np.isfinite(seconds) and seconds > 0:
        time = Scale(0, seconds, 0, width)
        body += [
            svg.text(time(tick), _HEIGHT + 14, f"{number_text(tick)} s", anchor="middle", quiet=True)
            for tick in time.ticks()
            if 20 < time(tick) < width - 20
        ]
    described = f"{number_text(seconds)} s, loudest sample {number_text(loudest)}."
    return svg.document(title, described, _HEIGHT + _AXIS, body, width)
