"""Shapes from hints, Input layers and users, as numpy orders them."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.stats import input_shapes, stated_shapes

HINTED = """7767517
5 6
Input in0 0 1 in0 0=5 1=4 2=3
Split sp 1 2 in0 a b -23330=4,3,5,4,3
Convolution conv 1 1 a c 0=2 1=1 6=6 -23330=4,3,5,4,2
ReLU relu 1 1 b d
Flatten flat 1 1 d e -23330=4,1,60,1,1
"""
THREE = """7767517
3 3
Input in0 0 1 in0 0=5
Input in1 0 1 in1
Input other 0 1 other
"""


def test_hints_are_turned_and_splits_seen_through() -> None:
    whole = (3, 4, 5)
    expected = {"in0": whole, "a": whole, "b": whole, "c": (2, 4, 5), "e": (60,)}
    assert stated_shapes(nnp.loads(HINTED).graph) == expected
    bare = HINTED.replace(" -23330=4,3,5,4,3", "").replace("5 6", "5 6")
    assert stated_shapes(nnp.loads(bare).graph) == expected


def test_a_volume() -> None:
    text = "7767517\n1 1\nInput in0 0 1 in0 -23330=5,4,7,6,5,3\n"
    assert stated_shapes(nnp.loads(text).graph) == {"in0": (3, 5, 6, 7)}


@pytest.mark.parametrize("hint", ["4,3,5,-1,3", "4,3,5,0,3", "4,0,5,4,3", "3,1,2,3", "4,7,1,1,1"])
def test_hints_that_make_no_sense_say_nothing(hint: str) -> None:
    text = f"7767517\n1 1\nInput in0 0 1 in0 -23330={hint}\n"
    assert stated_shapes(nnp.loads(text).graph) == {}


def test_given_shapes_go_before_stated_ones() -> None:
    graph = nnp.loads(THREE).graph
    given = [("in*", (2, 3)), ("in1", (7,)), ("other", (1,))]
    assert input_shapes(graph, given) == {"in0": (2, 3), "in1": (7,), "other": (1,)}
    assert input_shapes(graph, [("in1", (7,)), ("o*", (1,))]) == {"in0": (5,), "in1": (7,), "other": (1,)}


def test_a_name_that_looks_like_a_glob() -> None:
    graph = nnp.loads("7767517\n2 2\nInput a 0 1 in[0]\nInput b 0 1 in0\n").graph
    assert input_shapes(graph, [("in0", (1,)), ("in[0]", (2,))]) == {"in[0]": (2,), "in0": (1,)}


def test_missing_and_wrong_inputs_are_named() -> None:
    graph = nnp.loads(THREE).graph
    with pytest.raises(GraphError, match="not known: in1, other") as missing:
        input_shapes(graph, [])
    assert missing.value.hint == "say them: --shape in1=3,224,224"
    with pytest.raises(NotFoundError, match="no input 'in2'") as wrong:
        input_shapes(graph, [("in2", (1,))])
    assert "in0" in str(wrong.value.hint)


def test_a_network_without_inputs() -> None:
    assert input_shapes(nnp.loads("7767517\n1 1\nMemoryData m 0 1 out0 0=3\n").graph, []) == {}
