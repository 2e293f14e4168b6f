"""A page of HTML that stands alone: no scripts, nothing from elsewhere, readable in light, dark and print.

A page is a list of sections, and a section a list of parts. All text is escaped; charts go in as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from ncnnparam.optional import need

if TYPE_CHECKING:
    from jinja2 import Template

    from ncnnparam.views.charts import Svg

Tone = Literal["plain", "good", "bad", "gone", "quiet"]
"""How a text is meant: bad is bold and gone struck through, so that nothing is told by colour alone."""


@dataclass(frozen=True)
class Mark:
    """A piece of text with a tone."""

    text: str
    tone: Tone = "plain"


Cell = str | int | float | Mark | Sequence[str | Mark] | None
"""What stands in a table: a text, a number, a text in pieces, or nothing."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str | Sequence[str | Mark]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    kind: ClassVar = "facts"
    rows: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """A table; its first column names the row.

    Attributes:
        header: The columns' names.
        rows: The cells, as many in each row as there are columns.
        right: Names of the columns to align right, which is what numbers want.
        caption: What it shows, or empty.
    """

    kind: ClassVar = "table"
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: Sequence[str] = ()
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing from ``ncnnparam.views.charts``."""

    kind: ClassVar = "chart"
    svg: Svg
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """Text in a fixed pitch, its lines as they are; with ``diff``, added and removed lines are coloured."""

    kind: ClassVar = "code"
    text: str
    caption: str = ""
    diff: bool = False


@dataclass(frozen=True)
class Grid:
    """Parts side by side where there is room."""

    kind: ClassVar = "grid"
    parts: Sequence[Part]


@dataclass(frozen=True)
class Details:
    """Parts behind a summary that opens them."""

    kind: ClassVar = "details"
    summary: str
    parts: Sequence[Part]
    open: bool = False


Part = Text | Facts | Table | Chart | Code | Grid | Details


@dataclass(frozen=True)
class Section:
    """Parts under a heading; the page has links to its sections."""

    heading: str
    parts: Sequence[Part] = field(default=())


def page(title: str, sections: Sequence[Section], *, subtitle: str = "") -> str:
    """The text of an HTML page.

    Args:
        title: Its title, and its first heading.
        sections: What stands on it, in order.
        subtitle: A line below the title.

    Raises:
        NcnnParamError: The package jinja2 is not installed.
        ValueError: A table has a row of another length than its header.
    """
    return _template().render(title=title, subtitle=subtitle, sections=sections)


@cache
def _template() -> Template:
    jinja2 = need("jinja2", "quantize")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ncnnparam.views"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"pieces": _pieces, "diff_tone": _diff_tone, "clean": _clean, "whole": _whole}
    template: Template = environment.get_template("page.html")
    return template


def _pieces(cell: Cell) -> list[Mark]:
    """A cell as pieces of text."""
    if cell is None:
        return []
    if isinstance(cell, (str, int, float, Mark)):
        cell = [cell if isinstance(cell, (str, Mark)) else str(cell)]
    marks = [piece if isinstance(piece, Mark) else Mark(piece) for piece in cell]
    return [Mark(_clean(mark.text), mark.tone) for mark in marks]


def _whole(row: Sequence[Cell], table: Table) -> Sequence[Cell]:
    """A row, of which no cell may be missing or be too many."""
    if len(row) != len(table.header):
        raise ValueError(f"a row has {len(row)} cells for {len(table.header)} columns: {row}")
    return row


def _diff_tone(line: str) -> Tone:
    """How to show a line of a diff."""
    tones: dict[str, Tone] = {"+": "good", "-": "bad", "@": "quiet", "#": "quiet"}
    return tones.get(line[:1], "plain")


def _clean(text: str) -> str:
    """Text without what no page may hold: control characters, and bytes that were no UTF-8."""
    return "".join(char if char.isprintable() or char in "\t\n" else "\ufffd" for char in text)
