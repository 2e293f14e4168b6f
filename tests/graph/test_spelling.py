"""Edits of the text alone: the graph says the same, and is written in another way."""

from __future__ import annotations

import pytest

import ncnnparam as nnp
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph, correct_counts, drop_trailing, reprint
from ncnnparam.syntax import Param, parse_params

from .validator import check_links, check_sound, snapshot

SPLIT_OVER_LINES = """7767517
 2\t2
Input  in0 0 1 in0

ReLU\trelu 1 1 in0 out0
   0=1e-1  31=1
"""


def graph_of(text: str) -> Graph:
    return nnp.loads(text).graph


def relu(params: str) -> Graph:
    return graph_of(f"7767517\n2 2\nInput  in0 0 1 in0\nReLU  relu 1 1 in0 out0 {params}\n")


# ---- Params.respell --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0=1e-1 31=1", "0=0.1 31=1"),
        ("0=0.1 31=1", "31=1 0=0.1"),
        ("0=0.1 31=1 0=0.2", "31=1 0=0.2"),
        ("0=0.1 0=0.2", "0=0.1 0=0.2 0=0.3"),
        ("-23303=2,1,2 0=0.1", "3=1,2 0=0.1"),
        ("99=1", "99=+1"),
    ],
)
def test_respelled_params_are_written_as_given(old: str, new: str) -> None:
    graph = relu(old)
    graph.layer("relu").params.respell(parse_params(new))
    head = "ReLU                     relu                     1 1 in0 out0"
    assert nnp.dumps(graph) == f"7767517\n2 2\nInput  in0 0 1 in0\n{head} {new}\n"
    check_sound(graph)


def test_respelling_may_take_any_iterable_and_what_the_line_states() -> None:
    graph = relu("0=0.1  31=1")
    before = nnp.dumps(graph)
    params = graph.layer("relu").params
    params.respell(param for param in params.raw)
    assert nnp.dumps(graph) == before


@pytest.mark.parametrize(
    ("new", "differ"),
    [("0=0.1", "31"), ("", "0, 31"), ("0=0.1 31=1 2=5", "2"), ("1=0.1 31=1", "0, 1")],
)
def test_respelling_neither_adds_nor_drops_an_id(new: str, differ: str) -> None:
    graph = relu("0=0.1 31=1")
    before = snapshot(graph)
    with pytest.raises(GraphError, match=f"'relu': the new spelling adds or drops param {differ}$"):
        graph.layer("relu").params.respell(parse_params(new))
    assert snapshot(graph) == before


# ---- reprint ---------------------------------------------------------------------------------------------


def test_a_reprinted_layer_stands_on_one_line_below_its_blank_lines() -> None:
    graph = graph_of(SPLIT_OVER_LINES)
    said = graph.copy()
    reprint(graph, graph.layer("relu"))
    assert nnp.dumps(graph) == (
        "7767517\n 2\t2\nInput  in0 0 1 in0\n\n"
        "ReLU                     relu                     1 1 in0 out0 0=1e-1 31=1\n"
    )
    assert graph == said
    assert graph.layer("relu").line == said.layer("relu").line
    check_sound(graph)


def test_reprinting_twice_changes_nothing_more() -> None:
    graph = graph_of(SPLIT_OVER_LINES)
    for _ in range(2):
        for layer in graph:
            reprint(graph, layer)
        once = nnp.dumps(graph)
    assert nnp.dumps(graph) == once
    assert all(line[25] != " " for line in once.splitlines()[2:] if line)


def test_a_reprinted_layer_can_still_be_edited() -> None:
    graph = graph_of(SPLIT_OVER_LINES)
    layer = graph.layer("relu")
    reprint(graph, layer)
    layer.params[0] = 0.5
    assert nnp.dumps(graph).endswith(
        "\n\nReLU                     relu                     1 1 in0 out0 0=0.5 31=1\n"
    )


def test_reprinting_keeps_the_line_ends_of_the_file_and_begins_a_line() -> None:
    graph = graph_of("7767517\r\n2 2 Input in0 0 1 in0\r\nReLU relu 1 1 in0 out0")
    for layer in graph:
        reprint(graph, layer)
    assert nnp.dumps(graph) == (
        "7767517\r\n2 2\r\n"
        "Input                    in0                      0 1 in0\r\n"
        "ReLU                     relu                     1 1 in0 out0\r\n"
    )


def test_a_layer_made_in_memory_is_canonical_anyway() -> None:
    graph = Graph()
    layer = graph.add("Input", "in0", outputs=["in0"])
    before = nnp.dumps(graph)
    reprint(graph, layer)
    assert nnp.dumps(graph) == before
    assert layer.line is None


def test_a_layer_of_another_graph_is_refused() -> None:
    graph = graph_of(SPLIT_OVER_LINES)
    with pytest.raises(GraphError, match="not in this graph"):
        reprint(graph.copy(), graph.layer("relu"))


# ---- correct_counts and drop_trailing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "right"),
    [
        ("7767517\n1 9\n", "7767517\n2 2\n"),
        ("7767517\r\n 1\t9 \r\n", "7767517\r\n 2\t2 \r\n"),
        ("7767517 0 0\n\n", "7767517 2 2\n\n"),
        ("7767517\n1\n9 ", "7767517\n2\n2 "),
    ],
)
def test_only_the_two_numbers_change(head: str, right: str) -> None:
    body = "Input  in0 0 1 in0\nReLU  relu 1 1 in0 out0\n"
    graph = graph_of(head + body)
    assert correct_counts(graph)
    assert nnp.dumps(graph) == right + body
    assert graph.declared == (2, 2)
    assert not correct_counts(graph)
    check_links(graph)


def test_right_counts_and_graphs_made_in_memory_stay() -> None:
    graph = graph_of(SPLIT_OVER_LINES)
    assert not correct_counts(graph)
    assert nnp.dumps(graph) == SPLIT_OVER_LINES
    assert not correct_counts(Graph())


def test_trailing_text_is_dropped_and_nothing_else() -> None:
    graph = graph_of(f"{SPLIT_OVER_LINES}the end\n".replace(" 2\t2", " 2\t7"))
    other = graph.copy()
    assert drop_trailing(graph)
    assert nnp.dumps(graph) == SPLIT_OVER_LINES.replace(" 2\t2", " 2\t7")
    assert not drop_trailing(graph)
    assert nnp.dumps(other).endswith("the end\n")


def test_without_trailing_text_there_is_nothing_to_drop() -> None:
    assert not drop_trailing(graph_of(SPLIT_OVER_LINES))
    assert not drop_trailing(Graph())


def test_param_of_the_same_meaning() -> None:
    graph = relu("0=2.500000e-01")
    graph.layer("relu").params.respell([Param.make(0, 0.25)])
    assert graph == relu("0=2.500000e-01")
