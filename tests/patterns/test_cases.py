"""Golden folders: ``rule.txt`` makes ``before.param`` into ``after.param``, and then nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.patterns import RuleRewrite, parse_rules
from tests.graph.validator import check_sound

CASES = sorted(path.name for path in Path(__file__).with_name("cases").iterdir())


@pytest.mark.parametrize("case", CASES)
def test_case(case: str) -> None:
    folder = Path(__file__).with_name("cases") / case
    model = nnp.load(folder / "before.param")
    rules = [RuleRewrite(rule) for rule in parse_rules((folder / "rule.txt").read_text())]
    check_sound(model.graph)
    for rule in rules:
        assert rule.run(model).modified
    check_sound(model.graph)
    assert nnp.dumps(model) == (folder / "after.param").read_text()
    assert not any(rule.run(model).modified for rule in rules)
