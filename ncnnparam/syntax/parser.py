"""Text to syntax tree.

Most records stand on one line, and ``str.split`` cuts such a line into its words; the unusual ones (a head
over several lines, blank lines, texts with odd blanks in them) take the slow way through the grammar's
LINE and WORD terminals. Both give the same tree.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from lark.exceptions import UnexpectedInput, UnexpectedToken

from ncnnparam.collector import collector_paused
from ncnnparam.errors import ParseError
from ncnnparam.syntax import foreign
from ncnnparam.syntax.grammar import parser, terminal
from ncnnparam.syntax.params import ParamsError, read_params
from ncnnparam.syntax.tree import Diagnostic, Header, LayerLine, ParamFile, Span, place
from ncnnparam.syntax.values import Param

MAX_COUNT = 1_000_000
"""ncnn refuses more layers, blobs, inputs or outputs (max_net_count in its net.cpp)."""
_LONGEST_WORD = 255
_LONGEST_COUNT = 31
_BLANKS = " \t\v\f\r\n"
# the ASCII characters at which str.splitlines or str.split part a text and the terminals LINE or WORD do not
_ODD_BLANKS = "\v\f\x1c\x1d\x1e\x1f"


class Dialect(enum.Enum):
    """Which texts are taken.

    ``STRICT`` is what ncnn 1.0.20261020 reads, with records after the declared number ignored as it does.
    ``COMPAT`` also takes what releases up to 20260526 read (``2.f``, params over several lines), with a
    diagnostic, and reads every record in the file, whatever number the file declares.
    """

    STRICT = "strict"
    COMPAT = "compat"


@collector_paused()
def parse(text: str, *, name: str | None = None, dialect: Dialect = Dialect.COMPAT) -> ParamFile:
    """Reads a whole file.

    Args:
        text: The file; bytes that are no UTF-8 come as surrogate escapes.
        name: File name for messages.
        dialect: Which texts to take.

    Raises:
        ParseError: The text is no ``.param`` file; known foreign files are named.
    """
    return _FileParser(text, name, dialect).parse()


def unparse(tree: ParamFile) -> str:
    """The text of a tree, byte for byte as it was read."""
    return "".join([tree.header.text, *[layer.text for layer in tree.layers], tree.trailing])


class _RecordError(Exception):
    """A record that cannot be read; line and column are places in the file."""

    def __init__(self, message: str, line: int, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected


class _FileParser:
    """One pass over the lines of a file."""

    def __init__(self, text: str, name: str | None, dialect: Dialect) -> None:
        self.text = text
        self.name = name
        self.strict = dialect is Dialect.STRICT
        plain = text.isascii() and not any(char in text for char in _ODD_BLANKS)
        self.lines: list[str] = (
            text.splitlines(keepends=True) if plain else terminal("param", "LINE").findall(text)
        )
        self.index = 0  # the next line to read
        self.column = 1  # where that line's unread part begins
        self.layers: list[LayerLine] = []
        self.diagnostics: list[Diagnostic] = []
        self.split: Callable[[str, None, int], list[str]] = str.split if plain else _exact_split
        self.longest = _LONGEST_WORD if plain else _LONGEST_WORD // 4  # in such a line no word is too long

    def parse(self) -> ParamFile:
        if "\0" in self.text:
            self._fail_on_nul()
        if not self.text.isascii():
            self._fail_on_surrogates()
        header = self._header()
        try:
            trailing = self._records(header)
        except _RecordError as error:
            raise self._error(error) from None
        newline = next((end for end in ("\r\n", "\n", "\r") if self.lines[0].endswith(end)), "\n")
        return ParamFile(header, self.layers, trailing, newline, self.diagnostics, self.name)

    # ---- head of the file -----------------------------------------------------------------------

    def _header(self) -> Header:
        words = []
        for match in terminal("param", "WORD").finditer(self.text):
            words.append(match)
            if len(words) == 3:
                break
        end = words[-1].end() if words else 0
        try:
            tree = parser("param").parse(self.text[:end], start="header")
        except UnexpectedInput as error:
            ends_early = isinstance(error, UnexpectedToken) and error.token.type == "$END"
            raise self._header_error(end if ends_early else error.pos_in_stream or 0) from None
        line, column = place(self.text, words[1].start())
        span = Span(line, column, max(end - words[1].start(), 1) if words[1].end() < end else 1)
        magic, *declared = [str(token) for token in tree.children]
        too_long = max(map(len, (magic, *declared))) > _LONGEST_COUNT
        counts = [0, 0] if too_long else [int(count) for count in declared]
        if too_long or any(abs(count) > MAX_COUNT for count in counts) or (self.strict and min(counts) <= 0):
            message = f"the file declares {declared[0][:40]} layers and {declared[1][:40]} blobs"
            raise self._error(_RecordError(message, line, column, (f"counts from 1 to {MAX_COUNT:,}",)))
        self.index, self.column = place(self.text, end)
        self.index -= 1
        rest = self.lines[self.index][self.column - 1 :] if self.index < len(self.lines) else ""
        if not rest.strip(_BLANKS):  # the usual case: the header ends with its line
            end += len(rest)
            self.index, self.column = self.index + 1, 1
        return Header(self.text[:end], counts[0], counts[1], span)

    def _header_error(self, offset: int) -> ParseError:
        found = foreign.recognise(self.text)
        if found:
            return ParseError(found.message, file=self.name, hint=found.hint, code=self._code)
        line, column = place(self.text, offset)
        message = "this is no .param file: its head is not the magic number and two counts"
        first_word = terminal("param", "WORD").search(self.text)
        in_magic = first_word is None or offset < first_word.end()
        expected = ("7767517",) if in_magic else ("a count",)
        return self._error(_RecordError(message, line, column, expected))

    # ---- records --------------------------------------------------------------------------------

    def _records(self, header: Header) -> str:
        """Reads the records and returns the text after the last one."""
        try:
            self._read_records(header.layer_count if self.strict else len(self.lines))
        except _RecordError:
            if len(self.layers) < header.layer_count:
                raise  # else: not even ncnn looks at what follows the declared records
        if self.strict and len(self.layers) < header.layer_count:
            message = f"the file declares {header.layer_count} layers and has {len(self.layers)}"
            raise _RecordError(message, header.span.line, header.span.column)
        return self._rest()

    def _read_records(self, most: int) -> None:
        lines, layers, counts, split, longest = self.lines, self.layers, _COUNTS, self.split, self.longest
        known: dict[str, tuple[Param, ...]] = {}  # the same params stand on many lines
        total = len(lines)
        while self.index < total and len(layers) < most:
            line = lines[self.index]
            words = split(line, None, 4)
            if len(words) < 4 or self.column > 1 or len(line) > longest:
                inputs = None
            else:
                inputs, outputs = counts.get(words[2]), counts.get(words[3])
            if inputs is None or outputs is None:
                if not (self._continued_params() or self._record_by_words()):
                    return
                continue
            blobs = split(words[4], None, inputs + outputs) if len(words) == 5 else []
            if len(blobs) < inputs + outputs:
                self._record_by_words()
                continue
            params: tuple[Param, ...] = ()
            if len(blobs) > inputs + outputs:
                rest = blobs.pop()
                found = known.get(rest)
                if found is None:
                    found = self._params(rest, self.index + 1, line)
                    if not self.diagnostics:  # else each odd one is noted where it stands
                        known[rest] = found
                params = found
            self.index += 1
            names = tuple(blobs)
            layers.append(
                LayerLine(line, words[0], words[1], names[:inputs], names[inputs:], params, self.index)
            )

    def _record_by_words(self) -> bool:
        first, column = self.index, self.column
        last = first
        words: list[tuple[str, int, int]] = []  # text, line index, offset in that line
        need = 4
        inputs = outputs = 0
        while len(words) < need:
            if last == len(self.lines):
                if not words:
                    return False
                raise self._head_error(words, need)
            offset = column - 1 if last == first else 0
            for match in terminal("param", "WORD").finditer(self.lines[last], offset):
                words.append((match.group(), last, match.end()))
                self._check_word(words[-1], match.start(), counting=len(words) in (3, 4))
                if len(words) == 4:
                    inputs, outputs = int(words[2][0]), int(words[3][0])
                    need += inputs + outputs
                if len(words) == need:
                    break
            last += 1
        _, last, end = words[-1]
        line = self.lines[last]
        params: tuple[Param, ...] = ()
        if line[end:].strip(_BLANKS):
            params = self._params(line[end:].lstrip(_BLANKS), last + 1, line)
        names = tuple(word for word, _, _ in words[4:])
        text = "".join([self.lines[first][column - 1 :], *self.lines[first + 1 : last + 1]])
        layer = LayerLine(
            text, words[0][0], words[1][0], names[:inputs], names[inputs:], params, first + 1, column
        )
        self.layers.append(layer)
        self.index, self.column = last + 1, 1
        return True

    def _continued_params(self) -> bool:
        """Takes a line of nothing but params for more params of the record above, as older readers do."""
        line = self.lines[self.index]
        text = line.lstrip(_BLANKS)
        if self.strict or not self.layers or self.column > 1 or not terminal("param", "ID").match(text):
            return False
        words = line.split(None, 4)
        if len(words) >= 4 and words[2] in _COUNTS and words[3] in _COUNTS:
            return False  # a layer after all, whose type is a word like 0=5
        layer = self.layers[-1]
        params = self._params(text, self.index + 1, line)
        layer.params += params
        layer.text += line
        self.diagnostics.append(
            Diagnostic(
                "continued-params",
                f"the params of '{layer.name}' go on in a line of their own: releases up to 20260526 read "
                "them, newer ones take the line for a layer",
                Span(self.index + 1, len(line) - len(text) + 1, len(text.rstrip(_BLANKS))),
            )
        )
        self.index += 1
        return True

    def _params(self, text: str, line_number: int, line: str) -> tuple[Param, ...]:
        """The params at the end of a line, with their diagnostics noted."""
        try:
            found = read_params(text.rstrip(_BLANKS))
        except ParamsError as error:
            column = len(line) - len(text) + error.offset + 1
            raise _RecordError(error.message, line_number, column, error.expected) from None
        if found.notes:
            column = len(line) - len(text) + 1
            for note in found.notes:
                if self.strict and note.code != "mixed-array":
                    raise _RecordError(note.message, line_number, column + note.offset)
                span = Span(line_number, column + note.offset, note.length)
                self.diagnostics.append(Diagnostic(note.code, note.message, span))
        return found.params

    def _rest(self) -> str:
        if self.index >= len(self.lines):
            return ""
        return "".join([self.lines[self.index][self.column - 1 :], *self.lines[self.index + 1 :]])

    # ---- errors ---------------------------------------------------------------------------------

    def _check_word(self, word: tuple[str, int, int], start: int, *, counting: bool) -> None:
        text, index, _ = word
        if counting:
            if not terminal("param", "COUNT").fullmatch(text) or len(text) > _LONGEST_COUNT:
                message = f"'{text[:40]}' stands where a layer has its number of inputs or outputs"
                raise _RecordError(message, index + 1, start + 1, ("type name inputs outputs ...",))
            if not 0 <= int(text) <= MAX_COUNT:
                message = f"a layer cannot have {text} inputs or outputs"
                raise _RecordError(message, index + 1, start + 1, (f"a count from 0 to {MAX_COUNT:,}",))
        elif len(text) * 4 > _LONGEST_WORD and len(text.encode("utf-8", "surrogateescape")) > _LONGEST_WORD:
            message = f"'{text[:40]}...' is too long: a type or name has at most {_LONGEST_WORD} bytes"
            raise _RecordError(message, index + 1, start + 1)

    def _head_error(self, words: list[tuple[str, int, int]], need: int) -> _RecordError:
        _text, index, end = words[-1]
        short = need - len(words)
        message = f"the file ends within a layer, {short} word{'s' if short > 1 else ''} short"
        what = "a blob name" if len(words) >= 4 else "type, name, inputs, outputs"
        return _RecordError(message, index + 1, end + 1, (what,))

    def _fail_on_nul(self) -> None:
        found = None if self._begins_well else foreign.recognise(self.text)
        if found:
            raise ParseError(found.message, file=self.name, hint=found.hint, code=self._code)
        line, column = place(self.text, self.text.index("\0"))
        message = "a NUL byte: ncnn would cut the word or the line there without a message"
        raise self._error(_RecordError(message, line, column))

    def _fail_on_surrogates(self) -> None:
        """Refuses text that has no bytes; it cannot come from a file."""
        try:
            self.text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            line, column = place(self.text, error.start)
            message = f"the character {self.text[error.start]!r} cannot be written to a file"
            raise self._error(_RecordError(message, line, column)) from None

    def _error(self, error: _RecordError) -> ParseError:
        source = self.lines[error.line - 1].rstrip("\r\n") if error.line <= len(self.lines) else ""
        found = foreign.recognise_dialect(self.text)
        return ParseError(
            error.message,
            file=self.name,
            line=error.line,
            column=error.column,
            source_line=source,
            expected=error.expected,
            hint=found.hint if found else None,
            code=self._code,
        )

    @property
    def _begins_well(self) -> bool:
        first_word = terminal("param", "WORD").search(self.text)
        return first_word is not None and bool(terminal("param", "MAGIC").fullmatch(first_word.group()))

    @property
    def _code(self) -> str:
        """Of the rule that a faulty text breaks: ``magic`` if it does not begin as a ``.param`` does."""
        return "NP101" if self._begins_well else "NP102"


# Counts stand on every line and are small; a larger or oddly spelled one takes the slow way.
_COUNTS = {str(count): count for count in range(1000)}


def _exact_split(text: str, _: None, most: int) -> list[str]:
    """``str.split`` that parts words only where C's isspace does."""
    words: list[str] = []
    for match in terminal("param", "WORD").finditer(text):
        if len(words) == most:
            return [*words, text[match.start() :]]
        words.append(match.group())
    return words
