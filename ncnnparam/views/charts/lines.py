"""Lines over an axis: one number after the other, for example the error along the layers of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.views.charts import svg
from ncnnparam.views.charts.frame import Frame, framed, nothing
from ncnnparam.views.charts.scale import floats, scale, span_text
from ncnnparam.views.charts.svg import Svg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HEIGHT = 240


def line_chart(
    title: str,
    series: Mapping[str, ArrayLike],
    *,
    x: ArrayLike | None = None,
    x_label: str = "",
    y_label: str = "",
    step: bool = False,
    limit: float | None = None,
) -> Svg:
    """Lines over a common axis; a number that is not finite leaves a gap, one alone is a dot.

    Args:
        title: What it shows.
        series: The numbers of each line by its name.
        x: Where the numbers stand; 0, 1, 2 and so on by default.
        x_label: What ``x`` is.
        y_label: What the numbers are, with their unit.
        step: Each number holds until the next one; else lines go straight from one to the next.
        limit: A number to mark by a line.

    Raises:
        ValueError: A series has not as many numbers as ``x``, or as another one.
    """
    rows = {name: floats(values) for name, values in series.items()}
    count = max(map(len, rows.values()), default=0)
    places = floats(np.arange(count) if x is None else x)
    if any(len(values) != len(places) for values in rows.values()):
        raise ValueError(f"{title}: there must be one number for each of {len(places)} places")
    every = np.concatenate([np.empty(0), *rows.values()])
    names = [name for name in rows if name] if len(rows) > 1 else []
    legend = svg.legend(names, map(svg.series_colour, range(len(names))), 12) if names else []
    frame = Frame.below(len(legend), _HEIGHT)
    across = scale(places, frame.left, frame.right)
    up = scale([*every, *([] if limit is None else [limit])], frame.bottom, frame.top)

    body = [*legend, *framed(frame, across, up, x_label, y_label)]
    for index, values in enumerate(rows.values()):
        points = [
            (across(place), up(value))
            for place, value in zip(places, np.where(np.isfinite(values), values, np.nan), strict=True)
        ]
        drawn = np.isfinite(places) & np.isfinite(values)
        body.append(svg.path(_line(points, drawn, step), stroke=svg.series_colour(index)))
    if not np.isfinite(every).any():
        body.append(nothing(frame))
    if limit is not None and np.isfinite(limit):
        across_all = f"M{svg.at(frame.left)} {svg.at(up(limit))}H{svg.at(frame.right)}"
        body.append(svg.path(across_all, stroke=svg.MARK, dash="4 3"))
    described = f"Lines: {len(rows)}, with {len(places)} numbers, {span_text(every)}."
    return svg.document(title, described, frame.height, body)


def _line(points: list[tuple[float, float]], drawn: NDArray[np.bool_], step: bool) -> str:
    """The commands of a path through the points that are drawn, with a gap for each that is not."""
    commands = []
    before = False
    for index, (x, y) in enumerate(points):
        if not drawn[index]:
            before = False
            continue
        if not before:
            alone = index + 1 == len(points) or not drawn[index + 1]
            commands.append(f"M{svg.at(x)} {svg.at(y)}" + ("h2" if alone else ""))
        elif step:
            commands.append(f"H{svg.at(x)}V{svg.at(y)}")
        else:
            commands.append(f"L{svg.at(x)} {svg.at(y)}")
        before = True
    return "".join(commands)
