"""Text of params to typed values.

The same params stand on many lines (the 2,585 layers of a Zipformer have 144 different lists), so both
a list and a single param are parsed once and remembered by their text.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ncnnparam.errors import ParseError
from ncnnparam.syntax.grammar import parser, terminal
from ncnnparam.syntax.values import (
    FLOAT_LIMIT,
    FLOAT_MAX,
    ID_RANGE,
    INT_RANGE,
    OLD_ARRAY_BASE,
    Param,
    Style,
    Value,
)

_BLANKS = " \t\v\f\r\n"
_LONGEST_ID = 15
_LONGEST_NUMBER = 127
_LONGEST_STRING = 255

_WORDS_FOR = {
    "ID": "an id and '='",
    "ARRAY_ID": "an id and '='",
    "INT": "a number",
    "FLOAT": "a number",
    "JUNK": "a number",
    "STRING": "a string",
    "QUOTED": "a string in quotes",
    "COMMA": "','",
}


class Note(NamedTuple):
    """Something odd in params: code and message of a Diagnostic, and its place in the text."""

    code: str
    message: str
    offset: int
    length: int


class Params(NamedTuple):
    """What a text of params says."""

    params: tuple[Param, ...]
    notes: tuple[Note, ...] = ()


class ParamsError(Exception):
    """The text says no params; ``offset`` and ``length`` tell where."""

    def __init__(self, message: str, offset: int, length: int = 1, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.expected = expected


def parse_params(text: str) -> tuple[Param, ...]:
    """Reads params from text such as ``0=1 -23303=2,5,6``.

    Raises:
        ParseError: The text has another form; the error has the place.
    """
    lead = len(text) - len(text.lstrip(_BLANKS))
    try:
        return read_params(text.strip(_BLANKS)).params
    except ParamsError as error:
        raise ParseError(
            error.message, line=1, column=lead + error.offset + 1, source_line=text, expected=error.expected
        ) from None


@lru_cache(maxsize=65536)
def read_params(text: str) -> Params:
    """Params of one line, without blanks around them.

    Raises:
        ParamsError: The text has another form.
    """
    params: list[Param] = []
    notes: list[Note] = []
    for match in terminal("param", "PARAM").finditer(text):
        try:
            param, own = _read_param(match.group())
        except ParamsError as error:
            raise ParamsError(
                error.message, match.start() + error.offset, error.length, error.expected
            ) from None
        params.append(param)
        notes += [note._replace(offset=match.start() + note.offset) for note in own]
    return Params(tuple(params), tuple(notes))


@lru_cache(maxsize=65536)
def _read_param(text: str) -> tuple[Param, tuple[Note, ...]]:
    try:
        tree = parser("param").parse(text, start="param")
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    return _Builder(text).build(tree)


class _Builder:
    """Turns the tree of one param into a value and checks what a grammar cannot: ranges and lengths."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.notes: list[Note] = []

    def build(self, tree: Tree[Token]) -> tuple[Param, tuple[Note, ...]]:
        id_token, *rest = tree.children
        assert isinstance(id_token, Token)
        id = self._id(id_token)
        value: Value
        if id <= OLD_ARRAY_BASE:
            id = OLD_ARRAY_BASE - id
            value, style = self._old_array(self._tokens(tree)[1:], id_token), Style.OLD_ARRAY
        elif isinstance(rest[0], Tree):
            value, style = self._new_array(self._tokens(rest[0])), Style.NEW_ARRAY
        else:
            value, style = self._scalar(rest[0])
        if id not in ID_RANGE:
            self._note("id-range", f"id {id} is not within 0 to 31", id_token)
        return Param(id, value, style, self.text), tuple(self.notes)

    def _id(self, token: Token) -> int:
        if len(token) > _LONGEST_ID:
            raise self._error(f"an id has at most {_LONGEST_ID} characters", token)
        id = int(token)
        if id not in INT_RANGE:
            raise self._error(f"id {id} is beyond a 32-bit int", token)
        return id

    def _scalar(self, token: Token) -> tuple[int | float | str, Style]:
        if token.type in ("STRING", "QUOTED"):
            string = str(token)[1:-1] if token.type == "QUOTED" else str(token)
            if len(string.encode("utf-8", "surrogateescape")) > _LONGEST_STRING:
                raise self._error(f"a string has at most {_LONGEST_STRING} bytes", token)
            return string, Style.QUOTED if token.type == "QUOTED" else Style.STRING
        number = self._number(token)
        return number, Style.FLOAT if isinstance(number, float) else Style.INT

    def _old_array(self, tokens: list[Token], id_token: Token) -> tuple[int | float, ...]:
        length, *items = tokens
        if length.type != "INT" or any(item.type in ("STRING", "QUOTED") for item in items):
            raise self._error("an array of the old style is its length, then as many numbers", length)
        if self._number(length) != len(items):
            raise self._error(f"the array says it has {length} elements, and has {len(items)}", length)
        values = tuple(self._number(item) for item in items)
        if len({type(value) for value in values}) > 1:
            kind = "float" if isinstance(values[-1], float) else "int"
            message = f"ints and floats in one array: ncnn takes the bits of all for {kind}, like the last"
            self._note("mixed-array", message, id_token)
        return values

    def _new_array(self, tokens: list[Token]) -> tuple[int | float, ...]:
        first = self._number(tokens[0])
        as_float = isinstance(first, float)  # then ncnn reads all as floats, 2 and 99999999999 too
        values = [first, *(self._number(token, as_float=as_float) for token in tokens[1:])]
        if as_float:
            return tuple(values)
        for index, token in enumerate(tokens):
            if isinstance(values[index], float):
                message = f"'{token}' in an array of ints: releases up to 20260526 read its leading digits"
                self._note("junk-number", f"{message}, newer ones refuse the file", token)
                values[index] = self._leading_int(token)
        return tuple(values)

    def _number(self, token: Token, *, as_float: bool = False) -> int | float:
        if len(token) > _LONGEST_NUMBER:
            raise self._error(f"a number has at most {_LONGEST_NUMBER} characters", token)
        text = str(token)
        if token.type == "JUNK":
            text = self._leading_number(token)
            message = f"'{token}' has something behind the number: releases up to 20260526 read {text}"
            self._note("junk-number", f"{message}, newer ones refuse the file", token)
        if not (as_float or _is_float(text)):
            number = int(text)
            if number not in INT_RANGE:
                raise self._error(f"{text} is beyond a 32-bit int", token)
            return number
        real = float(text)
        # only a text that rounds to the limit itself needs exact arithmetic; of 1e9999999 it would be endless
        if abs(real) > FLOAT_LIMIT or (abs(real) == FLOAT_LIMIT and abs(Fraction(text)) >= FLOAT_LIMIT):
            raise self._error(f"{text} is beyond a 32-bit float", token)
        return max(-FLOAT_MAX, min(real, FLOAT_MAX))

    def _leading_number(self, token: Token) -> str:
        """The part that older readers take: a float if a point or an ``e`` stands anywhere, else an int."""
        name = "LEADING_FLOAT" if _is_float(token) else "LEADING_INT"
        match = terminal("param", name).match(token)
        if match is None:
            raise self._error(f"'{token}' is no number", token)
        return match.group() if name == "LEADING_INT" else f"{float(match.group())}"

    def _leading_int(self, token: Token) -> int:
        match = terminal("param", "LEADING_INT").match(token)
        if match is None:
            raise self._error(f"'{token}' in an array of ints", token)
        return int(match.group())

    @staticmethod
    def _tokens(tree: Tree[Token]) -> list[Token]:
        return list(tree.scan_values(lambda value: isinstance(value, Token)))

    def _note(self, code: str, message: str, token: Token) -> None:
        self.notes.append(Note(code, message, token.start_pos or 0, len(token)))

    @staticmethod
    def _error(message: str, token: Token) -> ParamsError:
        return ParamsError(message, token.start_pos or 0, len(token))


def _is_float(text: str) -> bool:
    return "." in text or "e" in text or "E" in text


def _syntax_error(text: str, error: UnexpectedInput) -> ParamsError:
    """Says in the words of the language what Lark did not find."""
    offset = len(text)
    if isinstance(error, UnexpectedCharacters) or (
        isinstance(error, UnexpectedToken) and error.token.type != "$END"
    ):
        offset = error.pos_in_stream or 0
    allowed = getattr(error, "accepts", None) or getattr(error, "allowed", None) or ()
    expected = tuple(sorted({_WORDS_FOR[name] for name in allowed if name in _WORDS_FOR}))
    if offset >= len(text):
        return ParamsError(f"'{text}' ends too early", len(text), 1, expected)
    if "=" not in text:
        return ParamsError(f"'{text}' is no param", 0, len(text), ("id=value",))
    return ParamsError(f"'{text}' is no param", offset, 1, expected)
