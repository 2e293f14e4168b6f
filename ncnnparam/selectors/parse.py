"""Text to selectors; ``grammar/selector.lark`` defines the language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from lark import Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from ncnnparam.errors import ParseError, did_you_mean
from ncnnparam.ops import ParamSpec, registry
from ncnnparam.patterns.conditions import Condition, Literals, fit
from ncnnparam.selectors.selector import Both, Either, Not, Place, Reach, Selector, Trait, Types, Word
from ncnnparam.selectors.traits import NUMBERS, TEXTS
from ncnnparam.syntax import Value
from ncnnparam.syntax.grammar import parser, terminal
from ncnnparam.syntax.params import ParamsError, read_params
from ncnnparam.syntax.values import ID_RANGE

LONGEST = 10_000
"""Characters of a selector."""
DEEPEST = 50
"""How deep its terms may stand in each other."""
FUNCTIONS: Mapping[str, int] = MappingProxyType({"after": 1, "before": 1, "between": 2})
"""The functions, and how many places each takes."""
EMPTY_ARRAY = "[]"
_EQUALITY = ("=", "!=")
_NUMBER = re.compile("[0-9]{1,9}")

_WORDS_FOR = {
    "WORD": "a type",
    "KEY": "a trait or param",
    "COMPARE": "a comparison",
    "VALUE": "a value",
    "QUOTED": "a name in quotes",
    "FUNCTION": " or ".join(f"{name}(...)" for name in FUNCTIONS),
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": "a comma",
    "_AND": "and",
    "_OR": "or",
    "_NOT": "not",
}


def parse(text: str) -> Selector:
    """Reads a selector.

    Args:
        text: ``Convolution[kernel_w=3] and after(in0)`` for example; see ``docs/selectors.md``.

    Raises:
        ParseError: It is no selector, or it asks a type for a param or value that the type does not have; the
            error has the place.
    """
    if len(text) > LONGEST:
        raise ParseError(
            f"a selector has at most {LONGEST} characters, this one has {len(text)}", file="selector"
        )
    try:
        tree = parser("selector").parse(text, start="selector")
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    return _Builder(text).build(tree)


def is_word(text: str) -> bool:
    """Whether a text is a name, a type or a glob and nothing more."""
    return terminal("selector", "WORD").fullmatch(text) is not None


def fault(
    text: str, column: int, message: str, *, expected: Iterable[str] = (), hint: str | None = None
) -> ParseError:
    """An error that shows its place in a selector; ``column`` counts from 1."""
    return ParseError(
        message, file="selector", line=1, column=column, source_line=text, expected=expected, hint=hint
    )


def _syntax_error(text: str, error: UnexpectedInput) -> ParseError:
    """Says in the words of the language what Lark did not find."""
    names = getattr(error, "accepts", None) or getattr(error, "allowed", None) or ()
    expected = [words for name, words in _WORDS_FOR.items() if name in names]
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    offset = len(text) if ended else error.pos_in_stream or 0
    rest = text[offset:].split()
    message = f"'{rest[0]}' has no place here" if rest else "something is missing here"
    return fault(text, offset + 1, message, expected=expected)


class _Builder:
    """Turns the tree into a selector and checks what a grammar cannot."""

    def __init__(self, text: str) -> None:
        self.text = text

    def build(self, tree: Tree[Token], depth: int = 0) -> Selector:
        if depth > DEEPEST:
            raise fault(self.text, 1, f"terms stand in each other more than {DEEPEST} deep")
        if tree.data == "types":
            return self._types(tree)
        if tree.data == "trait":
            return self._trait(tree)
        if tree.data == "reach":
            return self._reach(tree, depth)
        terms = tuple(self.build(term, depth + 1) for term in tree.children if isinstance(term, Tree))
        if tree.data == "denial":
            return Not(terms[0])
        return Both(terms) if tree.data == "both" else Either(terms)

    def _types(self, tree: Tree[Token]) -> Types:
        words = tuple(_word(child) for child in tree.children if isinstance(child, Token))
        conditions = [self._condition(words, child) for child in tree.children if isinstance(child, Tree)]
        return Types(words, tuple(conditions))

    def _trait(self, tree: Tree[Token]) -> Trait:
        key, compare, *names = _tokens(tree)
        if key in NUMBERS:
            for name in names:
                if not _NUMBER.fullmatch(name):
                    raise self._error(f"{key} is a number of at most 9 digits, not '{name}'", name)
        elif key not in TEXTS:
            known = (*TEXTS, *NUMBERS)
            others = f"there are {', '.join(known)}; params stand behind a type: *[{key}{compare}...]"
            raise self._error(f"there is no trait '{key}'", key, hint=did_you_mean(key, known) or others)
        elif compare not in _EQUALITY:
            raise self._error(f"{key} is a word, which is compared by = and !=", compare)
        return Trait(str(key), str(compare), tuple(map(_word, names)))

    def _reach(self, tree: Tree[Token], depth: int) -> Reach:
        function, *parts = tree.children
        assert isinstance(function, Token)
        if function not in FUNCTIONS:
            hint = did_you_mean(function, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"
            raise self._error(f"there is no function '{function}'", function, hint=hint)
        if len(parts) != FUNCTIONS[function]:
            wanted = "one place" if FUNCTIONS[function] == 1 else "two places"
            raise self._error(f"{function}() takes {wanted}, not {len(parts)}", function)
        places: list[Place] = [
            self.build(part, depth + 1) if isinstance(part, Tree) else _word(part) for part in parts
        ]
        return Reach(str(function), tuple(places))

    def _condition(self, types: tuple[Word, ...], tree: Tree[Token]) -> Condition:
        key, compare, *words = _tokens(tree)
        id = int(key) if _NUMBER.fullmatch(key) else str(key)
        if key.isdecimal() and id not in ID_RANGE:
            raise self._error("the id of a param is within 0 to 31", key)
        specs = [spec for type in types for spec in self._specs(type, id, key)]
        values = tuple(self._value(word) for word in words)
        for value, word in zip(values, words, strict=True):
            self._check_value(value, word, specs, compare)
        return Condition(id, str(compare), Literals(values, "|".join(words)))

    def _specs(self, type: Word, id: int | str, key: Token) -> list[ParamSpec]:
        """What the registry knows of a param of a type, or of the types that a glob means."""
        known = [layer_type for name in _known(type) if (layer_type := registry.get(name)) is not None]
        specs = [spec for layer_type in known if (spec := layer_type.param(id)) is not None]
        if specs or isinstance(id, int):
            return specs
        if not known:
            near = registry.suggest(type.text)
            hint = f"{near} If not, use the id, as in 0=1" if near else "use the id, as in 0=1"
            raise self._error(f"the params of '{type}' are not known", key, hint=hint)
        near = did_you_mean(id, {spec.name for layer_type in known for spec in layer_type.params})
        if type.is_glob:
            raise self._error(f"no type '{type}' has a param '{id}'", key, hint=near)
        hint = near or f"ncnnparam explain {type} lists its params"
        raise self._error(f"{type} has no param '{id}'", key, hint=hint)

    def _check_value(self, value: Value, word: Token, specs: list[ParamSpec], compare: Token) -> None:
        """Raises ParseError for a value that none of some params can have."""
        taken = [fit(value, spec) for spec in specs if spec.reads(fit(value, spec))]
        if specs and not taken:
            spec = specs[0]
            words = ", ".join(spec.values.values())
            hint = f"there are {words}" if words else None
            raise self._error(f"{spec.name} is of type {spec.type}, not '{word}'", word, hint=hint)
        if compare not in _EQUALITY and not any(isinstance(one, (int, float)) for one in taken or [value]):
            raise self._error(f"{compare} compares numbers, and '{word}' is none", word)

    def _value(self, word: Token) -> Value:
        """What a text says: the language of models reads it."""
        if word == EMPTY_ARRAY:
            return ()
        try:
            params, notes = read_params(f"0={word}")
        except ParamsError as error:
            raise self._error(f"'{word}' is no value: {error.message}", word) from None
        for note in notes:
            if note.code != "mixed-array":
                raise self._error(note.message, word)
        return params[0].value

    def _error(self, message: str, place: Token, *, hint: str | None = None) -> ParseError:
        return fault(self.text, (place.start_pos or 0) + 1, message, hint=hint)


def _known(type: Word) -> Iterable[str]:
    """The types of the registry that a word may mean."""
    if not type.is_glob:
        return (type.text,)
    return (name for name in registry.names() if fnmatchcase(name, type.text))


def _word(token: Token) -> Word:
    quoted = token.type == "QUOTED"
    return Word(token[1:-1] if quoted else str(token), quoted, (token.start_pos or 0) + 1)


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]
