"""The syntax tree: a file as its records, with every byte kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ncnnparam.syntax.grammar import terminal
from ncnnparam.syntax.values import Param


class Word(NamedTuple):
    """A word of a record and its place: line and column from 1."""

    text: str
    line: int
    column: int


class Span(NamedTuple):
    """A place in a file: line and column from 1, length in characters."""

    line: int
    column: int
    length: int


@dataclass(frozen=True)
class Diagnostic:
    """A spelling that the parser took although some release of ncnn does not.

    Attributes:
        code: ``junk-number``, ``continued-params``, ``id-range`` or ``mixed-array``.
        message: What is odd, in words.
        span: Where.
    """

    code: str
    message: str
    span: Span


class LayerLine:
    """One record: a layer as it stands in the file.

    Attributes:
        text: The record with its line end, and any blank lines before it; ``''.join`` of all is the file.
        type: Layer type.
        name: Layer name.
        inputs: Names of the input blobs.
        outputs: Names of the output blobs.
        params: The params in the order of the file.
        line: Line where ``text`` begins, from 1.
        column: Column where ``text`` begins, from 1; above 1 only if it shares a line with the header.
    """

    __slots__ = ("column", "inputs", "line", "name", "outputs", "params", "text", "type")

    def __init__(
        self,
        text: str,
        type: str,
        name: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        params: tuple[Param, ...],
        line: int = 0,
        column: int = 1,
    ) -> None:
        self.text = text
        self.type = type
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.params = params
        self.line = line
        self.column = column

    def __repr__(self) -> str:
        return f"<LayerLine {self.line}: {self.text.strip()}>"

    def words(self) -> list[Word]:
        """All words with their places; those of a quoted string with blanks are several."""
        return list(_layout(self.text, self.line, self.column)[1])

    def word_span(self, index: int) -> Span:
        """Place of a word: 0 type, 1 name, 2 and 3 the counts, then inputs and outputs."""
        word = _layout(self.text, self.line, self.column)[1][index]
        return Span(word.line, word.column, len(word.text))

    def param_span(self, index: int) -> Span:
        """Place of the param ``self.params[index]``."""
        head = 4 + len(self.inputs) + len(self.outputs)
        return _param_spans(self.text, head, self.line, self.column)[index]

    def source_line(self, line: int) -> str:
        """One line of the record without its end, by its number in the file."""
        return _layout(self.text, self.line, self.column)[0][line - self.line]


@dataclass
class Header:
    """Magic and the declared counts.

    Attributes:
        text: Everything before the first record, as it stands.
        layer_count: Number of layers that the file declares.
        blob_count: Number of blobs that the file declares.
        span: Place of the two counts.
    """

    text: str
    layer_count: int
    blob_count: int
    span: Span


@dataclass
class ParamFile:
    r"""A whole file.

    Attributes:
        header: Magic and counts.
        layers: The records.
        trailing: Text after the last record.
        newline: The line end the file uses, ``"\\n"``, ``"\\r\\n"`` or ``"\\r"``.
        diagnostics: What the parser took but some release of ncnn does not.
        name: File name for messages, or None.
    """

    header: Header
    layers: list[LayerLine]
    trailing: str = ""
    newline: str = "\n"
    diagnostics: list[Diagnostic] = field(default_factory=list)
    name: str | None = None


def place(text: str, offset: int, line: int = 1, column: int = 1) -> tuple[int, int]:
    """Line and column of an offset in a text that begins at the given line and column."""
    start = 0
    for match in terminal("param", "LINE").finditer(text, 0, offset):
        if match.group()[-1] not in "\r\n":
            break
        start, line, column = match.end(), line + 1, 1
    return line, column + offset - start


@lru_cache(maxsize=16)
def _layout(text: str, line: int, column: int) -> tuple[tuple[str, ...], tuple[Word, ...]]:
    """Lines without their ends, and words, of a text that begins at a place.

    Remembered for the last few records, as one with a thousand faults is asked a thousand times.
    """
    lines: list[str] = terminal("param", "LINE").findall(" " * (column - 1) + text)
    word = terminal("param", "WORD")
    words = (
        Word(match.group(), number, match.start() + 1)
        for number, content in enumerate(lines, line)
        for match in word.finditer(content)
    )
    return tuple(content.rstrip("\r\n") for content in lines), tuple(words)


@lru_cache(maxsize=16)
def _param_spans(text: str, head: int, line: int, column: int) -> tuple[Span, ...]:
    """Places of the params of a record, which stand behind ``head`` words; remembered like ``_layout``."""
    lines, words = _layout(text, line, column)
    _, first, start = words[head]
    param = terminal("param", "PARAM")
    return tuple(
        Span(number, match.start() + 1, len(match.group()))
        for number in range(first, line + len(lines))
        for match in param.finditer(lines[number - line], start - 1 if number == first else 0)
    )
