"""Products and sums with constants."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam.passes import parse_pipeline
from ncnnparam.weights import Storage

from .nets import assert_golden, assert_same_numbers, model, reasons, run

PICTURE = "Input in0 0 1 in0 0=5 1=6 2=3\nConvolution lin 1 1 in0 y 0=6 1=1 6=18"
MATRIX = "Input in0 0 1 in0 0=3 1=6\nInnerProduct lin 1 1 in0 y 0=6 2=18"
OTHER_ROWS = MATRIX.replace("1=6", "1=5")
ANY_ROWS = (
    "Input in0 0 1 in0\nConvolution1D c 1 1 in0 a 0=3 1=1 6=9\nReshape t 1 1 a b 0=3 1=-1\n"
    + MATRIX.split("\n")[1].replace("in0", "b")
)


@pytest.mark.parametrize("name", ["fuse-mul", "fuse-add"])
def test_golden(name: str) -> None:
    (one,) = parse_pipeline(name)
    result = assert_golden(one, name)
    assert not result.declined


@pytest.mark.parametrize(
    ("above", "size", "reason"),
    [
        (PICTURE, "0=5", "data does not have one number for each output of lin"),
        (PICTURE, "0=5 1=1 2=6", "data does not have one number for each output of lin"),
        (PICTURE, "0=1 1=6 2=6", "data does not have one number for each output of lin"),
        (PICTURE, "0=1 1=1 11=1 2=6", "data has more axes than the output of lin"),
        (PICTURE, "0=0", "data has no numbers"),
        (MATRIX, "0=6", "lin may give a square matrix"),
        (ANY_ROWS, "0=6", "lin may give a square matrix"),
        (OTHER_ROWS, "0=1 1=5", "data does not have one number for each output of lin"),
        (OTHER_ROWS, "0=1 1=1 2=6", "data has more axes than the output of lin"),
        ("Input in0 0 1 in0 0=3\nInnerProduct lin 1 1 in0 y 0=6 2=18", "0=1 1=1 2=6", "data has more axes"),
    ],
)
@pytest.mark.parametrize(("name", "op"), [("fuse-mul", 2), ("fuse-add", 0)])
def test_declines_what_ncnn_broadcasts_otherwise(
    name: str, op: int, above: str, size: str, reason: str
) -> None:
    before = model(f"{above}\nMemoryData data 0 1 m {size}\nBinaryOp op 2 1 y m out0 0={op}")
    _, result = run(parse_pipeline(name)[0], before)
    assert not result.modified
    assert reason in reasons(result)


@pytest.mark.parametrize(
    ("above", "size"),
    [
        (PICTURE, "0=6"),
        (PICTURE, "0=1 1=6"),
        (OTHER_ROWS, "0=6"),
        (OTHER_ROWS, "0=6 1=1"),
        (MATRIX, "0=6 1=1"),
    ],
)
def test_fuses_what_goes_to_each_output(above: str, size: str) -> None:
    before = model(f"{above}\nMemoryData data 0 1 m {size}\nBinaryOp op 2 1 m y out0 0=2")
    after, result = run(parse_pipeline("fuse-mul")[0], before)
    assert result.modified
    assert_same_numbers(before, after)


def test_a_constant_stays_for_its_other_readers() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        MemoryData data 0 1 m 0=4
        Split split 1 3 m m0 m1 m2
        InnerProduct one 1 1 in0 a 0=4 2=12
        BinaryOp mul 2 1 a m0 b 0=2
        InnerProduct two 1 1 b c 0=4 1=1 2=16
        BinaryOp add 2 1 m1 c d 0=0
        BinaryOp max 2 1 d m2 out0 0=4
    """)
    after, result = run(parse_pipeline("fuse-mul")[0], before)
    after, again = run(parse_pipeline("fuse-add")[0], after)
    assert result.modified
    assert again.modified
    assert [layer.name for layer in after.graph] == ["in0", "data", "one", "two", "max"]
    assert_same_numbers(before, after)


def test_a_constant_with_a_tag() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        MemoryData data 0 1 m 0=4 21=0
        InnerProduct fc 1 1 in0 a 0=4 2=12
        BinaryOp add 2 1 a m out0
    """)
    before.graph.layer("data").weights.put("data", np.arange(4) / 8, Storage.FLOAT16)
    after, result = run(parse_pipeline("fuse-add")[0], before)
    assert result.modified
    assert_same_numbers(before, after)


def test_other_operations_are_no_matches() -> None:
    before = model(f"{PICTURE}\nMemoryData data 0 1 m 0=6\nBinaryOp op 2 1 y m out0 0=1")
    for one in parse_pipeline("fuse-mul,fuse-add"):
        _, result = run(one, before)
        assert not result.modified
        assert not result.declined
