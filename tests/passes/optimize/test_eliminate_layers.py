"""Layers that change nothing."""

from __future__ import annotations

import pytest

from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, model, reasons, run


@pytest.mark.parametrize("name", ["eliminate-dropout", "eliminate-pooling1x1", "eliminate-identity"])
def test_golden(name: str) -> None:
    (one,) = parse_pipeline(name)
    assert not assert_golden(one, name).declined


def test_golden_of_noops() -> None:
    # what else a Noop read is an output then: its layer is not known to be there for the Noop alone
    (one,) = parse_pipeline("eliminate-noop")
    assert not assert_golden(one, "eliminate-noop", outputs=["out0"]).declined


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("eliminate-dropout", "Dropout last 1 1 in0 out0"),
        ("eliminate-noop", "Noop last 1 1 in0 out0"),
        ("eliminate-identity", "Permute last 1 1 in0 out0"),
        ("eliminate-pooling1x1", "Pooling last 1 1 in0 out0 1=1"),
    ],
)
def test_an_output_that_would_be_an_input_stays(name: str, line: str) -> None:
    _, result = run(parse_pipeline(name)[0], model(f"Input in0 0 1 in0 0=4 1=3 2=2\n{line}"))
    assert not result.modified
    assert reasons(result) == "last: the output 'out0' of the network would be its input 'in0'" or (
        name == "eliminate-noop" and "the output 'out0' would be the input 'in0'" in reasons(result)
    )


@pytest.mark.parametrize("shape", ["0=4 1=3", "0=4", ""])
def test_pooling_makes_a_picture_of_what_is_none(shape: str) -> None:
    before = model(f"Input in0 0 1 in0 {shape}\nPooling p 1 1 in0 a 1=1\nReLU relu 1 1 a out0")
    _, result = run(parse_pipeline("eliminate-pooling1x1")[0], before)
    assert not result.modified
    assert "Pooling gives 3" in reasons(result)


def test_two_outputs_of_the_network_stay_two() -> None:
    before = model(
        "Input in0 0 1 in0 0=4\nReLU relu 1 1 in0 a\nSplit s 1 2 a b c\n"
        "Dropout d 1 1 b out0\nDropout e 1 1 c out1"
    )
    after, result = run(parse_pipeline("eliminate-dropout")[0], before)
    assert [blob.name for blob in after.graph.outputs] == ["out0", "out1"]
    assert len(result.changes) == 2


@pytest.mark.parametrize(
    "line",
    [
        "BinaryOp n 1 1 in0 a 0=0 1=1 2=1e-7",
        "BinaryOp n 1 1 in0 a 0=7 1=1 2=0.0",
        "BinaryOp n 1 1 in0 a 0=4 1=1 2=0.0",
        "Power n 1 1 in0 a 2=0.5",
        "Permute n 1 1 in0 a 0=1",
        "ShuffleChannel n 1 1 in0 a 0=1 1=1",
        "Padding n 1 1 in0 a 8=1",
        "ReLU n 1 1 in0 a",
        "Dropout n 1 1 in0 a 0=0.999",
    ],
)
def test_what_changes_something_stays(line: str) -> None:
    before = model(f"Input in0 0 1 in0 0=4 1=3 2=2\n{line}\nTanH tanh 1 1 a out0")
    for one in parse_pipeline("eliminate-*"):
        assert not run(one, before)[1].modified


def test_a_relu_stays_behind_what_may_be_negative() -> None:
    lines = [
        "ReLU a 1 1 x{0} y{0} 0=0.1",
        "Clip a{0} 1 1 x{0} y{0} 0=-0.1",
        "TanH a{0} 1 1 x{0} y{0}",
        "UnaryOp a{0} 1 1 x{0} y{0} 0=1",
        "Convolution a{0} 1 1 x{0} y{0} 0=2 1=1 6=4 9=2 -23310=1,0.1",
    ]
    text = [
        f"Input x{n} 0 1 x{n} 0=4 1=3 2=2\n{line.format(n)}\nReLU r{n} 1 1 y{n} z{n}"
        for n, line in enumerate(lines)
    ]
    assert not run(parse_pipeline("eliminate-identity")[0], model("\n".join(text)))[1].modified


def test_permutes_between_which_somebody_reads_stay() -> None:
    before = model(
        "Input in0 0 1 in0 0=4 1=3 2=2\nPermute p 1 1 in0 a 0=1\nSplit s 1 2 a b c\nPermute q 1 1 b d 0=1\n"
        "ReLU r 1 1 d out0\nReLU t 1 1 c out1"
    )
    _, result = run(parse_pipeline("eliminate-identity")[0], before)
    assert not result.modified
    assert "blob a is read by t too" in reasons(result)


def test_a_noop_without_input_goes_if_nobody_reads_it() -> None:
    (one,) = parse_pipeline("eliminate-noop")
    before = model("Input in0 0 1 in0 0=4\nNoop n 0 1 nothing\nReLU r 1 1 in0 out0")
    after, result = run(one, before)
    assert [layer.name for layer in after.graph] == ["in0", "r"]
    assert len(result.changes) == 1


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("Noop n 0 1 a\nReLU r 1 1 a out0", "it has no input, and its output is read"),
        ("Noop n 1 2 in0 a b\nBinaryOp r 2 1 a b out0", "it has 1 inputs and 2 outputs"),
    ],
)
def test_strange_noops_stay(lines: str, reason: str) -> None:
    _, result = run(parse_pipeline("eliminate-noop")[0], model(f"Input in0 0 1 in0 0=4\n{lines}"))
    assert not result.modified
    assert reason in reasons(result)
