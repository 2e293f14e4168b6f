"""BinaryOps with constants of one number."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam import dumps
from ncnnparam.passes import parse_pipeline
from ncnnparam.views.shapes import know_shapes
from ncnnparam.weights import Storage

from .nets import assert_golden, assert_same_numbers, model, reasons, run


@pytest.mark.parametrize("name", ["fuse-memorydata-binaryop", "fuse-binaryop-eltwise"])
def test_golden(name: str) -> None:
    (one,) = parse_pipeline(name)
    result = assert_golden(one, name)
    assert not result.declined


@pytest.mark.parametrize(
    ("number", "size", "given", "reason"),
    [
        (None, "0=1", "0=3", "the weights of data are not loaded"),
        (np.inf, "0=1", "0=3", "the number of data is infinite or none"),
        (1.0, "0=1 1=1", "0=3", "data has 2 axes, and the other input of op may have fewer"),
        (1.0, "0=1 1=1 2=1", "", "data has 3 axes, and the other input of op may have fewer"),
    ],
)
def test_declines_a_constant(number: float | None, size: str, given: str, reason: str) -> None:
    text = f"Input in0 0 1 in0 {given}\nMemoryData data 0 1 m {size}\nBinaryOp op 2 1 in0 m out0 0=1"
    before = model(text)
    weights = before.graph.layer("data").weights
    if number is None:
        del weights["data"]
    else:
        weights["data"] = np.full(weights["data"].shape, number)
    after, result = run(parse_pipeline("fuse-memorydata-binaryop")[0], before)
    assert not result.modified
    assert dumps(after) == dumps(before)
    assert reason in reasons(result)


def test_more_numbers_than_one_are_no_match() -> None:
    before = model("Input in0 0 1 in0 0=3\nMemoryData data 0 1 m 0=3\nBinaryOp op 2 1 in0 m out0")
    _, result = run(parse_pipeline("fuse-memorydata-binaryop")[0], before)
    assert not result.modified
    assert not result.declined


def test_a_constant_with_itself_and_with_another() -> None:
    before = model("""
        MemoryData one 0 1 a 0=1
        Split split 1 2 a a0 a1
        BinaryOp twice 2 1 a0 a1 out0 0=0
        MemoryData two 0 1 b 0=1 21=0
        MemoryData three 0 1 c 0=4
        BinaryOp sub 2 1 b c out1 0=1
    """)
    before.graph.layer("two").weights.put("data", [1.5], Storage.FLOAT16)
    after, result = run(parse_pipeline("fuse-memorydata-binaryop")[0], before)
    assert len(result.changes) == 2
    assert [layer.name for layer in after.graph] == ["one", "twice", "three", "sub"]
    assert_same_numbers(before, after)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ("Input a 0 1 a 0=3\nInput b 0 1 b 0=3 1=4", "a and b may have different shapes"),
        ("Input a 0 1 a 0=3\nInput b 0 1 b 0=3", ""),
        ("Input a 0 1 a\nInput b 0 1 b", "a and b may have different shapes"),
        ("Input in0 0 1 in0\nSplit s 1 2 in0 a b", ""),
    ],
)
def test_eltwise_broadcasts_nothing(inputs: str, reason: str) -> None:
    before = model(f"{inputs}\nBinaryOp half 1 1 a h 0=2 1=1 2=0.5\nBinaryOp sum 2 1 h b out0")
    _, result = run(parse_pipeline("fuse-binaryop-eltwise")[0], before)
    assert result.modified is not bool(reason)
    assert reason in reasons(result)


@pytest.mark.parametrize(("shape", "reason"), [((4, 3), ""), ((1, 3), "may have different shapes")])
def test_shapes_that_somebody_knows_count(shape: tuple[int, ...], reason: str) -> None:
    text = "Input a 0 1 a\nInput b 0 1 b\nBinaryOp half 1 1 a h 0=2 1=1 2=0.5\nBinaryOp sum 2 1 h b out0"
    before = model(text)
    know_shapes(before.graph, {"a": (4, 3), "b": shape})
    after, result = run(parse_pipeline("fuse-binaryop-eltwise")[0], before)
    assert result.modified is not bool(reason)
    assert reason in reasons(result)
    assert_same_numbers(before, after)
    assert dumps(after).splitlines()[2:4] == text.splitlines()[:2], "the file does not get them"


def test_a_product_that_others_read_stays() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        Split s 1 2 in0 a b
        BinaryOp half 1 1 a h 0=2 1=1 2=0.5
        Split t 1 2 h h0 h1
        BinaryOp third 1 1 b t 0=2 1=1 2=0.3
        BinaryOp sum 2 1 h0 t out0
        ReLU relu 1 1 h1 out1
    """)
    after, result = run(parse_pipeline("fuse-binaryop-eltwise")[0], before)
    assert result.modified
    assert after.graph.layer("sum")["coeffs"] == pytest.approx((0.3, 1.0))
    assert after.graph.has_layer("half")
    assert_same_numbers(before, after)
