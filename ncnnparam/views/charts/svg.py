"""The elements that charts are made of, as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NewType

Svg = NewType("Svg", str)
"""An ``<svg>`` element whose text is escaped: it may go into a page as it is."""

WIDTH = 640
"""Width of a chart in its own units, which are pixels unless the page is narrow."""
HALF = 440
"""Width of a chart that stands beside another one."""
FONT = 12
CHAR = 7.5
"""Width of a character, roughly: no font is at hand to measure it with."""

_SERIES = ("#2f6fb0", "#d9822b", "#3d8b57", "#a0529c", "#7a6a53", "#4a8f9c")
MARK = "var(--mark, #c0392b)"
NOTHING = "nothing to show"


def series_colour(index: int) -> str:
    """The colour of a series, by its number from 0."""
    place = index % len(_SERIES)
    return f"var(--series-{place + 1}, {_SERIES[place]})"


def document(title: str, description: str, height: float, body: Iterable[str], width: int = WIDTH) -> Svg:
    """A chart: who cannot see it is told its title and description."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {at(height)}" '
        f'font-family="system-ui, sans-serif" font-size="{FONT}" fill="currentColor">',
        f"<title>{clean(title)}</title>",
        f"<desc>{clean(description)}</desc>",
        *body,
        "</svg>",
    ]
    return Svg("\n".join(lines) + "\n")


def text(x: float, y: float, content: str, *, anchor: str = "start", quiet: bool = False) -> str:
    """A line of text; ``y`` is its base line and ``anchor`` says what is at ``x``: start, middle or end."""
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    faint = ' opacity="0.7"' if quiet else ""
    return f'<text x="{at(x)}" y="{at(y)}"{anchored}{faint}>{clean(content)}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str, tip: str = "") -> str:
    """A filled rectangle; ``tip`` shows when the mouse rests on it."""
    place = f'x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}" fill="{colour}"'
    return f"<rect {place}><title>{clean(tip)}</title></rect>" if tip else f"<rect {place}/>"


def rule(x1: float, y1: float, x2: float, y2: float, *, opacity: float = 0.15) -> str:
    """A thin line in the colour of the text: an axis or a line of the grid."""
    ends = f'x1="{at(x1)}" y1="{at(y1)}" x2="{at(x2)}" y2="{at(y2)}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="{opacity}"/>'


def path(commands: str, *, stroke: str = "none", fill: str = "none", dash: str = "") -> str:
    """A path; ``dash`` is the pattern of a broken line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{commands}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"{dashed}/>'


def legend(names: Iterable[str], colours: Iterable[str], y: float, within: int = WIDTH) -> list[str]:
    """Names with their colours in a row above a chart; a row that would be too long goes on below.

    Returns:
        One element for each row.
    """
    rows, x = [""], 0.0
    for name, colour in zip(names, colours, strict=False):
        width = 26 + CHAR * len(name)
        if x and x + width > within:
            rows.append("")
            x = 0.0
        base = y + (len(rows) - 1) * LEGEND_ROW
        rows[-1] += rect(x, base - 9, 10, 10, colour) + text(x + 15, base, name)
        x += width
    return rows


LEGEND_ROW = 18
"""Height of a row of a legend."""


def shortened(label: str, most: int) -> str:
    """A label of at most so many characters; of a long one the middle goes, for names differ at the ends."""
    if len(label) <= most:
        return label
    tail = (most - 1) // 2
    return f"{label[: most - 1 - tail]}…{label[len(label) - tail :]}"


def at(number: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


def clean(content: str) -> str:
    """Text of anyone's making, such that it can be nothing but text."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in content))
