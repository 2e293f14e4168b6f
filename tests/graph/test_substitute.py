"""Layers in the place of others: what is refused changes nothing, what is done leaves a sound graph."""

from __future__ import annotations

import pytest

from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph
from ncnnparam.graph.substitute import Draft, NewBlob, substitute
from tests.graph.short import graph_of, short
from tests.graph.validator import check_sound, snapshot


def draft(graph: Graph, layer: str, reads: str = "", writes: str = "", *, kept: bool = True) -> Draft:
    """A draft that reads and writes blobs of the graph."""
    blobs = [tuple(graph.blob(name).source for name in names.split()) for names in (reads, writes)]
    old = graph.layer(layer) if kept else None
    return Draft(old.type if old else "Noop", layer, old.params.raw if old else (), *blobs, old)


@pytest.mark.parametrize(
    ("body", "old", "new", "joined", "message"),
    [
        ("Input i 0 1 x / ReLU r 1 1 x y", "r", [], {}, "'y' is an output of the network and would go"),
        ("Input i 0 1 x / ReLU r 1 1 x y / ReLU q 1 1 y z", "r", [], {}, "'y' would go, and layer 'q' reads"),
        (
            "Input i 0 1 x / ReLU r 1 1 x y / Split s 1 2 y a b / ReLU q 1 1 a z",
            "r q",
            [("q", "x", "z")],
            {},
            "'b' is an output of the network and would go",
        ),
        ("Input i 0 1 x / ReLU r 1 1 x y", "r", [], {"y": "x"}, "output 'y' of the network would be its"),
        (
            "Input i 0 1 x / ReLU a 1 1 x y / Split s 1 2 y p q / ReLU b 1 1 p u / ReLU c 1 1 q v",
            "b c",
            [],
            {"u": "y", "v": "y"},
            "'u' and 'v' of the network would be one blob",
        ),
        (
            "Input i 0 1 x / Split s 1 2 x p q / ReLU a 1 1 p y / ReLU b 1 1 q z / ReLU c 1 1 y o",
            "a b",
            [("b", "x", "z"), ("a", "z", "y")],
            {},
            None,
        ),
        (
            "Input i 0 1 x / ReLU a 1 1 x y / Split s 1 2 y p q / ReLU c 1 1 p u / BinaryOp b 2 1 q u z",
            "a b",
            [("b", "x u", "z"), ("a", "z", "y")],
            {},
            "no place for 'b': it reads what 'c' writes",
        ),
        (
            "Input i 0 1 x / ReLU a 1 1 x y / ReLU c 1 1 y u / ReLU b 1 1 u z / ReLU d 1 1 z o",
            "a b",
            [("b", "x", "z")],
            {"y": "z"},
            None,
        ),
        (
            "Input i 0 1 x / Input j 0 1 w / ReLU a 1 1 x y / ReLU c 1 1 y u / ReLU k 1 1 w v"
            " / ReLU b 1 1 v z",
            "a b",
            [("b", "x", "z")],
            {"y": "v"},
            "layer 'c' stands above 'v', which it would read",
        ),
    ],
)
def test_done_whole_or_refused(
    body: str, old: str, new: list[tuple[str, str, str]], joined: dict[str, str], message: str | None
) -> None:
    graph = graph_of(body)
    layers = [graph.layer(name) for name in old.split()]
    drafts = [draft(graph, *one) for one in new]
    joins = {graph.blob(gone): graph.blob(instead) for gone, instead in joined.items()}
    before = snapshot(graph)
    if message is not None:
        with pytest.raises(GraphError, match=message):
            substitute(graph, layers, drafts, joins)
        assert snapshot(graph) == before
    else:
        outputs = [blob.name for blob in graph.outputs]
        substitute(graph, layers, drafts, joins)
        assert [blob.name for blob in graph.outputs] == outputs
    check_sound(graph)


@pytest.mark.parametrize(
    "body",
    [
        "Input i 0 1 x / ReLU r 1 1 y y",
        "Input i 0 1 x / ReLU r 1 1 y z / Noop n 1 1 x y",
        "Noop n 1 1 z w / Input i 0 1 x / ReLU r 1 1 x z",
        "Split s 1 2 z u v / Input i 0 1 x / ReLU r 1 1 x z",
    ],
)
def test_what_is_out_of_order_is_left_alone(body: str) -> None:
    graph = graph_of(body)
    before = snapshot(graph)
    old = graph.layer("r")
    with pytest.raises(GraphError, match="does not stand below"):
        substitute(graph, [old], [Draft("Mish", "new", (), (graph.blob("x"),), old.outputs)])
    assert snapshot(graph) == before


