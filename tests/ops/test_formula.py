"""The formula language: Python's words and precedence, C's numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import OpsError
from ncnnparam.ops.formula import formula
from ncnnparam.syntax import Value

VALUES: dict[str, Value] = {"a": 7, "b": -2, "c": 0, "items": (1, 2, 3), "none": (), "text": "0w,0h"}


def value(text: str) -> object:
    return formula(text)(VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("a", 7),
        ("INT_MAX", 2**31 - 1),
        ("a + b * 2", 3),
        ("(a + b) * 2", 10),
        ("a - b - 1", 8),
        ("-a + 1", -6),
        ("a - -b", 5),
        ("a // 2", 3),
        ("-a // 2", -3),
        ("a // b", -3),
        ("a % 4", 3),
        ("-a % 4", -3),
        ("a == 7", 1),
        ("a != 7", 0),
        ("a < b", 0),
        ("a >= 7", 1),
        ("not a", 0),
        ("not c and a", 1),
        ("not (c or a)", 0),
        ("not a in (7, 8)", 0),
        ("a in (1, 2 + 5)", 1),
        ("a and b", 1),
        ("c or b", 1),
        ("1 if c else 2 if b else 3", 2),
        ("ceil_div(a, 4)", 2),
        ("ceil_div(8, 4)", 2),
        ("inv_sqrt(4)", 0.5),
        ("inv_sqrt(0)", math.inf),
        ("len(items)", 3),
        ("len(none) == 0", 1),
        ("len(text)", 5),
    ],
)
def test_values(text: str, expected: float) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_only_what_counts_is_computed() -> None:
    assert value("c and a // c") == 0
    assert value("a or a // c") == 1
    assert value("1 if a else a // c") == 1


def test_names() -> None:
    parsed = formula("a if len(items) > b else INT_MAX")
    assert parsed.names == {"a", "b"}
    assert parsed.measured == {"items"}
    assert formula("a").names == {"a"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "ends too early"),
        ("a +", "ends too early"),
        ("(a", "ends too early"),
        ("a b", "nobody understands 'b'"),
        ("a $ b", r"nobody understands '\$ b'"),
        ("a < b < c", "nobody understands '< c'"),
        ("a / b", "nobody understands '/ b'"),
        ("a ** 2", r"nobody understands '\* 2'"),
        ("if", "nobody understands 'if'"),
        ("a.b", r"nobody understands '\.b'"),
        ("__import__('os')", "nobody understands"),
        ("open(a)", "no function 'open'"),
        ("ceil_div(a)", r"takes 2 arguments, not 1"),
        ("inv_sqrt(a, b)", r"takes 1 argument, not 2"),
        ("len(a + b)", "the name of one array or string"),
        ("a" * 301, "at most 300 characters"),
        ("(" * 301, "at most 300 characters"),
        ("é", "nobody understands"),
    ],
)
def test_what_is_no_formula(text: str, complaint: str) -> None:
    with pytest.raises(OpsError, match=complaint) as caught:
        value(text)
    assert "\n" not in caught.value.message


def test_near_functions_are_suggested() -> None:
    with pytest.raises(OpsError) as caught:
        formula("ceildiv(a, b)")
    assert caught.value.hint == "did you mean ceil_div?"


@pytest.mark.parametrize("text", ["a // c", "a % c", "ceil_div(a, c)"])
def test_division_by_zero(text: str) -> None:
    with pytest.raises(OpsError, match="divides by zero"):
        value(text)


@pytest.mark.parametrize("text", ["-" * 299 + "a", "not " * 74 + "a", "(" * 149 + "a" + ")" * 149])
def test_deep_formulas(text: str) -> None:
    assert value(text) in (7, -7, 1)


class C(int):
    """An int that divides as in C."""

    def __floordiv__(self, other: int) -> C:
        return C(math.trunc(abs(self).__floordiv__(abs(other)) * (1 if (self < 0) == (other < 0) else -1)))

    def __mod__(self, other: int) -> C:
        return C(int(self) - int(other) * int(C(self) // other))

    def __add__(self, other: int) -> C:
        return C(int(self) + int(other))

    def __sub__(self, other: int) -> C:
        return C(int(self) - int(other))

    def __mul__(self, other: int) -> C:
        return C(int(self) * int(other))

    def __neg__(self) -> C:
        return C(-int(self))


def words(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A formula made of two others, sometimes without parentheses so that precedence counts."""
    operators = st.sampled_from(["+", "-", "*", "//", "%", "and", "or"])
    pairs = st.tuples(inner, operators, inner).map(" ".join)
    compared = st.tuples(inner, st.sampled_from(["==", "<", ">=", "!="]), inner).map(
        "({0[0]} {0[1]} {0[2]})".format
    )
    choices = st.tuples(inner, inner, inner).map("{0[0]} if {0[1]} else {0[2]}".format)
    members = st.tuples(inner, inner, inner).map("({0[0]} in ({0[1]}, {0[2]}))".format)
    return st.one_of(
        pairs,
        compared,
        members,
        inner.map("not {}".format),
        inner.map("-({})".format),
        choices.map("({})".format),
    )


@given(
    st.recursive(st.sampled_from(["a", "b", "c", "3", "10"]), words, max_leaves=12),
    st.fixed_dictionaries({name: st.integers(-9, 9) for name in "abc"}),
)
def test_precedence_is_that_of_python(text: str, values: dict[str, int]) -> None:
    # `not` binds less than what may follow it in Python, and there it is an error to write 1 + not 2
    numbers = {name: C(number) for name, number in values.items()} | {"__builtins__": {}}
    try:
        code = compile(text.replace("3", "three").replace("10", "ten"), "formula", "eval")
    except SyntaxError:
        with pytest.raises(OpsError):
            formula(text)
        return
    if len(text) > 300:
        return
    try:
        expected = eval(code, numbers | {"three": C(3), "ten": C(10)})
    except ZeroDivisionError:
        with pytest.raises(OpsError, match="divides by zero"):
            formula(text)(values.__getitem__)
        return
    found = formula(text)(values.__getitem__)
    # and, or: Python gives an operand, a formula 1 or 0
    assert bool(found) == bool(expected)
    if " and " not in text and " or " not in text:
        assert found == expected
