"""The page of each rule about pairs tells what the rule tells of its example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ncnnparam.checks import Rule, check
from ncnnparam.checks.pairs import PAIR_RULES, Pair
from ncnnparam.checks.report import Checked, as_text
from ncnnparam.runtime.rule import loaded_from, runtime_load
from ncnnparam.weights import WeightFile

from ..cases import graph_of
from .examples import EXAMPLES

RULES = [*(one.rule for one in PAIR_RULES), runtime_load]
each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])


def page(rule: Rule, root: Path) -> str:
    return (root / "docs/rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")


def test_every_rule_has_an_example() -> None:
    assert [rule.code for rule in RULES] == list(EXAMPLES)


@each_rule
def test_the_page_shows_what_check_says(
    rule: Rule, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if rule is runtime_load:
        pytest.importorskip("ncnn")
    monkeypatch.chdir(tmp_path)
    text, data = EXAMPLES[rule.code]
    Path("model.param").write_text(text)
    Path("model.bin").write_bytes(data)
    graph = graph_of(text)
    pair = Pair(graph, WeightFile.open("model.bin"))
    rules = [one.on(pair) for one in PAIR_RULES if one.rule is rule] or [
        loaded_from("model.param", "model.bin")
    ]
    said = as_text([Checked("model.param", check(graph, rules=rules))])
    shown = re.findall(r"^```\n(.*?)^```$", page(rule, root), re.MULTILINE | re.DOTALL)
    assert said in shown
