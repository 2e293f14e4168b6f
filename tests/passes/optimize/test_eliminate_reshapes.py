"""Reshapes and Flattens of what has the shape already."""

from __future__ import annotations

import pytest

from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, model, reasons, run


def test_golden_of_flattens() -> None:
    (one,) = parse_pipeline("eliminate-flatten")
    assert reasons(assert_golden(one, "eliminate-flatten")) == "flat3: in0 may have more than one axis"


def test_golden_of_reshapes() -> None:
    (one,) = parse_pipeline("eliminate-reshape")
    declined = reasons(assert_golden(one, "eliminate-reshape"))
    assert "by-name, kept: blob l is read by relu too" in declined
    assert "width: in0 may have another shape" in declined


def test_golden_of_reshapes_before_binaryop() -> None:
    (one,) = parse_pipeline("eliminate-reshape-before-binaryop")
    assert_golden(one, "eliminate-reshape-before-binaryop")


@pytest.mark.parametrize(
    "above",
    [
        "Input in0 0 1 a",  # the file does not say
        "Input in0 0 1 in0 0=5 1=3\nInnerProduct fc 1 1 in0 a 0=4 2=20",  # one vector for each row
        "Input in0 0 1 in0 0=5 1=3\nReLU r 1 1 in0 a",
    ],
)
@pytest.mark.parametrize("line", ["Flatten f 1 1 a b", "Reshape f 1 1 a b 0=-1"])
def test_what_may_have_more_axes_is_flattened(above: str, line: str) -> None:
    before = model(f"{above}\n{line}\nInnerProduct last 1 1 b out0 0=2 2=24")
    for one in parse_pipeline("eliminate-flatten,eliminate-reshape"):
        assert not run(one, before)[1].modified


@pytest.mark.parametrize(
    "params",
    ["0=6 1=4 12=0 13=0", '6="w,h"', "0=0 1=4", "0=4 1=6"],
)
def test_reshapes_that_are_kept(params: str) -> None:
    """A batch axis, an expression, a size that is copied and another order do not come to the same."""
    before = model(
        "Input in0 0 1 in0 0=8 1=3\nReshape a 1 1 in0 a 0=6 1=4\n"
        f"Reshape b 1 1 a b {params}\nReLU r 1 1 b out0"
    )
    after, _ = run(parse_pipeline("eliminate-reshape")[0], before)
    names = [layer.name for layer in after.graph if layer.type == "Reshape"]
    assert names == (["b"] if params == "0=4 1=6" else ["a"] if params == "0=0 1=4" else ["a", "b"])


@pytest.mark.parametrize(
    ("picture", "reshape", "reason"),
    [
        ("0=6 1=5 2=1", "2=4", "another number of channels"),  # the vector would run along the width
        ("0=6 1=5 2=5", "2=-1", "another number of channels"),
        ("0=4", "2=4", "fewer than 3 axes"),
        ("", "2=4", "fewer than 3 axes"),
    ],
)
def test_a_vector_that_is_not_for_channels_keeps_its_reshape(picture: str, reshape: str, reason: str) -> None:
    before = model(
        f"Input in0 0 1 in0 {picture}\nInput in1 0 1 in1 0=4\nReshape r 1 1 in1 a 0=1 1=1 {reshape}\n"
        "BinaryOp op 2 1 in0 a out0 0=2"
    )
    _, result = run(parse_pipeline("eliminate-reshape-before-binaryop")[0], before)
    assert not result.modified
    assert reason in reasons(result)


def test_a_matrix_keeps_its_reshape() -> None:
    before = model(
        "Input in0 0 1 in0 0=6 1=5 2=4\nInput in1 0 1 in1 0=2 1=2\nReshape r 1 1 in1 a 0=1 1=1 2=4\n"
        "BinaryOp op 2 1 in0 a out0 0=2"
    )
    _, result = run(parse_pipeline("eliminate-reshape-before-binaryop")[0], before)
    assert not result.modified
    assert "in1 may have more than one axis" in reasons(result)
