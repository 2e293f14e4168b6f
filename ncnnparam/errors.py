"""Every error a user can meet, in one family.

The text of an error is finished: it says what is wrong and where, and ``hint`` how to cure it.
Commands print it as it is; a traceback is always a bug of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

_MANY = 5000
"""With more names than this, a hint is sought among fewer of them."""


class NcnnParamError(Exception):
    """Root of all errors raised on purpose.

    Attributes:
        message: What is wrong and where.
        hint: How to cure it, or None.
        code: Of the page in ``docs/rules`` that tells more, or None; a rule of ``check`` may have the same.
    """

    code: str | None = None

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        said = f"{self.code} {self.message}" if self.code else self.message
        return f"{said}\n  hint: {self.hint}" if self.hint else said


class ParseError(NcnnParamError):
    """Text that is not in the ``.param`` language.

    Attributes:
        file: Name of the file, or None for text from memory.
        line: Line of the fault, from 1; 0 when the fault has no place.
        column: Column of the fault, from 1.
        source_line: The faulty line without its end.
        expected: What would have been right there, in words.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int = 0,
        column: int = 0,
        source_line: str = "",
        expected: Iterable[str] = (),
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.file = file
        self.line = line
        self.column = column
        self.source_line = source_line
        self.expected = tuple(expected)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file or "<text>", self.line, self.column) if part)
        lines = [f"{place}: {self.code} {self.message}" if self.code else f"{place}: {self.message}"]
        if self.line:
            lines += excerpt(self.source_line, self.column)
        if self.expected:
            lines.append(f"  expected {' or '.join(self.expected)}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class GraphError(NcnnParamError):
    """An edit that cannot be done; the graph is as it was before."""


class NotFoundError(GraphError, KeyError):
    """A layer, blob, param or type of that name does not exist."""

    __str__ = NcnnParamError.__str__  # KeyError would show the repr


class OpsError(NcnnParamError):
    """Params or a declaration of a layer type that make no sense, a weight array of negative size for one."""


class WeightsError(NcnnParamError):
    """Weights that do not fit their graph, or that cannot be had in the form that was asked for.

    Attributes:
        layer: Name of the layer, or None.
        array: Name of the array, or None.
        offset: Where in the ``.bin`` file, in bytes from its start; None for an array made in memory.
        expected: What the graph wants there, in words.
        found: What is there, in words.
    """

    def __init__(
        self,
        message: str,
        *,
        layer: str | None = None,
        array: str | None = None,
        offset: int | None = None,
        expected: str = "",
        found: str = "",
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.layer = layer
        self.array = array
        self.offset = offset
        self.expected = expected
        self.found = found


class PassError(NcnnParamError):
    """A pass that broke the model, or one that could not do what it was asked to do.

    Attributes:
        name: Name of the pass, or None.
    """

    def __init__(
        self, message: str, *, name: str | None = None, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.name = name


class FileError(NcnnParamError):
    """A file that cannot be read or written."""


class BadItemError(NcnnParamError):
    """An item that cannot be run; the text says which and why."""

    code = "NP803"


class ConfigError(NcnnParamError):
    """A configuration that cannot be understood."""


class MetadataError(NcnnParamError):
    """Speech metadata that is incomplete or contradicts the graph."""


def unreadable(path: object, error: OSError, *, hint: str | None = None) -> FileError:
    """The error for a file that the system does not let us read.

    Args:
        path: The file.
        error: What the system said.
        hint: How to cure it, or None.
    """
    code = "NP801" if isinstance(error, (FileNotFoundError, NotADirectoryError)) else "NP802"
    return FileError(f"cannot read {path}: {error.strerror or error}", hint=hint, code=code)


def excerpt(source_line: str, column: int, length: int = 1, *, width: int = 100) -> list[str]:
    """Two lines that show a place: the source line, cut around the place if long, and a caret below.

    Args:
        source_line: The line without its end.
        column: Column of the place, from 1.
        length: Number of characters to underline.
        width: The most characters of the line to show.
    """
    start = max(0, min(column - 1 - width // 2, len(source_line) - width))
    shown = source_line[start : start + width]
    marks = "^" + "~" * (min(length, width - (column - 1 - start)) - 1)
    # a tab keeps its width only if the caret line has it too; bytes that are no UTF-8 show as U+FFFD
    indent = "".join("\t" if char == "\t" else " " for char in shown[: column - 1 - start])
    visible = "".join(char if char == "\t" or char.isprintable() else "\ufffd" for char in shown)
    return [f"    {visible}", f"    {indent}{marks}"]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint naming the known words nearest to ``name``, or None when none is near."""
    import difflib

    folded = {word.lower(): word for word in known}
    if len(folded) > _MANY:  # comparing with each takes long: only with some that begin alike
        start = name[:2].lower()
        alike = (word for word in folded if word.startswith(start))
        folded = {word: folded[word] for word in islice(alike, _MANY)}
    near = [folded[word] for word in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}?" if near else None
