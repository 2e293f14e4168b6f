"""The text of ``pnnx.Expression``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.passes.pnnx.expressions import (
    MOST_DEPTH,
    Call,
    Expression,
    Input,
    NotArithmeticError,
    operations,
    parse_expression,
)


def test_reads() -> None:
    found = parse_expression("mul(@0,pow(add(@1,0.25),-5e-1))")
    inner = Call("pow", (Call("add", (Input(1), 0.25)), -0.5))
    assert found == Call("mul", (Input(0), inner))


@pytest.mark.parametrize(
    "text",
    ["", "mul(", "mul(@0", "mul(@0,)", "mul)", "@", "@0,@1", "[@0,@1]", "mul(@0,@1))", "x", "1+1", "a b"],
)
def test_refuses(text: str) -> None:
    with pytest.raises(NotArithmeticError):
        parse_expression(text)


def test_depth_has_a_limit() -> None:
    with pytest.raises(NotArithmeticError, match="deep"):
        parse_expression("neg(" * (MOST_DEPTH + 2) + "@0" + ")" * (MOST_DEPTH + 2))


def test_names_come_from_the_registry() -> None:
    assert operations("BinaryOp")[:3] == ("add", "sub", "mul")
    assert operations("UnaryOp")[2] == "floor"
    assert operations("ReLU") == operations("") == ()


def calls(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    names = st.sampled_from(["add", "mul", "pow", "neg"])
    return st.builds(Call, names, st.lists(children, min_size=1, max_size=3).map(tuple))


def spell(expression: Expression) -> str:
    if isinstance(expression, Call):
        return f"{expression.name}({','.join(map(spell, expression.arguments))})"
    return f"@{expression.index}" if isinstance(expression, Input) else repr(expression)


LEAVES = st.integers(0, 9).map(Input) | st.floats(-1e6, 1e6, allow_nan=False)


@given(st.recursive(LEAVES, calls, max_leaves=12))
def test_what_is_spelled_is_read(expression: Expression) -> None:
    assert parse_expression(spell(expression)) == expression