def test_a_layer_that_goes_on_stays_where_it_is() -> None:
    graph = graph_of("Input i 0 1 x / Input j 0 1 v / ReLU a 1 1 x y / Sigmoid s 1 1 v w / Noop n 1 1 y z")
    substitute(graph, [graph.layer("a"), graph.layer("n")], [draft(graph, "a", "x", "z")])
    assert short(graph) == ["i:  -> x", "j:  -> v", "a: x -> z", "s: v -> w"]


def test_a_new_layer_stands_where_the_last_one_stood() -> None:
    graph = graph_of("Input i 0 1 x / Input j 0 1 v / ReLU a 1 1 x y / Sigmoid s 1 1 v w / Noop n 1 1 y z")
    new = Draft("Swish", "swish", (), (graph.blob("x"),), (graph.blob("z"),))
    (layer,) = substitute(graph, [graph.layer("a"), graph.layer("n")], [new])
    assert short(graph) == ["i:  -> x", "j:  -> v", "s: v -> w", "swish: x -> z"]
    assert layer.type == "Swish"


def test_it_stands_higher_if_it_is_read_above() -> None:
    graph = graph_of(
        "Input i 0 1 x / Split s 1 2 x x0 x1 / ReLU a 1 1 x0 y / Sigmoid r 1 1 y o"
        " / ReLU b 1 1 x1 z / Noop n 1 1 z u"
    )
    both = (graph.blob("y"), graph.blob("z"))
    substitute(
        graph, [graph.layer("a"), graph.layer("b")], [Draft("Slice", "both", (), (graph.blob("x"),), both)]
    )
    assert short(graph) == ["i:  -> x", "both: x -> y z", "r: y -> o", "n: z -> u"]
    check_sound(graph)


def test_new_names_are_free() -> None:
    graph = graph_of("Input i 0 1 x / ReLU a 1 1 x b / Noop n 1 1 b z")
    between = NewBlob()
    drafts = [
        Draft("Exp", "a", (), (graph.blob("x"),), (between,)),
        Draft("Log", "b", (), (between,), (graph.blob("b"),)),
    ]
    first, second = substitute(graph, [graph.layer("a")], drafts)
    assert [first.name, second.name] == ["a_0", "b"]
    assert short(graph) == ["i:  -> x", "a_0: x -> a_0", "b: a_0 -> b", "n: b -> z"]
    check_sound(graph)


def test_what_only_the_old_layers_needed_goes() -> None:
    graph = graph_of(
        "Input i 0 1 x / Input j 0 1 v / MemoryData m 0 1 c / Split s 1 2 c c0 c1 / Sigmoid g 1 1 c0 d"
        " / Eltwise e 4 1 x d v c1 y"
    )
    substitute(graph, [graph.layer("e")], [Draft("ReLU", "r", (), (graph.blob("x"),), (graph.blob("y"),))])
    assert short(graph) == ["i:  -> x", "j:  -> v", "r: x -> y"]
    check_sound(graph)


def test_an_output_that_is_read_inside_too_keeps_its_name() -> None:
    graph = graph_of("Input i 0 1 x / Split s 1 2 x x0 x1 / ReLU a 1 1 x0 y / ReLU b 1 1 x1 z")
    drafts = [draft(graph, "a", "x", "y"), draft(graph, "b", "y", "z")]
    substitute(graph, [graph.layer("a"), graph.layer("b")], drafts)
    assert {blob.name for blob in graph.outputs} == {"y", "z"}
    check_sound(graph)


@pytest.mark.parametrize("read", ["y", "y0"])
def test_a_new_layer_cannot_read_what_goes(read: str) -> None:
    graph = graph_of("Input i 0 1 x / ReLU a 1 1 x y / Split s 1 2 y y0 y1 / BinaryOp b 2 1 y0 y1 z")
    before = snapshot(graph)
    new = Draft("ReLU", "r", (), (graph.blob(read),), (graph.blob("z"),))
    with pytest.raises(GraphError, match="'r' would read"):
        substitute(graph, [graph.layer("a"), graph.layer("b")], [new])
    assert snapshot(graph) == before
