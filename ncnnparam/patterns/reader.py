"""What lines of patterns and of replacements have in common: counts, blobs, keys and values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from lark import Token, Tree

from ncnnparam.errors import OpsError
from ncnnparam.ops import registry
from ncnnparam.ops.formula import formula
from ncnnparam.patterns.conditions import Bound, Computed, Literals, Operand, fit, spec_of
from ncnnparam.patterns.text import PatternText
from ncnnparam.syntax import Value
from ncnnparam.syntax.params import ParamsError, read_params
from ncnnparam.syntax.values import OLD_ARRAY_BASE

MOST_LINES = 64
"""Lines of one pattern or replacement."""
EMPTY_ARRAY = "[]"


class Line(NamedTuple):
    """The parts of a line that stands for a layer."""

    type: Token
    name: Token
    n_inputs: Token
    n_outputs: Token
    blobs: Tree[Token]
    params: Tree[Token]


class Reader:
    """What lines of patterns and of replacements have in common."""

    def __init__(self, source: PatternText) -> None:
        self.source = source

    @staticmethod
    def parts(line: Tree[Token]) -> Line:
        """The parts of a line."""
        return Line(*cast("list[Any]", line.children))

    def check_count(self, lines: Tree[Token]) -> None:
        """Raises ParseError if there are too many lines."""
        if len(lines.children) > MOST_LINES:
            place = next(tokens(lines.children[MOST_LINES]))
            raise self.source.error(f"there are more than {MOST_LINES} lines", place)

    def text_of(self, lines: Tree[Token]) -> str:
        """The text that lines were read from."""
        numbers = [token.line or 0 for token in tokens(lines)]
        return "\n".join(self.source.lines[min(numbers) - 1 : max(numbers)]) if numbers else ""

    def counted(self, count: Token, blobs: list[Token], what: str) -> bool:
        """Checks a count; returns whether one variable stands for all."""
        if count == "*":
            if len(blobs) != 1:
                raise self.source.error(f"* {what} are one variable, which stands for all", count)
            return True
        return False

    def cut(self, inputs: Token, outputs: Token, blobs: list[Token]) -> tuple[list[Token], list[Token]]:
        """Which blob words are inputs and which outputs."""
        wanted = [1 if count == "*" else int(count) for count in (inputs, outputs)]
        if any(count < 0 for count in wanted) or sum(wanted) != len(blobs):
            said = f"{wanted[0]} and {wanted[1]}"
            message = f"the counts say {said} blobs, and there are {len(blobs)}"
            raise self.source.error(message, blobs[0] if blobs else outputs)
        return blobs[: wanted[0]], blobs[wanted[0] :]

    def key(self, token: Token) -> int | str:
        """The id or the name of a param; an array of the old style has its plain id."""
        if token.type == "ARRAY_ID":
            return OLD_ARRAY_BASE - int(token)
        return int(token) if token.isdecimal() else str(token)

    def operand(self, key: Token, words: list[Token]) -> Operand:
        """What stands behind a comparison."""
        first = words[0]
        if first.type == "BINDING":
            return Bound(first[1:])
        if first.type == "FORMULA":
            try:
                return Computed(formula(first[1:-1].strip()))
            except OpsError as error:
                raise self.source.error(error.message, first, hint=error.hint) from None
        return Literals(tuple(self._value(key, word) for word in words), "|".join(words))

    def check_key(self, type: str, key: Token, words: list[Token]) -> None:
        """Raises ParseError for a param that a known type does not have, or that takes no such value."""
        id = self.key(key)
        spec = spec_of(type, id)
        if spec is None:
            if isinstance(id, int):
                return
            known = registry.get(type)
            hint = known.suggest(id) if known else "use the id of the param"
            has = f"has no param '{id}'" if known else "is not known, nor are the names of its params"
            raise self.source.error(f"{type} {has}", key, hint=hint)
        for word in words:
            if word.type == "VALUE" and not spec.reads(fit(self._value(key, word), spec)):
                words_for = ", ".join(spec.values.values())
                hint = f"there are {words_for}" if words_for else None
                raise self.source.error(f"{spec.name} is of type {spec.type}, not '{word}'", word, hint=hint)

    def _value(self, key: Token, word: Token) -> Value:
        """What a text says: the language of models reads it."""
        if word == EMPTY_ARRAY:
            return ()
        prefix = key if key.type == "ARRAY_ID" else "0"
        try:
            params, notes = read_params(f"{prefix}={word}")
        except ParamsError as error:
            offset = min(max(0, error.offset - len(prefix) - 1), len(word) - 1)
            raise self.source.error(error.message, word, offset=offset) from None
        for note in notes:
            if note.code != "mixed-array":
                raise self.source.error(note.message, word)
        return params[0].value


def tokens(part: Tree[Token] | Token) -> Iterator[Token]:
    """The words of a part of a tree, in their order."""
    if isinstance(part, Token):
        yield part
        return
    for child in part.children:
        yield from tokens(child)
