"""The frame of a chart with two axes: a grid, ticks with their numbers, and what the axes are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ncnnparam.views.charts import svg
from ncnnparam.views.charts.scale import Scale, number_text

_LEFT = 56
_RIGHT = 16
_BELOW = 40
_ABOVE = 22
"""For the label of the upright axis."""


@dataclass(frozen=True)
class Frame:
    """Where the drawing goes, in pixels; ``height`` is that of the whole chart."""

    left: float
    right: float
    top: float
    bottom: float
    height: float

    @classmethod
    def below(cls, legend_rows: int, height: float, width: int = svg.WIDTH) -> Frame:
        """The frame of a chart of some size, under a legend that makes it higher."""
        top = _ABOVE + legend_rows * svg.LEGEND_ROW
        height += legend_rows * svg.LEGEND_ROW
        return cls(_LEFT, width - _RIGHT, top, height - _BELOW, height)


def framed(
    frame: Frame,
    across: Scale,
    up: Scale,
    x_label: str,
    y_label: str,
    *,
    y_text: Callable[[float], str] = number_text,
) -> Iterator[str]:
    """Grid, ticks and labels."""
    for tick in up.ticks():
        y = up(tick)
        yield svg.rule(frame.left, y, frame.right, y)
        yield svg.text(frame.left - 6, y + 4, y_text(tick), anchor="end", quiet=True)
    for tick in across.ticks():
        x = across(tick)
        yield svg.rule(x, frame.bottom, x, frame.bottom + 4, opacity=0.4)
        yield svg.text(x, frame.bottom + 17, number_text(tick), anchor="middle", quiet=True)
    yield svg.rule(frame.left, frame.bottom, frame.right, frame.bottom, opacity=0.4)
    if y_label:
        yield svg.text(0, frame.top - 10, y_label, quiet=True)
    if x_label:
        yield svg.text(frame.right, frame.bottom + 34, x_label, anchor="end", quiet=True)


def nothing(frame: Frame) -> str:
    """What stands in a frame that has nothing in it."""
    x, y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    return svg.text(x, y, svg.NOTHING, anchor="middle", quiet=True)
