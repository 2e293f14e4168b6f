"""The formulas of the registry: ``weight_data_size // num_output``, ``not dynamic_weight and bias_term``.

``grammar/formula.lark`` says what they look like. A text is parsed once into small functions; nothing is ever
handed to Python's ``eval``. Values are ints as in the C++ source of the layers: ``//`` and ``%`` cut towards
zero, conditions are 1 or 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ncnnparam.errors import OpsError, did_you_mean

if TYPE_CHECKING:
    from ncnnparam.syntax.values import Value

Lookup: TypeAlias = "Callable[[str], Value]"
"""Gives the value of a name; for a name inside ``len()`` an array or a string, for others an int."""
_Run: TypeAlias = Callable[[Lookup], Any]

CONSTANTS = {"INT_MAX": 2**31 - 1}
"""Names with a value of their own."""
WORDS = frozenset(("if", "else", "and", "or", "not", "in"))
"""Words of the language, which are no names."""
_LONGEST = 300
"""Characters of a formula; so short a text cannot nest deeper than Python's stack allows."""


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    Attributes:
        text: As it was written.
        names: The names it takes as ints.
        measured: The names it takes the length of.
    """

    text: str
    names: frozenset[str]
    measured: frozenset[str]
    _run: _Run

    def __call__(self, lookup: Lookup) -> Any:
        """The value: an int, or a float if the formula is made by ``inv_sqrt``.

        Args:
            lookup: Gives the value of each of ``names`` and ``measured``.

        Raises:
            OpsError: It divides by zero.
        """
        try:
            return self._run(lookup)
        except ZeroDivisionError:
            raise OpsError(f"the formula '{self.text}' divides by zero") from None


@cache
def formula(text: str) -> Formula:
    """The formula of a text.

    Raises:
        OpsError: The text is no formula; the message says where.
    """
    if len(text) > _LONGEST:
        raise OpsError(f"a formula has at most {_LONGEST} characters, '{text[:40]}...' has {len(text)}")
    names: set[str] = set()
    measured: set[str] = set()
    run = _simple(text, names) or _build(_parse(text), names, measured)
    return Formula(text, frozenset(names), frozenset(measured), run)


def _simple(text: str, names: set[str]) -> _Run | None:
    """A number or a name, which is what most formulas are: no need to load a grammar for it."""
    if text.isascii() and text.isdecimal():
        return _constant(int(text))
    if text.isascii() and text.isidentifier() and text not in WORDS:
        return _name(text, names)
    return None


def _parse(text: str) -> Any:
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    from ncnnparam.syntax.grammar import parser

    try:
        return parser("formula").parse(text)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        fault = "it ends too early" if ended else f"nobody understands '{text[error.pos_in_stream :]}'"
        raise OpsError(
            f"'{text}' is no formula: {fault}",
            hint="a formula is made of ints, names, + - * // %, comparisons, and, or, not, in (...), "
            "A if B else C, ceil_div(a, b) and len(name)",
        ) from None


def _build(node: Any, names: set[str], measured: set[str]) -> _Run:
    """The function of a node of the tree; the names it uses are added to the sets."""
    kind, parts = node.data, node.children
    if kind == "number":
        return _constant(int(parts[0]))
    if kind == "name":
        return _name(str(parts[0]), names)
    if kind == "call" and parts[0] == "len":
        return _length(parts[1:], measured)
    if kind == "call":
        return _call(str(parts[0]), [_build(part, names, measured) for part in parts[1:]])
    runs = [_build(part, names, measured) for part in parts if hasattr(part, "data")]
    if kind == "binary" or kind == "comparison":
        return _binary(_OPERATORS[parts[1]], *runs)
    if kind == "choice":
        return _choice(*runs)
    if kind == "member":
        return lambda of: int(runs[0](of) in [run(of) for run in runs[1:]])
    if kind == "either":
        return lambda of: int(any(run(of) for run in runs))
    if kind == "both":
        return lambda of: int(all(run(of) for run in runs))
    (run,) = runs
    if kind == "denial":
        return lambda of: int(not run(of))
    return lambda of: -run(of)  # sign


def _constant(value: int) -> _Run:
    return lambda of: value


def _name(name: str, names: set[str]) -> _Run:
    if name in CONSTANTS:
        return _constant(CONSTANTS[name])
    names.add(name)
    return lambda of: of(name)


def _binary(do: Callable[[int, int], int], left: _Run, right: _Run) -> _Run:
    return lambda of: int(do(left(of), right(of)))


def _choice(value: _Run, condition: _Run, other: _Run) -> _Run:
    return lambda of: value(of) if condition(of) else other(of)


def _length(arguments: list[Any], measured: set[str]) -> _Run:
    if len(arguments) != 1 or arguments[0].data != "name":
        raise OpsError("len() takes the name of one array or string")
    name = str(arguments[0].children[0])
    measured.add(name)

    def run(of: Lookup) -> int:
        value = of(name)
        return len(value) if isinstance(value, (tuple, str)) else 0

    return run


def _call(name: str, arguments: list[_Run]) -> _Run:
    if name not in _FUNCTIONS:
        known = ("len", *_FUNCTIONS)
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise OpsError(f"formulas have no function '{name}'", hint=hint)
    arity, do = _FUNCTIONS[name]
    if len(arguments) != arity:
        raise OpsError(f"{name}() takes {arity} argument{'s'[: arity - 1]}, not {len(arguments)}")
    return lambda of: do(*[argument(of) for argument in arguments])


def _divide(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    return a - b * _divide(a, b)


def _inv_sqrt(n: int) -> float:
    """1 / sqrt(n) as C computes it for n > 0; infinity for what a sound layer never has."""
    return 1 / math.sqrt(n) if n > 0 else math.inf


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": _divide,
    "%": _remainder,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FUNCTIONS: dict[str, tuple[int, Callable[..., int | float]]] = {
    "ceil_div": (2, lambda a, b: _divide(a + b - 1, b)),
    "inv_sqrt": (1, _inv_sqrt),
}
