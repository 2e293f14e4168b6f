"""Split layers come and go with the readers of a blob."""

from __future__ import annotations

import pytest

from ncnnparam.graph import Graph
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound

CHAIN = "Input in 0 1 in / ReLU r 1 1 in a / ReLU q 1 1 a b"


@pytest.fixture
def graph() -> Graph:
    return graph_of(CHAIN)


def test_a_second_reader_makes_a_split_in_ncnns_style(graph: Graph) -> None:
    graph.add("ReLU", "p", inputs="a")
    assert short(graph) == [
        "in:  -> in",
        "r: in -> a",
        "splitncnn_0: a -> a_splitncnn_0 a_splitncnn_1",
        "q: a_splitncnn_0 -> b",
        "p: a_splitncnn_1 -> p",
    ]
    check_sound(graph)


def test_a_third_reader_widens_it(graph: Graph) -> None:
    for blob in ("a", "a_splitncnn_0", "a_splitncnn_2"):
        graph.add("ReLU", inputs=blob)
    assert short(graph)[2] == "splitncnn_0: a -> " + " ".join(f"a_splitncnn_{n}" for n in range(4))
    check_sound(graph)


def test_the_same_blob_twice_in_one_layer(graph: Graph) -> None:
    graph.add("BinaryOp", "add", inputs=["b", "b"])
    assert short(graph)[-2:] == [
        "splitncnn_0: b -> b_splitncnn_0 b_splitncnn_1",
        "add: b_splitncnn_0 b_splitncnn_1 -> add",
    ]
    check_sound(graph)


def test_fewer_readers_narrow_it_and_the_last_one_needs_none(graph: Graph) -> None:
    p, o = graph.add("ReLU", "p", inputs="a"), graph.add("ReLU", "o", inputs="a")
    graph.remove(p, reconnect=False)
    assert short(graph)[2] == "splitncnn_0: a -> a_splitncnn_0 a_splitncnn_2"
    graph.remove(o, reconnect=False)
    assert short(graph) == short(graph_of(CHAIN))
    check_sound(graph)


def test_names_of_splits_that_are_there_are_not_used_again() -> None:
    graph = graph_of("Input in 0 1 in / Split splitncnn_0 1 2 in in_splitncnn_0 y / Noop n 1 0 y")
    graph.add("ReLU", "r", inputs="in")
    assert short(graph)[1] == "splitncnn_0: in -> in_splitncnn_0 y in_splitncnn_1"
    graph.add("BinaryOp", "b", inputs=["r", "r"])
    assert short(graph)[4] == "splitncnn_1: r -> r_splitncnn_0 r_splitncnn_1"


def test_long_names_are_cut_to_fit() -> None:
    name = "x" * 255
    graph = graph_of(f"Input in 0 1 {name}")
    graph.add("BinaryOp", inputs=[name, name])
    check_sound(graph)


def test_a_split_stands_above_a_reader_that_is_put_above_it() -> None:
    graph = graph_of(
        "Input in 0 1 in / ReLU r 1 1 in a / Noop n 0 0 / Split s 1 2 a x y / Concat c 2 1 x y z"
    )
    graph.add("ReLU", "new", inputs="a", before=graph.layer("n"))
    assert [layer.name for layer in graph] == ["in", "r", "s", "new", "n", "c"]
    check_sound(graph)


def test_nested_splits_rise_together() -> None:
    graph = graph_of(
        "Input in 0 1 in / ReLU r 1 1 in a / Noop n 0 0 / Split s 1 2 a x y / Split t 1 2 y v w /"
        "Concat c 3 1 x v w z"
    )
    graph.add("ReLU", "new", inputs="w", before=graph.layer("n"))
    assert [layer.name for layer in graph] == ["in", "r", "s", "t", "new", "n", "c"]
    check_sound(graph)


def test_a_split_output_that_is_the_networks_output_keeps_its_name() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a out x / ReLU q 1 1 x b")
    graph.remove(graph.layer("q"), reconnect=False)
    assert short(graph) == ["in:  -> in", "r: in -> out"]
    check_sound(graph)


def test_an_input_that_is_an_output_too_keeps_both_names() -> None:
    graph = graph_of("Input in 0 1 in / Split s 1 2 in out x / ReLU q 1 1 x b")
    graph.remove(graph.layer("q"), reconnect=False)
    assert short(graph) == ["in:  -> in", "s: in -> out"]
    check_sound(graph)
    graph.add("ReLU", "new", inputs="out")
    assert short(graph) == ["in:  -> in", "new: in -> new"]
    check_sound(graph)


LONE = "Input in 0 1 in / Split s 1 1 in out / Noop n 0 0"


def test_a_split_of_one_output_goes_when_something_is_done_with_it() -> None:
    graph = graph_of(LONE)
    graph.insert_on("out", "ReLU", "r")
    assert short(graph) == ["in:  -> in", "r: in -> out", "n:  -> "]
    graph = graph_of(LONE)
    graph.insert_on("in", "ReLU", "r")
    assert short(graph) == ["in:  -> in", "r: in -> out", "n:  -> "]
    graph = graph_of(LONE)
    graph.insert_before(graph.layer("s"), "ReLU", "r")
    assert short(graph) == ["in:  -> in", "r: in -> out", "n:  -> "]
    graph = graph_of(LONE + " / Input x 0 1 x / ReLU r 1 1 x y")
    graph.set_input(graph.layer("r"), 0, "out")
    assert short(graph) == ["in:  -> in", "n:  -> ", "x:  -> x", "r: in -> y"]
    check_sound(graph)


def test_a_split_can_be_rewired() -> None:
    graph = graph_of(
        "Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y / ReLU q 1 1 x b / Split t 1 2 b v w /"
        "Concat c 3 1 y v w z"
    )
    graph.set_input(graph.layer("t"), 0, "a")
    assert short(graph) == ["in:  -> in", "r: in -> a", "s: a -> x y v w", "q: x -> b", "c: y v w -> z"]
    check_sound(graph)


def test_splits_that_come_to_stand_behind_each_other_become_one() -> None:
    graph = graph_of(
        "Input in 0 1 in / Split s 1 2 in x y / ReLU r 1 1 x a / Split t 1 2 a v w / Concat c 3 1 y v w z"
    )
    graph.remove(graph.layer("r"))
    assert short(graph) == ["in:  -> in", "s: in -> v w y", "c: y v w -> z"]
    check_sound(graph)


def test_a_layer_between_two_of_them_keeps_them_apart() -> None:
    graph = graph_of("Input in 0 1 in / Split s 1 2 in x y / ReLU r 1 1 x a / Concat c 2 1 a y z")
    graph.insert_on("x", "Sigmoid", "g")
    assert short(graph) == ["in:  -> in", "s: in -> x y", "g: x -> g", "r: g -> a", "c: a y -> z"]
    check_sound(graph)
