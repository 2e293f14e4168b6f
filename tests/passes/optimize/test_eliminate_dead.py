"""Layers that nobody needs."""

from __future__ import annotations

import pytest

from ncnnparam import dumps, loads
from ncnnparam.errors import PassError
from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, assert_same_numbers, header, model, reasons, run

NET = """
Input in0 0 1 in0 0=6
MemoryData m 0 1 m 0=6
BinaryOp add 2 1 in0 m a
Split s 1 2 a b c
ReLU x 1 1 b out0
InnerProduct y 1 1 c out1 0=3 2=18
SherpaMetaData meta 0 0 0=1
"""


def test_golden() -> None:
    (one,) = parse_pipeline("eliminate-dead")
    assert not assert_golden(one, "eliminate-dead", outputs=["out0"]).declined


def test_what_nobody_reads_is_an_output() -> None:
    assert not run(parse_pipeline("eliminate-dead")[0], model(NET))[1].modified


def test_named_outputs() -> None:
    before = model(NET)
    after, result = run(parse_pipeline("eliminate-dead{outputs=out0}")[0], before)
    assert [layer.name for layer in after.graph] == ["in0", "m", "add", "x", "meta"]
    assert [note.layers for note in result.changes] == [("y",)]
    assert_same_numbers(before, after, outputs=["out0"])
    again, second = run(parse_pipeline("eliminate-dead{outputs=out0}")[0], after)
    assert not second.modified
    assert dumps(again) == dumps(after)
    both = parse_pipeline('eliminate-dead{outputs="out0, out1"}')[0]
    assert not run(both, before)[1].modified


def test_an_output_that_is_not_there_is_an_error() -> None:
    with pytest.raises(PassError, match="there is no blob 'out7'"):
        run(parse_pipeline("eliminate-dead{outputs=out7}")[0], model(NET))


def test_weights_that_are_not_loaded_stay() -> None:
    (one,) = parse_pipeline("eliminate-dead")
    _, result = run(one, loads(header("Input in0 0 1 in0 0=6\nMemoryData m 0 1 m 0=6\nReLU r 1 1 in0 out0")))
    assert reasons(result) == "m: the weights of m are not loaded"
    _, result = run(parse_pipeline("eliminate-dead{outputs=out0}")[0], loads(header(NET)))
    assert reasons(result) == "y: the weights of y are not loaded"


def test_an_unknown_type_may_have_weights() -> None:
    before = loads(
        header("Input in0 0 1 in0 0=6\nSplit s 1 2 in0 a b\nMystery x 1 1 a out1\nReLU r 1 1 b out0")
    )
    _, result = run(parse_pipeline("eliminate-dead{outputs=out0}")[0], before)
    assert not result.modified
    assert "the type 'Mystery' is not known, and may have weights" in reasons(result)
