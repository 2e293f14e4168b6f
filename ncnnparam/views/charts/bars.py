"""Bars that lie: a name at the left, a bar, and its number at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.views.charts import svg
from ncnnparam.views.charts.scale import Scale, floats, scale, span_text, with_unit
from ncnnparam.views.charts.svg import Svg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BAR = 13
_STEP = 19
_LONGEST_LABEL = 30
_GAP = 8
_GROUP_GAP = 10
_ROOM = 84
"""For the number behind the longest bar."""


def horizontal_bars(
    title: str,
    labels: Sequence[str],
    values: ArrayLike,
    *,
    unit: str = "",
    limit: float | None = None,
    show: Callable[[float], str] | None = None,
) -> Svg:
    """One bar for each label, from the first at the top: the error of layers, for example.

    A value that is infinite gets a bar to the end, and NaN none.

    Args:
        title: What it shows.
        labels: A name for each bar.
        values: A number for each bar.
        unit: Unit of the values.
        limit: A value to mark by a line.
        show: Makes the text of a value that is not NaN, in place of four digits and the unit.

    Raises:
        ValueError: There are not as many values as labels.
    """
    return _chart(title, labels, {"": values}, unit, limit, show)


def grouped_bars(
    title: str,
    groups: Sequence[str],
    series: Mapping[str, ArrayLike],
    *,
    unit: str = "",
    show: Callable[[float], str] | None = None,
) -> Svg:
    """For each group a bar of each series: the sizes of some files in some storages, for example.

    Args:
        title: What it shows.
        groups: A name for each group.
        series: By name, a value for each group; NaN where there is none.
        unit: Unit of the values.
        show: Makes the text of a value that is not NaN, in place of four digits and the unit.

    Raises:
        ValueError: A series has not as many values as there are groups.
    """
    return _chart(title, groups, series, unit, None, show)


def _chart(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, ArrayLike],
    unit: str,
    limit: float | None,
    show: Callable[[float], str] | None,
) -> Svg:
    rows = {name: floats(values) for name, values in series.items()}
    if any(len(values) != len(labels) for values in rows.values()):
        raise ValueError(f"{title}: there must be one value for each of {len(labels)} labels")

    def told(value: float) -> str:
        return show(value) if show and not isnan(value) else with_unit(value, unit)

    names = [name for name in rows if name]
    body = svg.legend(names, map(svg.series_colour, range(len(names))), _BAR) if names else []
    top = len(body) * svg.LEGEND_ROW + (6 if names else 4)
    bottom = top + max(len(labels) * _group_height(rows), _STEP)
    left = svg.CHAR * min(max(map(len, labels), default=0), _LONGEST_LABEL) + _GAP
    every = np.concatenate([np.empty(0), *rows.values()])
    axis = scale([*every, *_if_any(limit)], left, svg.WIDTH - _ROOM, zero=True)

    body.append(svg.rule(axis(0), top - 2, axis(0), bottom, opacity=0.4))
    body += _groups(labels, rows, axis, top, left - _GAP, told)
    if not len(labels):
        body.append(svg.text(left, top + _BAR, svg.NOTHING, quiet=True))
    for marked in _if_any(limit):
        body.append(svg.path(f"M{svg.at(axis(marked))} {top - 2}V{bottom}", stroke=svg.MARK, dash="4 3"))
        body.append(svg.text(axis(marked), bottom + 12, told(marked), anchor="middle", quiet=True))
        bottom += 14
    described = f"Groups of {', '.join(names)}" if names else "Bars"
    description = f"{described} for {len(labels)} names, {span_text(every, told)}."
    return svg.document(title, description, bottom + 4, body)


def _if_any(limit: float | None) -> list[float]:
    """A limit that can be drawn."""
    return [] if limit is None or not isfinite(limit) else [limit]


def _group_height(rows: Mapping[str, NDArray[np.float64]]) -> int:
    return len(rows) * _STEP + (_GROUP_GAP if len(rows) > 1 else 0)


def _groups(
    labels: Sequence[str],
    rows: Mapping[str, NDArray[np.float64]],
    axis: Scale,
    top: float,
    right: float,
    told: Callable[[float], str],
) -> Iterator[str]:
    """The labels, which end at ``right``, and the bars of each."""
    for place, label in enumerate(labels):
        y = top + place * _group_height(rows)
        middle = y + len(rows) * _STEP / 2
        yield svg.text(right, middle + 3, svg.shortened(label, _LONGEST_LABEL), anchor="end")
        for index, (name, values) in enumerate(rows.items()):
            value = float(values[place])
            tip = f"{label}, {name}: {told(value)}" if name else f"{label}: {told(value)}"
            yield from _bar(axis, y + index * _STEP, value, told(value), tip, svg.series_colour(index))


def _bar(axis: Scale, y: float, value: float, told: str, tip: str, colour: str) -> Iterator[str]:
    """A bar and its number, which stands behind the bar's right end."""
    if isnan(value):
        yield svg.text(axis(0) + 5, y + _BAR - 2, told, quiet=True)
        return
    ends = sorted((axis(0), axis(value)))
    yield svg.rect(ends[0], y, max(ends[1] - ends[0], 0.5), _BAR, colour, tip)
    yield svg.text(ends[1] + 5, y + _BAR - 2, told)
