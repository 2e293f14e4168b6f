"""Edits of single layers: what exactly they do, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.graph import Graph, Layer
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound, snapshot


@pytest.fixture
def graph() -> Graph:
    return graph_of(
        "Input in 0 1 in / Input d 0 1 d / ReLU r 1 1 in a / Slice s 1 2 a b c / ReLU q 1 1 b out0 /"
        "BinaryOp add 2 1 c d out1 / Noop end 0 0"
    )


# ---- add -------------------------------------------------------------------------------------------


def test_add_stands_last_by_default_and_names_itself(graph: Graph) -> None:
    layer = graph.add("ReLU", inputs=["out0"], slope=0.1)
    assert short(graph)[-1] == "relu_0: out0 -> relu_0"
    assert nnp.dumps(graph).splitlines()[-1].endswith("1 1 out0 relu_0 0=0.1")
    assert graph.append("ReLU", inputs=[layer.outputs[0]]).name == "relu_1"


def test_add_takes_names_blobs_and_a_single_one_of_them(graph: Graph) -> None:
    assert graph.add("ReLU", inputs="out0").inputs[0].name == "out0"
    assert graph.add("ReLU", inputs=graph.blob("out1")).inputs[0].name == "out1"
    assert graph.add("Noop", "sink", inputs=(), outputs=0).outputs == ()


def test_add_names_outputs(graph: Graph) -> None:
    assert [b.name for b in graph.add("Slice", "x", inputs="out0", outputs=2).outputs] == ["x_0", "x_1"]
    assert [b.name for b in graph.add("Slice", "y", outputs=["u", "v"]).outputs] == ["u", "v"]
    assert [b.name for b in graph.add("ReLU", "z", outputs="w").outputs] == ["w"]
    assert [b.name for b in graph.add("ReLU", "u").outputs] == ["u_0"]


def test_add_before_and_after(graph: Graph) -> None:
    graph.add("Noop", "x", outputs=0, before=graph.layer("in"))
    graph.add("Noop", "y", outputs=0, after=graph.layer("in"))
    graph.insert_at(2, "Noop", "z", outputs=0)
    graph.insert_at(len(graph), "Noop", "last", outputs=0)
    graph.insert_at(-1, "Noop", "late", outputs=0)
    names = ["x", "in", "z", "y", "d", "r", "s", "q", "add", "end", "late", "last"]
    assert [layer.name for layer in graph] == names


def test_params_by_id_and_name(graph: Graph) -> None:
    layer = graph.add("Convolution", inputs="out0", params={0: 8, 5: 1}, kernel_w=3, activation_params=[0.5])
    assert dict(layer.params) == {0: 8, 5: 1, 1: 3, 10: (0.5,)}


# ---- insert ----------------------------------------------------------------------------------------


def test_insert_after_an_inner_layer(graph: Graph) -> None:
    graph.insert_after(graph.layer("r"), "Sigmoid", "g")
    assert short(graph)[2:5] == ["r: in -> a", "g: a -> g", "s: g -> b c"]
    check_sound(graph)


def test_insert_after_an_output_takes_over_its_name(graph: Graph) -> None:
    graph.insert_after(graph.layer("q"), "Sigmoid", "g")
    assert short(graph)[4:6] == ["q: b -> out0_0", "g: out0_0 -> out0"]
    check_sound(graph)


def test_insert_after_one_of_several_outputs(graph: Graph) -> None:
    graph.insert_after(graph.layer("s"), "Sigmoid", "g", output=1)
    assert short(graph)[3:7] == ["s: a -> b c", "g: c -> g", "q: b -> out0", "add: g d -> out1"]


def test_insert_after_a_fan_out_serves_all_readers() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y / Concat c 2 1 x y z")
    graph.insert_after(graph.layer("r"), "Sigmoid", "g")
    assert short(graph)[1:4] == ["r: in -> a", "g: a -> g", "s: g -> x y"]


def test_insert_before_is_for_one_reader() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y / Concat c 2 1 x y z")
    graph.insert_before(graph.layer("c"), "Sigmoid", "g", input=1)
    assert short(graph)[2:] == ["s: a -> x y", "g: y -> g", "c: x g -> z"]


def test_insert_on_an_unread_input_keeps_its_name() -> None:
    graph = graph_of("Input in 0 1 in")
    graph.insert_on("in", "ReLU", "r")
    assert short(graph) == ["in:  -> in", "r: in -> r"]


def test_insert_on_a_blob_nobody_writes() -> None:
    graph = graph_of("Noop n 0 0 / ReLU r 1 1 nowhere a")
    graph.insert_on("nowhere", "Sigmoid", "g")
    assert short(graph) == ["n:  -> ", "g: nowhere -> g", "r: g -> a"]


# ---- remove ----------------------------------------------------------------------------------------


def test_remove_reconnects(graph: Graph) -> None:
    graph.remove(graph.layer("r"))
    assert short(graph)[2:4] == ["s: in -> b c", "q: b -> out0"]
    check_sound(graph)


def test_remove_keeps_the_name_of_an_output(graph: Graph) -> None:
    graph.remove(graph.layer("q"))
    assert short(graph)[3] == "s: a -> out0 c"
    check_sound(graph)


def test_remove_with_several_inputs_needs_to_know_which(graph: Graph) -> None:
    graph.add("ReLU", inputs="out1")
    with pytest.raises(GraphError, match=r"2 inputs and 1 outputs.*\n.*keep="):
        graph.remove(graph.layer("add"))
    graph.remove(graph.layer("add"), keep=0)
    assert short(graph)[-1] == "relu_0: c -> relu_0"
    assert {blob.name for blob in graph.outputs} == {"d", "out0", "relu_0"}
    check_sound(graph)


def test_remove_never_makes_an_output_of_an_input() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in out")
    with pytest.raises(GraphError, match=r"'out' would be the input 'in'.*\n.*reconnect=False"):
        graph.remove(graph.layer("r"))
    graph.remove(graph.layer("r"), reconnect=False)
    assert short(graph) == ["in:  -> in"]


def test_remove_of_what_is_read_needs_a_reconnection(graph: Graph) -> None:
    with pytest.raises(GraphError, match="'s' is read by 'add', 'q'"):
        graph.remove(graph.layer("s"), reconnect=False)
    with pytest.raises(GraphError, match="1 inputs and 2 outputs"):
        graph.remove(graph.layer("s"))


def test_remove_without_reconnect_ignores_keep(graph: Graph) -> None:
    graph.remove(graph.layer("q"), reconnect=False, keep=0)
    assert {blob.name for blob in graph.outputs} == {"b", "out1"}


def test_remove_of_sinks_and_lone_layers(graph: Graph) -> None:
    graph.remove(graph.layer("end"))
    graph.remove(graph.layer("add"), reconnect=False)
    graph.remove(graph.layer("d"))
    assert [layer.name for layer in graph] == ["in", "r", "s", "q"]
    check_sound(graph)


def test_remove_of_both_readers_leaves_the_name_of_the_blob() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y / Concat c 2 1 x y z")
    graph.remove(graph.layer("c"), reconnect=False)
    assert short(graph) == ["in:  -> in", "r: in -> a"]


def test_a_split_with_readers_stays() -> None:
    graph = graph_of("Input in 0 1 in / Split s 1 2 in x y / ReLU p 1 1 x u / ReLU q 1 1 y v")
    with pytest.raises(GraphError, match="needed by what reads its outputs"):
        graph.remove(graph.layer("s"))


def test_a_split_without_readers_or_with_one_output_may_go() -> None:
    graph = graph_of("Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y")
    graph.remove(graph.layer("s"))
    assert short(graph) == ["in:  -> in", "r: in -> a"]
    graph = graph_of("Input in 0 1 in / Split s 1 1 in x / ReLU r 1 1 x a")
    graph.remove(graph.layer("s"))
    assert short(graph) == ["in:  -> in", "r: in -> a"]


# ---- replace, move, rewire -------------------------------------------------------------------------


def test_replace(graph: Graph) -> None:
    old = graph.layer("r")
    assert graph.replace(old, "Clip", min=0, max=6.0) is old
    assert (old.type, old.name, dict(old.params)) == ("Clip", "r", {0: 0.0, 1: 6.0})
    assert short(graph)[2] == "r: in -> a"
    graph.replace(old, "Sigmoid", "g")
    assert graph.layer("g") is old
    assert not old.params


def test_move(graph: Graph) -> None:
    graph.move(graph.layer("end"), before=graph.layer("in"))
    graph.move(graph.layer("d"), after=graph.layer("q"))
    assert [layer.name for layer in graph] == ["end", "in", "r", "s", "q", "d", "add"]
    graph.move(graph.layer("d"), before=graph.layer("add"))
    assert [layer.name for layer in graph] == ["end", "in", "r", "s", "q", "d", "add"]
    check_sound(graph)


def test_move_takes_splits_along() -> None:
    graph = graph_of(
        "Input in 0 1 in / ReLU r 1 1 in a / Noop n 0 0 / Split s 1 2 a x y / ReLU p 1 1 x u / ReLU q 1 1 y v"
    )
    graph.move(graph.layer("q"), before=graph.layer("n"))
    assert [layer.name for layer in graph] == ["in", "r", "s", "q", "n", "p"]
    check_sound(graph)
    graph = graph_of(
        "Input in 0 1 in / ReLU r 1 1 in a / Split s 1 2 a x y / Noop n 0 0 / Concat c 2 1 x y z"
    )
    graph.move(graph.layer("r"), after=graph.layer("n"))
    assert [layer.name for layer in graph] == ["in", "n", "r", "s", "c"]
    check_sound(graph)


def test_move_keeps_readers_below(graph: Graph) -> None:
    with pytest.raises(GraphError, match="'s' reads 'a' and would stand above it"):
        graph.move(graph.layer("r"), after=graph.layer("s"))
    with pytest.raises(GraphError, match="'a' is written further down, by layer 'r'"):
        graph.move(graph.layer("s"), before=graph.layer("r"))


def test_set_input(graph: Graph) -> None:
    graph.set_input(graph.layer("add"), 1, "in")
    assert short(graph)[1] == "splitncnn_0: in -> in_splitncnn_0 in_splitncnn_1"
    graph.set_input(graph.layer("add"), 1, "in_splitncnn_0")  # the same value: nothing to do
    assert short(graph)[-2] == "add: c in_splitncnn_1 -> out1"
    graph.set_input(graph.layer("add"), 1, graph.blob("d"))
    assert short(graph)[-2] == "add: c d -> out1"
    assert not graph.find("Split")
    check_sound(graph)


def test_replace_uses(graph: Graph) -> None:
    graph.replace_uses("a", "d")
    assert short(graph)[1:5] == [
        "d:  -> d",
        "splitncnn_0: d -> d_splitncnn_0 d_splitncnn_1",
        "r: in -> a",
        "s: d_splitncnn_1 -> b c",
    ]
    assert {blob.name for blob in graph.outputs} == {"a", "out0", "out1"}
    check_sound(graph)


# ---- all or nothing --------------------------------------------------------------------------------

Edit = Callable[[Graph, Layer], Any]
stranger = graph_of("Input in 0 1 in / ReLU r 1 1 in out")

REFUSED: dict[str, tuple[type[GraphError], Edit]] = {
    "add: no such blob": (NotFoundError, lambda g, r: g.add("ReLU", inputs=["a", "none"])),
    "add: a stranger's blob": (GraphError, lambda g, r: g.add("ReLU", inputs=[stranger.blob("in")])),
    "add: name taken": (GraphError, lambda g, r: g.add("ReLU", "r", inputs="a")),
    "add: output taken": (GraphError, lambda g, r: g.add("ReLU", inputs="a", outputs=["u", "in"])),
    "add: outputs alike": (GraphError, lambda g, r: g.add("Slice", inputs="a", outputs=["u", "u"])),
    "add: minus one output": (GraphError, lambda g, r: g.add("Slice", inputs="a", outputs=-1)),
    "add: bad type": (GraphError, lambda g, r: g.add("two words", inputs="a")),
    "add: bad name": (GraphError, lambda g, r: g.add("ReLU", "two words", inputs="a")),
    "add: bad id": (GraphError, lambda g, r: g.add("ReLU", inputs="a", params={0: 1.0, 99: 1})),
    "add: bad value": (GraphError, lambda g, r: g.add("ReLU", inputs="a", slope="x")),
    "add: no such param": (NotFoundError, lambda g, r: g.add("ReLU", inputs="a", slop=1)),
    "add: no such type": (NotFoundError, lambda g, r: g.add("Rulu", inputs="a", slope=1)),
    "add: above its input": (GraphError, lambda g, r: g.add("ReLU", inputs="a", before=r)),
    "add: above everything": (GraphError, lambda g, r: g.add("ReLU", inputs="a", before=g.layer("in"))),
    "add: before and after": (GraphError, lambda g, r: g.add("ReLU", inputs="a", before=r, after=r)),
    "add: before a stranger": (GraphError, lambda g, r: g.add("ReLU", before=stranger.layer("r"))),
    "insert at: beyond": (GraphError, lambda g, r: g.insert_at(99, "ReLU")),
    "insert at: beyond the front": (GraphError, lambda g, r: g.insert_at(-99, "ReLU")),
    "insert after: no such output": (GraphError, lambda g, r: g.insert_after(r, "ReLU", output=1)),
    "insert after: a stranger": (GraphError, lambda g, r: g.insert_after(stranger.layer("r"), "ReLU")),
    "insert after: name taken": (GraphError, lambda g, r: g.insert_after(g.layer("q"), "ReLU", "in")),
    "insert before: no such input": (GraphError, lambda g, r: g.insert_before(r, "ReLU", input=-1)),
    "insert before: bad param": (GraphError, lambda g, r: g.insert_before(r, "ReLU", slope=[1])),
    "insert on: no such blob": (NotFoundError, lambda g, r: g.insert_on("none", "ReLU")),
    "remove: a stranger": (GraphError, lambda g, r: g.remove(stranger.layer("r"))),
    "remove: keep what is not there": (GraphError, lambda g, r: g.remove(g.layer("add"), keep=2)),
    "remove: an input that is read": (GraphError, lambda g, r: g.remove(g.layer("in"))),
    "replace: name taken": (GraphError, lambda g, r: g.replace(r, "Clip", "in")),
    "replace: no name": (GraphError, lambda g, r: g.replace(r, "Clip", "")),
    "replace: bad param": (GraphError, lambda g, r: g.replace(r, "Clip", "new", params={0: "a\n"})),
    "move: nowhere": (GraphError, lambda g, r: g.move(r, before=r)),
    "move: below a reader": (GraphError, lambda g, r: g.move(r)),
    "set input: no such input": (GraphError, lambda g, r: g.set_input(r, 1, "d")),
    "set input: its own output": (GraphError, lambda g, r: g.set_input(r, 0, "a")),
    "set input: from below": (GraphError, lambda g, r: g.set_input(r, 0, "out0")),
    "replace uses: by what reads it": (GraphError, lambda g, r: g.replace_uses("in", "a")),
    "rename: unknown": (NotFoundError, lambda g, r: g.rename_layer("none", "x")),
    "rename blob: taken": (GraphError, lambda g, r: g.rename_blob("a", "in")),
    "concat: names taken": (GraphError, lambda g, r: g.concat(stranger)),
    "concat: no input of it": (
        GraphError,
        lambda g, r: g.concat(stranger, prefix="p.", connect={"out": "a"}),
    ),
    "concat: no such blob": (
        NotFoundError,
        lambda g, r: g.concat(stranger, prefix="p.", connect={"in": "none"}),
    ),
    "extract: no output": (GraphError, lambda g, r: g.extract(["in"], [])),
    "extract: more is needed": (GraphError, lambda g, r: g.extract(["in"], ["out1"])),
    "extract: less is needed": (GraphError, lambda g, r: g.extract(["in", "d"], ["out0"])),
    "remove dead: no such blob": (NotFoundError, lambda g, r: g.remove_dead(["none"])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_edit_changes_nothing(name: str, graph: Graph) -> None:
    error, edit = REFUSED[name]
    before = snapshot(graph)
    with pytest.raises(error) as caught:
        edit(graph, graph.layer("r"))
    assert str(caught.value)
    assert snapshot(graph) == before
    check_sound(graph)


def test_unknown_names_come_with_near_ones(graph: Graph) -> None:
    with pytest.raises(NotFoundError, match=r"no blob 'ou0'\n.*did you mean out0"):
        graph.add("ReLU", inputs=["ou0"])


# ---- while walking ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backward", [False, True])
def test_removing_while_walking(backward: bool) -> None:
    chain = " / ".join(f"ReLU r{n} 1 1 b{n} b{n + 1}" for n in range(30))
    graph = graph_of(f"Input in 0 1 b0 / {chain} / Noop end 1 0 b30")
    for layer in reversed(graph.layers) if backward else graph:
        if layer.type == "ReLU":
            graph.remove(layer)
    assert short(graph) == ["in:  -> b0", "end: b0 -> "]


def test_inserting_and_moving_while_walking(graph: Graph) -> None:
    seen = []
    for layer in graph:
        seen.append(layer.name)
        if layer.type == "ReLU":
            graph.insert_before(layer, "Noop", f"before_{layer.name}")
        if layer.name == "d":
            graph.move(layer, before=graph.layer("in"))
    assert seen == ["in", "d", "r", "s", "q", "add", "end"]
    assert [layer.name for layer in graph] == ["d", "in", "before_r", "r", "s", "before_q", "q", "add", "end"]
    check_sound(graph)


def test_inserting_behind_each_of_those_found(graph: Graph) -> None:
    for layer in graph.find("ReLU"):
        graph.insert_after(layer, "ReLU")
    assert len(graph.find("ReLU")) == 4
    check_sound(graph)
