"""Splits that split nothing."""

from __future__ import annotations

from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, model, reasons, run


def test_golden() -> None:
    (one,) = parse_pipeline("eliminate-split")
    result = assert_golden(one, "eliminate-split", outputs=["out0", "out1"])
    assert not result.declined
    assert {note.message for note in result.changes} >= {"nobody reads a_splitncnn_2", "it has one output"}


def test_an_output_that_a_split_gives_out_stays() -> None:
    before = model("Input in0 0 1 in0 0=4\nReLU a 1 1 in0 a\nSplit s 1 2 a out0 b\nSigmoid c 1 1 b out1")
    after, result = run(parse_pipeline("eliminate-split")[0], before)
    assert not result.modified
    assert [blob.name for blob in after.graph.outputs] == ["out0", "out1"]


def test_a_split_of_which_nothing_is_read_stays() -> None:
    before = model("Input in0 0 1 in0 0=4\nReLU a 1 1 in0 a\nSplit s 1 2 a a_splitncnn_0 a_splitncnn_1")
    _, result = run(parse_pipeline("eliminate-split")[0], before)
    assert reasons(result) == "s: nobody reads its outputs, so they are the network's"


def test_a_name_of_the_network_is_not_lost() -> None:
    _, result = run(
        parse_pipeline("eliminate-split")[0], model("Input in0 0 1 in0 0=4\nSplit s 1 1 in0 out0")
    )
    assert not result.modified
    assert reasons(result) == "s: the output out0 of the network would lose its name"


def test_what_is_left_of_a_split_goes_too() -> None:
    before = model("Input in0 0 1 in0 0=4\nSplit s 1 2 in0 in0_splitncnn_0 b\nReLU r 1 1 b out0")
    after, result = run(parse_pipeline("eliminate-split")[0], before)
    assert [layer.type for layer in after.graph] == ["Input", "ReLU"]
    assert len(result.changes) == 1
