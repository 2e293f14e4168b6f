"""Order and dead layers."""

from __future__ import annotations

import random

import pytest

from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound

BODY = """
Input in0 0 1 in0
Input in1 0 1 in1
ReLU r 1 1 in0 a
Split s 1 3 a x y z
ReLU p 1 1 x out0
ReLU q 1 1 y out1
Noop sink 1 0 z
SherpaMetaData meta 0 0 0=1
"""


@pytest.fixture
def graph() -> Graph:
    return graph_of(BODY)


def test_a_sound_order_stays(graph: Graph) -> None:
    assert graph.sort() is False
    assert short(graph) == short(graph_of(BODY))


def test_any_order_is_repaired() -> None:
    records = [record for record in BODY.split("\n") if record]
    for seed in range(30):
        random.Random(seed).shuffle(records)
        graph = graph_of("/".join(records))
        graph.sort()
        check_sound(graph)
        assert sorted(short(graph)) == sorted(short(graph_of(BODY)))
        assert graph.sort() is False


def test_what_need_not_move_stays_in_order() -> None:
    graph = graph_of("ReLU b 1 1 u v / Input i 0 1 i / Noop n 0 0 / ReLU a 1 1 i u / Noop m 0 0")
    assert graph.sort() is True
    assert [layer.name for layer in graph] == ["i", "n", "a", "b", "m"]


def test_a_circle_is_refused() -> None:
    graph = graph_of("Input i 0 1 i / BinaryOp a 2 1 i v u / ReLU b 1 1 u v / Noop n 0 0")
    with pytest.raises(GraphError, match=r"in a circle.*: 'a', 'b'$"):
        graph.sort()


# ---- dead layers -----------------------------------------------------------------------------------


def test_nothing_is_dead_by_itself(graph: Graph) -> None:
    assert graph.remove_dead() == []


def test_what_the_outputs_do_not_need_goes(graph: Graph) -> None:
    dead = graph.remove_dead(["out1"])
    assert [layer.name for layer in dead] == ["p"]
    assert all(layer.graph is None for layer in dead)
    assert short(graph) == [
        "in0:  -> in0",
        "in1:  -> in1",
        "r: in0 -> a",
        "s: a -> y z",
        "q: y -> out1",
        "sink: z -> ",
        "meta:  -> ",
    ]
    check_sound(graph)


def test_unread_outputs_of_a_split_need_nothing() -> None:
    graph = graph_of("Input i 0 1 i / ReLU r 1 1 i a / Split s 1 2 a x y / ReLU q 1 1 x out")
    assert graph.remove_dead() == []
    assert short(graph) == ["i:  -> i", "r: i -> a", "q: a -> out"]
    check_sound(graph)


@pytest.mark.parametrize("wanted", [["a"], ["x"], ["x", "y"], ["a", "x"], ["out0", "x"]])
def test_wanted_blobs_keep_their_names(wanted: list[str], graph: Graph) -> None:
    graph.remove(graph.layer("sink"))
    graph.remove_dead(wanted)
    assert all(graph.has_blob(name) for name in wanted)
    assert {blob.source.producer for blob in map(graph.blob, wanted)} <= {
        graph.layer("r"),
        graph.find("ReLU")[-1],
    }
    check_sound(graph, lone_splits=True)


def test_without_outputs_only_what_stays_by_itself_stays(graph: Graph) -> None:
    graph.remove_dead([])
    assert [layer.name for layer in graph] == ["in0", "in1", "r", "sink", "meta"]
    check_sound(graph)
