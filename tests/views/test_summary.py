"""Summaries: inputs and outputs in few words, shapes, types."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.views.shapes import shape
from ncnnparam.views.summary import Port, port_text, summarise


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["x"], "x"),
        (["in0", "in1"], "in0, in1"),
        (["in0", "in1", "in2"], "in0..in2"),
        (["in8", "in9", "in10", "in11"], "in8..in11"),
        (["out1", "out2", "out3", "out0"], "out1..out3, out0"),
        (["a1", "b2", "b3", "b4", "5", "6", "7"], "a1, b2..b4, 5..7"),
        (["in01", "in02", "in03"], "in01..in03"),
        (["in08", "in09", "in10"], "in08, in09, in10"),
        (["in3", "in2", "in1"], "in3, in2, in1"),
        (["in0", "in0", "in0"], "in0, in0, in0"),
    ],
)
def test_runs_of_names(names: list[str], text: str) -> None:
    assert port_text(Port(name, None) for name in names) == text


def test_runs_have_one_shape() -> None:
    ports = [Port("in0", (39, 80)), *(Port(f"in{number}", (512, 32)) for number in range(1, 5))]
    assert port_text(ports) == "in0 (39x80), in1..in4 (512x32)"


@pytest.mark.parametrize(
    ("line", "shapes"),
    [
        ("Input x 0 1 b", [None]),
        ("Input x 0 1 b 0=4", [(4,)]),
        ("Input x 0 1 b 0=4 1=3 2=2", [(4, 3, 2)]),
        ("Input x 0 1 b 0=4 1=3 11=5 2=2", [(4, 3, 5, 2)]),
        ("Input x 0 1 b 0=-1 1=3", [None]),
        ("Input x 0 1 b 0=4.5", [None]),
        ("Input x 0 1 b 0=4 -23330=4,2,6,5,1", [(6, 5)]),  # the hint wins: ncnn uses it
        ("Slice x 0 2 b c -23330=8,1,4,1,1,3,4,3,2", [(4,), (4, 3, 2)]),
        ("Slice x 0 1 b -23330=5,4,6,5,4,3", [(6, 5, 4, 3)]),
        ("Slice x 0 1 b -23330=5,3,6,5,1,3", [(6, 5, 3)]),
        ("Slice x 0 2 b c -23330=4,1,4,1,1", [None, None]),
        ("Slice x 0 1 b -23330=4,9,4,1,1", [None]),
        ("Slice x 0 1 b 30=7", [None]),
    ],
)
def test_shapes(line: str, shapes: list[tuple[int, ...] | None]) -> None:
    layer = next(iter(nnp.loads(f"7767517\n1 1\n{line}\n").graph))
    assert [shape(blob) for blob in layer.outputs] == shapes


def test_blob_that_nobody_writes() -> None:
    graph = nnp.loads("7767517\n1 2\nReLU r 1 1 ghost out\n").graph
    summary = summarise(graph)
    assert summary.inputs == [Port("ghost", None)]
    assert summary.declared is None
    assert [(count.type, count.count) for count in summary.types] == [("ReLU", 1)]
