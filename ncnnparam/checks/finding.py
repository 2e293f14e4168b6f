"""What a check reports: a finding, and the place in the file it points at."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad a finding is."""

    ERROR = "error"
    """ncnn cannot load the file, or it loads and computes something else than is written."""
    WARNING = "warning"
    """The newest ncnn reads it as meant; an older reader, a tool or a person does not."""
    INFO = "info"
    """Worth knowing, works everywhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a source line.

    Attributes:
        line: Line from 1, or 0 for something that has no text (a layer made in memory).
        column: First column from 1, or 0.
        length: Number of characters.
        source_line: The whole line without its end.
        layer: Name of the layer, or None for the header and the file as a whole.
        offset: Where in the ``.bin`` file, in bytes from its start, or None.
    """

    line: int = 0
    column: int = 0
    length: int = 0
    source_line: str = ""
    layer: str | None = None
    offset: int | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one rule.

    Attributes:
        code: Code of the rule, such as ``NP201``.
        name: Slug of the rule, such as ``layer-count``.
        severity: How bad it is.
        message: What is wrong, one sentence without a final full stop.
        place: Where it is.
        hint: How to cure it, or None.
        fixable: Whether ``fix`` repairs it.
        refused: Whether the loader of ncnn 1.0.20261020 refuses the file because of it.
    """

    code: str
    name: str
    severity: Severity
    message: str
    place: Place = NOWHERE
    hint: str | None = None
    fixable: bool = False
    refused: bool = False

    @property
    def line(self) -> int:
        """Line from 1, or 0."""
        return self.place.line

    @property
    def column(self) -> int:
        """Column from 1, or 0."""
        return self.place.column

    @property
    def length(self) -> int:
        """Number of characters at fault."""
        return self.place.length

    @property
    def source_line(self) -> str:
        """The line at fault without its end, or an empty string."""
        return self.place.source_line

    @property
    def layer(self) -> str | None:
        """Name of the layer at fault, or None."""
        return self.place.layer

    @property
    def offset(self) -> int | None:
        """Where in the ``.bin`` file, in bytes, or None."""
        return self.place.offset
