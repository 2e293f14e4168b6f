"""Shapes that a file states, and those that somebody knows better."""

from __future__ import annotations

import pytest

from ncnnparam import dumps, loads
from ncnnparam.errors import ConfigError, NotFoundError
from ncnnparam.graph import Graph
from ncnnparam.views.shapes import know_shapes, shape

TEXT = """7767517
3 3
Input in0 0 1 in0 0=4 1=3
Input in1 0 1 in1
BinaryOp a 2 1 in0 in1 out0
"""


@pytest.fixture
def graph() -> Graph:
    return loads(TEXT).graph


def test_what_is_known_counts_more_than_what_is_stated(graph: Graph) -> None:
    assert (shape(graph.blob("in0")), shape(graph.blob("in1"))) == ((4, 3), None)
    know_shapes(graph, {"in0": (5, 7, 9), "in1": [2]})
    assert (shape(graph.blob("in0")), shape(graph.blob("in1"))) == ((9, 7, 5), (2,))
    assert graph.blob("in0").shape == (5, 7, 9)


def test_it_stays_with_blobs_and_their_copies_and_out_of_the_file(graph: Graph) -> None:
    know_shapes(graph, {"in1": (2,)})
    assert dumps(graph) == TEXT
    graph.blob("in1").name = "other"
    for twin in (graph.copy(), graph.extract(["in0", "other"], ["out0"])):
        assert twin.blob("other").shape == (2,)
        assert twin.blob("in0").shape is None


@pytest.mark.parametrize(("name", "error"), [("in9", NotFoundError), ("out0", ConfigError)])
def test_only_inputs_have_shapes_that_are_not_computed(
    graph: Graph, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        know_shapes(graph, {"in0": (1,), name: (2,)})
    assert graph.blob("in0").shape is None
