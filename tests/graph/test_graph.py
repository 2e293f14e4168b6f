"""The graph as a whole: looking things up, counting, comparing."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import NotFoundError
from ncnnparam.graph import Graph
from tests.graph.short import graph_of

BODY = """
Input in0 0 1 in0
Input in1 0 1 in1
Convolution conv_0 1 1 in0 a 0=8 1=3
ReLU relu_0 1 1 a b
ConvolutionDepthWise conv_1 1 1 b c 0=8 1=3
BinaryOp add[0] 2 1 c in1 out0
Noop sink 0 0
"""


@pytest.fixture
def graph() -> Graph:
    return graph_of(BODY)


def test_counts(graph: Graph) -> None:
    assert (len(graph), graph.layer_count, graph.blob_count) == (7, 7, 6)
    assert graph.declared == (7, 6)
    assert graph.syntax is not None
    assert graph.syntax.header.layer_count == 7


def test_a_graph_made_in_memory() -> None:
    graph = Graph()
    assert (len(graph), graph.blob_count, graph.declared, graph.syntax) == (0, 0, None, None)
    assert nnp.dumps(graph) == "7767517\n0 0\n"
    graph.add("Input", "in0")
    graph.add("ReLU", inputs="in0", outputs=["out0"])
    assert nnp.loads(nnp.dumps(graph)).graph == graph


def test_inputs_and_outputs(graph: Graph) -> None:
    assert [blob.name for blob in graph.inputs] == ["in0", "in1"]
    assert [blob.name for blob in graph.outputs] == ["out0"]
    assert [blob.name for blob in graph.blobs] == ["in0", "in1", "a", "b", "c", "out0"]


def test_blobs_nobody_writes_are_inputs_and_count() -> None:
    graph = graph_of("ReLU r 1 1 x y")
    assert [blob.name for blob in graph.inputs] == ["x"]
    assert graph.blob_count == 2


def test_lookup(graph: Graph) -> None:
    assert graph.layer("relu_0").type == "ReLU"
    assert graph.blob("a").producer is graph.layer("conv_0")
    assert graph.has_layer("sink")
    assert graph.has_blob("c")
    assert not graph.has_layer("a")
    with pytest.raises(NotFoundError, match=r"no layer 'relu0'\n.*did you mean relu_0"):
        graph.layer("relu0")
    with pytest.raises(KeyError):
        graph.blob("nothing like it")


@pytest.mark.parametrize(
    ("type", "name", "found"),
    [
        (None, None, ["in0", "in1", "conv_0", "relu_0", "conv_1", "add[0]", "sink"]),
        ("Input", None, ["in0", "in1"]),
        ("Conv*", None, ["conv_0", "conv_1"]),
        ("conv*", None, []),
        (None, "*_0", ["conv_0", "relu_0"]),
        ("Conv*", "*_0", ["conv_0"]),
        (None, "add[[]0]", ["add[0]"]),
        ("", None, []),
    ],
)
def test_find(graph: Graph, type: str | None, name: str | None, found: list[str]) -> None:
    assert [layer.name for layer in graph.find(type, name=name)] == found


def test_layers_by_position(graph: Graph) -> None:
    assert graph.layers[0].name == "in0"
    assert graph.layers[-1].name == "sink"
    assert next(reversed(graph.layers)).name == "sink"


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("0=8 1=3\nReLU", "1=03   0=8\nReLU"),
        BODY.replace("Input in0", "Input    in0"),
    ],
)
def test_equal_however_spelled(graph: Graph, body: str) -> None:
    assert graph_of(body) == graph


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("relu_0", "relu_1"),
        ("ReLU", "Sigmoid"),
        ("1 1 a b", "1 1 a b 0=0.1"),
        ("0=8 1=3\nReLU", "0=8 1=3.0\nReLU"),
        ("2 1 c in1", "2 1 in1 c"),
        ("out0", "out1"),
        ("Noop sink 0 0\n", ""),
    ],
)
def test_not_equal(graph: Graph, old: str, new: str) -> None:
    assert graph_of(BODY.replace(old, new)) != graph
    assert graph != BODY


def test_fresh_names(graph: Graph) -> None:
    assert graph.fresh_layer_name("conv") == graph.fresh_layer_name("conv") == "conv_2"
    assert graph.fresh_blob_name("a") == "a_0"
