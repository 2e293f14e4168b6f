"""Copies, parts and concatenations."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.graph import Graph
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound

BODY = """
Input in0 0 1 in0
Input in1 0 1 in1
ReLU r 1 1 in0 a 0=0.10
Split s 1 3 a x y z
ReLU p 1 1 x out0
BinaryOp add 2 1 y in1 b
Slice cut 1 2 b c d
Concat cat 2 1 c z out1
ReLU tail 1 1 d out2
"""


@pytest.fixture
def graph() -> Graph:
    return graph_of(BODY)


# ---- copy ------------------------------------------------------------------------------------------


def test_a_copy_is_a_graph_of_its_own(graph: Graph) -> None:
    twin = graph.copy()
    assert twin == graph
    assert nnp.dumps(twin) == nnp.dumps(graph)
    twin.layer("r")["slope"] = 0.5
    twin.remove(twin.layer("tail"))
    twin.layer("p").name = "new"
    assert twin != graph
    assert short(graph) == short(graph_of(BODY))
    check_sound(twin)
    check_sound(graph)


def test_a_copy_prints_odd_text_as_it_was() -> None:
    text = "7767517\r\n  2   9\r\n\r\nInput   a  0 1 a\r\nReLU r 1 1 a b  0=1.0e-05 \r\nrest"
    assert nnp.dumps(nnp.loads(text).graph.copy()) == text


# ---- extract ---------------------------------------------------------------------------------------


def test_a_part_between_blobs(graph: Graph) -> None:
    part = graph.extract(inputs=["a"], outputs=["out0"])
    assert short(part) == ["a:  -> a", "p: a -> out0"]
    check_sound(part)


def test_inputs_of_the_graph_keep_their_layers_and_come_in_the_order_asked_for(graph: Graph) -> None:
    part = graph.extract(inputs=["in1", "in0"], outputs=["out0", "out2"])
    assert short(part) == [
        "in1:  -> in1",
        "in0:  -> in0",
        "r: in0 -> a",
        "s: a -> x y",
        "p: x -> out0",
        "add: y in1 -> b",
        "cut: b -> c d",
        "tail: d -> out2",
    ]
    check_sound(part)


def test_lines_stay_as_they_were_read(graph: Graph) -> None:
    part = graph.extract(["in0"], ["a"])
    assert nnp.dumps(part) == "7767517\n2 2\nInput in0 0 1 in0\nReLU r 1 1 in0 a 0=0.10\n"
    crlf = nnp.loads(nnp.dumps(graph).replace("\n", "\r\n")).graph
    assert nnp.dumps(crlf.extract(["a"], ["out0"])).count("\r\n") == 4


def test_a_wanted_blob_that_is_read_inside_becomes_an_output(graph: Graph) -> None:
    part = graph.extract(["in0", "in1"], ["b", "out1"])
    assert short(part) == [
        "in0:  -> in0",
        "in1:  -> in1",
        "r: in0 -> a",
        "s: a -> y z",
        "add: y in1 -> b_0",
        "splitncnn_0: b_0 -> b_0_splitncnn_0 b",
        "cut: b_0_splitncnn_0 -> c d",
        "cat: c z -> out1",
    ]
    check_sound(part)


def test_blobs_before_and_behind_a_split(graph: Graph) -> None:
    part = graph.extract(["in0"], ["a", "x", "z"])
    assert {blob.name for blob in part.outputs} == {"a", "x", "z"}
    check_sound(part)
    part = graph.extract(["in0"], ["z"])
    assert short(part) == ["in0:  -> in0", "r: in0 -> z"]
    part = graph.extract(["a"], ["z"])
    assert short(part) == ["a:  -> a", "s: a -> z"]


def test_an_output_beside_a_fed_one_gets_a_name_of_its_own(graph: Graph) -> None:
    part = graph.extract(["in0", "in1", "c"], ["out1", "out2"])
    assert "cut: b -> c_0 d" in short(part)
    assert {blob.name for blob in part.outputs} == {"c_0", "out1", "out2"}
    check_sound(part)


def test_a_new_input_layer_does_not_take_the_name_of_another_layer() -> None:
    graph = graph_of("Input in 0 1 in / ReLU a 1 1 in b / ReLU b 1 1 b c")
    assert short(graph.extract(["b"], ["c"])) == ["b_0:  -> b", "b: b -> c"]


def test_names_given_twice_count_once(graph: Graph) -> None:
    part = graph.extract(["in0", "in0"], ["a", "a"])
    assert short(part) == ["in0:  -> in0", "r: in0 -> a"]


def test_an_input_that_is_wanted(graph: Graph) -> None:
    assert short(graph.extract(["in0"], ["in0"])) == ["in0:  -> in0"]
    assert short(graph.extract(["in0"], ["in0", "a"])) == ["in0:  -> in0", "r: in0 -> a"]


def test_what_is_missing_or_idle_is_named(graph: Graph) -> None:
    with pytest.raises(GraphError, match="'out1' needs 'in1', which is not among the inputs"):
        graph.extract(["in0"], ["out1"])
    with pytest.raises(GraphError, match="'out0' does not depend on 'in1'"):
        graph.extract(["in0", "in1"], ["out0"])
    with pytest.raises(GraphError, match="at least one output"):
        graph.extract(["in0"], [])
    with pytest.raises(NotFoundError, match="no blob 'out'"):
        graph.extract(["in0"], ["out"])


def test_a_blob_nobody_writes_must_be_fed() -> None:
    graph = graph_of("BinaryOp add 2 1 u v out")
    with pytest.raises(GraphError, match="needs 'v'"):
        graph.extract(["u"], ["out"])
    with pytest.raises(GraphError, match="needs 'v'"):
        graph.extract([], ["v"])
    assert short(graph.extract(["u", "v"], ["out"])) == ["u:  -> u", "v:  -> v", "add: u v -> out"]


# ---- concat ----------------------------------------------------------------------------------------


@pytest.fixture
def head() -> Graph:
    return graph_of("Input data 0 1 data / Split splitncnn_0 1 2 data u v / BinaryOp mul 2 1 u v prob")


def test_side_by_side(graph: Graph, head: Graph) -> None:
    before = short(graph)
    graph.concat(head)
    assert short(graph) == before + short(head)
    check_sound(graph)
    check_sound(head)


def test_one_behind_the_other(head: Graph) -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in out")
    graph.concat(head, prefix="head.", connect={"data": "out"})
    assert short(graph) == [
        "in:  -> in",
        "r: in -> out",
        "head.splitncnn_0: out -> head.u head.v",
        "head.mul: head.u head.v -> head.prob",
    ]
    check_sound(graph)


def test_a_blob_that_is_read_already_is_split_once(head: Graph) -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / ReLU q 1 1 a out")
    graph.concat(head, connect={"data": "a"})
    assert short(graph) == [
        "in:  -> in",
        "r: in -> a",
        "splitncnn_0: a -> u v a_splitncnn_0",
        "q: a_splitncnn_0 -> out",
        "mul: u v -> prob",
    ]
    check_sound(graph)


def test_a_graph_behind_itself(head: Graph) -> None:
    head.concat(head, prefix="b.", connect={"data": "prob"})
    assert short(head)[3:] == ["b.splitncnn_0: prob -> b.u b.v", "b.mul: b.u b.v -> b.prob"]
    check_sound(head)


def test_copied_lines_have_the_line_ends_of_their_new_file(head: Graph) -> None:
    crlf = nnp.loads("7767517\r\n1 1\r\nInput in 0 1 in").graph
    crlf.concat(head)
    text = nnp.dumps(crlf)
    assert text.count("\r\n") == text.count("\n") == 6
    assert crlf.layer("mul").line is None, "its line is none of this file"


def test_taken_names_are_refused(graph: Graph) -> None:
    with pytest.raises(GraphError, match="a layer 'in0' already"):
        graph.concat(graph_of("Input in0 0 1 other"))
    with pytest.raises(GraphError, match="a blob 'in0' already"):
        graph.concat(graph_of("Input other 0 1 in0"))
    with pytest.raises(GraphError, match="2 layers 'r'"):
        graph.concat(graph_of("Input r 0 1 u / ReLU r 1 1 u w"), prefix="b.")
    check_sound(graph)
