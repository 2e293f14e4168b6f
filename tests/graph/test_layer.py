"""Layers and blobs as a user meets them."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph, Use

TEXT = """7767517
6 7
Input in0 0 1 in0
ReLU relu 1 1 in0 a
Split s 1 2 a a0 a1
Split t 1 2 a0 b0 b1
BinaryOp add 2 1 b1 b0 sum
Concat cat 2 1 a1 sum out
"""


@pytest.fixture
def graph() -> Graph:
    return nnp.loads(TEXT).graph


def test_chains_of_use_go_both_ways(graph: Graph) -> None:
    relu, split, add = graph.layer("relu"), graph.layer("s"), graph.layer("add")
    assert relu.inputs[0].producer is graph.layer("in0")
    assert relu.outputs[0].uses == (Use(split, 0),)
    assert relu.outputs[0].consumers == (split,)
    assert graph.blob("b1").uses == (Use(add, 0),)
    assert graph.blob("out").uses == ()


def test_splits_are_seen_through(graph: Graph) -> None:
    a, add, cat = graph.blob("a"), graph.layer("add"), graph.layer("cat")
    assert all(graph.blob(name).source is a for name in ("a", "a0", "a1", "b0", "b1"))
    assert set(a.readers) == {Use(add, 0), Use(add, 1), Use(cat, 0)}
    assert graph.blob("a0").readers == (Use(add, 1), Use(add, 0))
    assert graph.blob("sum").source is graph.blob("sum")


def test_place_and_origin(graph: Graph) -> None:
    relu = graph.layer("relu")
    assert (relu.line, relu.type, relu.name) == (4, "ReLU", "relu")
    assert relu.origin is not None
    assert relu.origin.text == "ReLU relu 1 1 in0 a\n"
    assert relu.previous is graph.layer("in0")
    assert relu.next is graph.layer("s")
    assert graph.layer("in0").previous is None
    assert graph.layer("cat").next is None
    new = graph.add("ReLU", inputs="out")
    assert (new.line, new.origin) == (None, None)


def test_names_can_be_set(graph: Graph) -> None:
    graph.layer("relu").name = "act"
    graph.blob("a").name = "x"
    assert graph.layer("act").outputs[0] is graph.blob("x")
    assert not graph.has_layer("relu")
    assert not graph.has_blob("a")
    assert nnp.dumps(graph).splitlines()[3].split() == ["ReLU", "act", "1", "1", "in0", "x"]


def test_setting_the_same_name_does_nothing(graph: Graph) -> None:
    graph.layer("relu").name = "relu"
    graph.blob("a").name = "a"
    assert nnp.dumps(graph) == TEXT


@pytest.mark.parametrize("name", ["", "two words", "a\tb", "a\n", "\0", "n" * 256, "é" * 128, "\ud800"])
def test_names_must_be_words(graph: Graph, name: str) -> None:
    with pytest.raises(GraphError, match=r"one word|too long"):
        graph.layer("relu").name = name
    with pytest.raises(GraphError, match=r"one word|too long"):
        graph.blob("a").name = name
    assert nnp.dumps(graph) == TEXT


@pytest.mark.parametrize(
    "name", ["315", "0=5", "onnx::Add_798", ".\\a/b", "Softmax@0", "é", "\xa0", "\udce9"]
)
def test_odd_names_are_fine(graph: Graph, name: str) -> None:
    graph.layer("relu").name = name
    graph.blob("a").name = name
    assert nnp.loads(nnp.dumps(graph)).graph == graph


def test_taken_names_are_refused(graph: Graph) -> None:
    with pytest.raises(GraphError, match="a layer 's' already"):
        graph.layer("relu").name = "s"
    with pytest.raises(GraphError, match="a blob 'in0' already"):
        graph.blob("a").name = "in0"


def test_what_was_removed_is_dead(graph: Graph) -> None:
    cat = graph.layer("cat")
    out = cat.outputs[0]
    graph.remove(cat, reconnect=False)
    assert (cat.graph, out.graph) == (None, None)
    with pytest.raises(GraphError, match="was removed"):
        cat.name = "x"
    with pytest.raises(GraphError, match="was removed"):
        out.name = "x"
    with pytest.raises(GraphError, match="not in this graph"):
        graph.remove(cat)
    with pytest.raises(GraphError, match="not in this graph"):
        graph.add("ReLU", inputs=[out])


def test_reprs(graph: Graph) -> None:
    assert repr(graph.layer("relu")) == "<ReLU relu>"
    assert repr(graph.blob("a")) == "<Blob a>"
