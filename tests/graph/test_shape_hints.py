"""A Split's shape hint (param 30) has a shape for each output, so it goes when their number changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import ncnnparam as nnp
from ncnnparam.checks import check
from ncnnparam.graph import Graph

from .validator import check_sound

SHAPE = "1,4,0,0"
TEXT = f"""7767517
7 10
Input in0 0 1 in0
Split s 1 3 in0 a b c -23330=12,{SHAPE},{SHAPE},{SHAPE}
ReLU one 1 1 a x
ReLU two 1 1 b y
ReLU three 1 1 c z
Split t 1 2 z d e -23330=8,{SHAPE},{SHAPE}
Concat cat 4 1 x y d e out0 0=0
"""


@pytest.fixture
def graph() -> Graph:
    return nnp.loads(TEXT).graph


def widen(graph: Graph) -> None:
    graph.add("ReLU", "more", inputs=["in0"])


def widen_by_a_copy(graph: Graph) -> None:
    graph.add("ReLU", "more", inputs=["a"])


def narrow(graph: Graph) -> None:
    graph.set_input(graph.layer("two"), 0, "x")


def narrow_by_removal(graph: Graph) -> None:
    graph.remove_dead(["x", "z"])


def merge(graph: Graph) -> None:
    graph.remove(graph.layer("three"))


EDITS = [widen, widen_by_a_copy, narrow, narrow_by_removal, merge]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_no_edit_leaves_a_wrong_hint(graph: Graph, edit: Callable[[Graph], None]) -> None:
    before = len(graph.layer("s").outputs)
    edit(graph)
    check_sound(graph)
    split = graph.layer("s")
    assert len(split.outputs) != before
    assert 30 not in split.params
    assert [finding for finding in check(graph) if finding.code == "NP212"] == []


def test_the_hints_of_other_splits_stay(graph: Graph) -> None:
    widen(graph)
    assert graph.layer("t").params[30] == (1, 4, 0, 0, 1, 4, 0, 0)


def test_the_hint_stays_while_the_number_of_outputs_does(graph: Graph) -> None:
    graph.insert_after(graph.layer("one"), "ReLU")
    graph.set_input(graph.layer("cat"), 2, "d")
    graph.rename_blob("a", "first")
    graph.move(graph.layer("two"), before=graph.layer("one"))
    assert len(graph.layer("s").params[30]) == 12


def test_other_params_of_the_split_stay(graph: Graph) -> None:
    graph.layer("s").params[31] = 1
    widen(graph)
    assert dict(graph.layer("s").params) == {31: 1}
