"""Hostile files with more faults than anybody reads."""

from __future__ import annotations

import ncnnparam as nnp
from ncnnparam.checks import check
from ncnnparam.checks.runner import MOST_FINDINGS


def test_findings_of_one_rule_are_capped_and_it_is_said() -> None:
    params = " 0=1" * (3 * MOST_FINDINGS)
    graph = nnp.loads(f"7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0{params}\n").graph
    found = check(graph, select=["NP113"])
    assert len(found) == MOST_FINDINGS + 1
    assert [finding.message.endswith("not listed") for finding in found[-2:]] == [False, True]
    assert [finding.column for finding in found[:3]] == [24, 28, 32]


def test_places_of_params_in_a_record_of_several_lines() -> None:
    text = '7767517\n2 2\nInput in0 0 1 in0\nReLU\n relu 1 1 in0\n out0 0=1 6="a b" 0=2\n 0=3 40=1\n'
    graph = nnp.loads(text).graph
    line = graph.layer("relu").origin
    assert line is not None
    spans = [tuple(line.param_span(index)) for index in range(len(line.params))]
    assert spans == [(6, 7, 3), (6, 11, 7), (6, 19, 3), (7, 2, 3), (7, 6, 4)]
