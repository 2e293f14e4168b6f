"""Choosing rules, and checking graphs that have no text or no longer say what their text says."""

from __future__ import annotations

import pytest

from ncnnparam import ConfigError, Graph, dumps
from ncnnparam.checks import RULES, check, select_rules

from .cases import findings_of, graph_of

SOUND = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"


def codes(graph: Graph) -> list[str]:
    return [finding.code for finding in check(graph)]


def names(select: list[str], ignore: list[str]) -> list[str]:
    return [rule.code for rule in select_rules(RULES, select, ignore)]


def test_everything_is_selected_by_default() -> None:
    assert select_rules(RULES) == list(RULES)


@pytest.mark.parametrize(
    ("select", "ignore", "chosen"),
    [
        (["NP201"], [], ["NP201"]),
        (["np201", "layer-count"], [], ["NP201"]),
        (["NP10"], ["syntax", "NP103"], ["NP102", "NP104", "NP105", "NP106", "NP107", "NP108", "NP109"]),
        (["blob-count"], ["NP2"], []),
    ],
)
def test_rules_are_chosen_by_code_beginning_and_name(
    select: list[str], ignore: list[str], chosen: list[str]
) -> None:
    assert names(select, ignore) == chosen


@pytest.mark.parametrize(
    ("word", "near"),
    [("layer-cout", "layer-count"), ("NP999", "NP"), ("np2O1", "NP2"), ("", "NP101 to NP403")],
)
def test_an_unknown_rule_is_an_error_that_helps(word: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no rule '{word}'(.|\n)*{near}"):
        select_rules(RULES, [word])


def test_check_takes_select_and_ignore() -> None:
    graph = graph_of("7767517\n3 4\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n")
    assert [f.code for f in check(graph, select=["NP2"])] == ["NP201", "NP202"]
    assert [f.code for f in check(graph, ignore=["blob-count"])] == ["NP201"]


def test_findings_come_in_the_order_of_the_file() -> None:
    findings = findings_of(
        "7767517\n5 5\nInput in0 0 1 in0\nReLU relu 1 1 in0 a 0=1\nReLU relu 1 1 b out0 0=2\n"
    )
    places = [(finding.line, finding.column) for finding in findings]
    assert places == sorted(places)
    assert len(places) > 4


def test_a_graph_made_in_memory_is_checked_without_places() -> None:
    graph = Graph()
    graph.add("Input", "in0", outputs=["in0"])
    graph.add("ReLU", "relu", inputs=["in0"], outputs=["out0"], params={0: 1})
    (finding,) = check(graph)
    assert (finding.code, finding.line, finding.layer) == ("NP115", 0, "relu")


def test_an_empty_graph_is_refused() -> None:
    assert all(finding.refused for finding in check(Graph()))
    assert codes(Graph()) == ["NP201", "NP202"]


def test_an_edited_graph_is_checked_as_it_will_be_written() -> None:
    graph = graph_of(SOUND)
    graph.insert_after(graph.layer("relu"), "Sigmoid")
    assert codes(graph) == []
    assert findings_of(dumps(graph)) == []


def test_an_edit_cures_wrong_counts_as_the_printer_does() -> None:
    graph = graph_of(SOUND.replace("2 2", "7 7"))
    assert codes(graph) == ["NP201", "NP202"]
    graph.layer("relu").params[0] = 0.5
    assert codes(graph) == []
    assert findings_of(dumps(graph)) == []


def test_an_edited_layer_has_no_faults_of_its_old_line() -> None:
    graph = graph_of(SOUND.replace("in0 out0\n", "in0 out0\n  0=0.1\n"))
    assert codes(graph) == ["NP104"]
    graph.layer("relu").params[0] = 0.2
    assert codes(graph) == []
    assert findings_of(dumps(graph)) == []


def test_layers_behind_the_declared_ones_cannot_make_ncnn_refuse_the_file() -> None:
    findings = findings_of(f"{SOUND}ReLU more 2 1 x out0 out1 99=1 31=1.0 30=2\n")
    assert {"NP105", "NP116", "NP201", "NP205", "NP211", "NP212"} <= {finding.code for finding in findings}
    assert not any(finding.refused for finding in findings)
