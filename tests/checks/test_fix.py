"""Repairs: whole files, in any combination, and never twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ncnnparam import Graph, dumps, load, loads
from ncnnparam.checks import RULES, check, fix, select_rules

from .cases import Case, cases, findings_of, graph_of

PARSED = [case for case in cases("bad") if case.code not in ("NP101", "NP102")]


def repaired(text: str) -> str:
    graph = graph_of(text)
    fix(graph)
    return dumps(graph)


def fixable(text: str) -> list[str]:
    return [finding.code for finding in findings_of(text) if finding.fixable]


@pytest.mark.parametrize("case", PARSED, ids=str)
def test_all_repairs_together_leave_nothing_fixable(case: Case) -> None:
    once = repaired(case.text)
    assert fixable(once) == []
    assert repaired(once) == once


@pytest.mark.parametrize("case", PARSED, ids=str)
def test_a_repaired_graph_passes_in_memory_too(case: Case) -> None:
    graph = graph_of(case.text)
    fix(graph)
    assert [finding.code for finding in check(graph) if finding.fixable] == []


@pytest.mark.parametrize("case", cases("good"), ids=str)
def test_a_sound_rule_is_not_repaired(case: Case) -> None:
    if fixable(case.text):
        pytest.skip("another rule has something to repair")
    assert repaired(case.text) == case.text


def test_nothing_to_do_changes_nothing() -> None:
    graph = graph_of("7767517\n2 2\nInput  in0 0 1 in0\nReLU relu 1 1 in0 out0   0=1e-1\n")
    before = dumps(graph)
    assert fix(graph) == []
    assert dumps(graph) == before


def test_fix_says_what_it_did() -> None:
    graph = graph_of("7767517\n9 9\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n")
    assert fix(graph) == ["the header declares 2 layers and 2 blobs, and no longer 9 and 9"]


def test_fixing_a_copy_leaves_the_original_alone() -> None:
    graph = graph_of("7767517\n9 9\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\nend\n".replace("9 9", "2 9"))
    before = dumps(graph)
    fix(graph.copy(), unsafe=True)
    assert dumps(graph) == before


def test_trailing_text_is_deleted_on_request_only() -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"
    graph = graph_of(f"{text}the end\n")
    assert fix(graph) == []
    assert fix(graph, unsafe=True) == ["deleted the text behind the last layer"]
    assert dumps(graph) == text


def test_narrowing_a_split_does_not_leave_its_shape_hint_wrong() -> None:
    text = (
        "7767517\n4 6\nInput in0 0 1 in0\n"
        "Split s 1 3 in0 a b_splitncnn_1 c -23330=12,1,4,0,0,1,4,0,0,1,4,0,0\n"
        "ReLU relu 1 1 a d\nBinaryOp add 2 1 d c out0\n"
    )
    assert [finding.code for finding in findings_of(repaired(text))] == []


def test_a_split_of_one_output_stays_beside_other_readers() -> None:
    text = "7767517\n4 4\nInput in0 0 1 in0\nReLU r 1 1 in0 a\nSplit s 1 1 a out0\nReLU q 1 1 a out1\n"
    graph = graph_of(text)
    assert fix(graph, rules=select_rules(RULES, ["NP210"])) == []
    assert dumps(graph) == text


def test_layers_stay_where_they_are_when_their_order_says_which_blob_is_read() -> None:
    text = (
        "7767517\n5 5\nInput in0 0 1 in0\nReLU r 1 1 b c\n"
        "Sigmoid s 1 1 z b\nReLU q 1 1 in0 z\nTanH t 1 1 c b\n"
    )
    assert repaired(text) == text
    assert fixable(text) == []


def test_a_circle_is_left_as_it_is() -> None:
    text = "7767517\n2 2\nReLU one 1 1 a b\nReLU two 1 1 b a\n"
    assert repaired(text) == text
    assert "NP206" in [finding.code for finding in findings_of(text)]


# ---- random graphs, broken in all ways at once -----------------------------------------------------------

SPELLINGS = [
    "0=0.1",
    "0=1",
    "0=.5f",
    "0=1.2345678901234",
    "-23330=4,1,2,3,4",
    "-23330=3,1,2,3",
    "0=0.2\t31=1",
    "31=1 31=2",
]


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """Layers that read blobs anywhere in the file, any number of times, under any header."""
    count = draw(st.integers(1, 8))
    lines = ["Input in0 0 1 b0"]
    for number in range(1, count):
        reads = draw(st.lists(st.integers(0, count), min_size=1, max_size=3))
        kind = draw(st.sampled_from(["ReLU", "Split", "Concat"]))
        reads = reads if kind == "Concat" else reads[:1]
        makes = [f"b{number}"] + ([f"b{number}_splitncnn_1", f"b{number}_2"] if kind == "Split" else [])
        params = draw(st.sampled_from(SPELLINGS)) if kind == "ReLU" else ""
        names = [*(f"b{read}" for read in reads), *makes]
        lines.append(f"{kind} layer{number} {len(reads)} {len(makes)} {' '.join(names)} {params}")
    declared = draw(st.tuples(st.integers(0, 12), st.integers(0, 30)))
    order = draw(st.permutations(lines))
    return "\n".join(["7767517", f"{declared[0]} {declared[1]}", *order, ""])


# in a circle of Splits, each one that goes makes another one sound
CIRCLE = """7767517
0 0
Input in0 0 1 b0
Split layer5 1 3 b4 b5 b5_splitncnn_1 b5_2
Split layer1 1 3 b5 b1 b1_splitncnn_1 b1_2
Split layer4 1 3 b6 b4 b4_splitncnn_1 b4_2
Split layer6 1 3 b1 b6 b6_splitncnn_1 b6_2
"""


@settings(max_examples=150, deadline=None)
@given(broken_texts())
@example(CIRCLE)
def test_random_repairs_hold(text: str) -> None:
    once = repaired(text)
    circle = {"NP206"} if _is_circular(graph_of(once)) else set()
    assert set(fixable(once)) <= circle
    assert repaired(once) == once


def _is_circular(graph: Graph) -> bool:
    placed: set[int] = set()
    waiting = list(graph.layers)
    while waiting:
        ready = [
            layer
            for layer in waiting
            if all(blob.producer is None or id(blob.producer) in placed for blob in layer.inputs)
        ]
        if not ready:
            return True
        placed.update(id(layer) for layer in ready)
        waiting = [layer for layer in waiting if id(layer) not in placed]
    return False


def test_real_files_are_repaired(shared: Path) -> None:
    for path in sorted((shared / "corpus").glob("*.param")):
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        if "7767517" not in text[:10]:
            continue
        model = load(path)
        fix(model.graph)
        once = dumps(model)
        assert fixable(once) == [], path.name
        again = loads(once)
        assert fix(again.graph) == [], path.name


def test_links_are_left_alone_while_two_blobs_have_one_name() -> None:
    text = (
        "7767517\n6 7\nInput in0 0 1 in0\nReLU a 1 1 in0 x\nReLU b 1 1 in0 x\n"
        "Sigmoid c 1 1 x out0\nSplit s 1 2 out0 out0_splitncnn_0 out0_splitncnn_1\n"
        "ReLU d 1 1 out0_splitncnn_0 out1\n"
    )
    graph = loads(text).graph
    found = {finding.code: finding.fixable for finding in check(graph)}
    assert found["NP204"] is found["NP207"] is found["NP209"] is False
    assert fix(graph) == []
    assert dumps(graph) == text
