"""Rules about calibration tables, and their pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ncnnparam import load, loads
from ncnnparam.checks import Finding, Rule, Severity, check
from ncnnparam.checks.report import Checked, as_text
from ncnnparam.quantize.compat.rules import COMPAT_RULES
from ncnnparam.quantize.table import Table
from ncnnparam.quantize.table_check import Fitting
from ncnnparam.quantize.table_rules import TABLE_RULES, check_table

from .rule_examples import CUSTOM, EXAMPLES, GOOD, MODEL

RULES: list[Rule] = [*(one.rule for one in TABLE_RULES), *COMPAT_RULES]
each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])


def page(rule: Rule, root: Path) -> str:
    return (root / "docs/rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")


def found(text: str, model: str | None = MODEL) -> list[Finding]:
    return check_table(Table.parse(text), None if model is None else loads(model).graph)


def said(rule: Rule) -> str:
    """What is printed of the example of a rule."""
    if rule in COMPAT_RULES:
        return as_text([Checked("model.param", check(loads(CUSTOM).graph, rules=[rule]))])
    graph = loads(MODEL).graph
    fitting = Fitting(Table.parse(EXAMPLES[rule.code]), graph)
    (one,) = [one.on(fitting) for one in TABLE_RULES if one.rule is rule]
    return as_text([Checked("model.table", check(graph, rules=[one]))])


def test_a_sound_table_has_no_findings() -> None:
    assert found(GOOD) == []
    assert found(GOOD, None) == []
    assert found(GOOD.replace("\n", "\r\n")) == []
    assert found(GOOD + "\n\n") == []


@pytest.mark.parametrize("code", EXAMPLES)
def test_each_example_breaks_its_rule_and_no_other(code: str) -> None:
    codes = {one.code for one in found(EXAMPLES[code])}
    assert codes == ({code, "NP707"} if code == "NP702" else {code})  # a word that is no number is no scale


def test_every_table_rule_has_an_example() -> None:
    assert [one.rule.code for one in TABLE_RULES] == list(EXAMPLES)


def test_a_table_alone_is_checked_too() -> None:
    text = "x_param_0 inf 1\n\nx zwei\nx\n"
    assert [one.code for one in found(text, None)] == ["NP707", "NP701", "NP704", "NP702", "NP703"]


def test_all_blank_lines_are_found_but_those_at_the_end() -> None:
    findings = found("\n" + GOOD.replace("fc 10", "  \nfc 10") + "\n")
    assert [(one.code, one.line) for one in findings] == [("NP701", 1), ("NP701", 5)]
    assert "7 lines are lost" in findings[0].message


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("in0", "for which ncnn has no int8"),
        ("lstm", "means nothing: layer 'lstm' (LSTM) has no such scales"),
        ("lstm_param_2", "means nothing"),
        ("conv_param_0_param_0", "a layer 'conv_param_0', which the model does not have"),
    ],
)
def test_what_rows_may_be_about(key: str, message: str) -> None:
    (finding,) = found(f"{GOOD}{key} 1.0\n")
    assert finding.code == "NP705"
    assert message in finding.message


def test_rows_of_a_gemm_are_for_the_inner_product_it_may_become() -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nGemm g 1 1 in0 out0 5=1 8=3 9=5 10=-1\n"
    assert found("g_param_0 1 2 3\ng 4\n", text) == []
    assert found("", text) == []
    assert [one.code for one in found("g_param_0 1 2\n", text)] == ["NP706"]


def test_a_missing_row_names_what_the_tool_would_do() -> None:
    (finding,) = [one for one in found(GOOD.replace("lstm_param_1", "x")) if one.code == "NP709"]
    assert finding.severity is Severity.ERROR
    assert "has the row 'lstm_param_0' and lacks 'lstm_param_1'" in finding.message
    assert "every LSTM below" in finding.message


@pytest.mark.parametrize(
    ("model", "table", "codes"),
    [
        ("cnn_chain/m", "cnn_chain/kl", set()),
        ("cnn_chain/m", "cnn_chain/crlf", set()),
        ("cnn_chain/m", "cnn_chain/blank", {"NP701"}),
        ("cnn_chain/m", "cnn_chain/nopar", {"NP709"}),
        ("cnn_chain/m", "cnn_chain/dup", {"NP704"}),
        ("cnn_chain/m", "cnn_chain/mix1", {"NP710"}),
        ("cnn_chain/m", "cnn_chain/w", {"NP711"}),
        ("tails/zero", "tails/zero.kl", {"NP707"}),
        ("tails/dead", "tails/dead.kl", {"NP707", "NP708"}),
        ("tails/fmt", "tails/keyonly", {"NP703", "NP711"}),
        ("sherpa_small/enc", "sherpa_small/enc", set()),
        ("sherpa_small/joi", "sherpa_small/enc", {"NP705", "NP711"}),
    ],
)
def test_tables_of_the_tools(shared: Path, model: str, table: str, codes: set[str]) -> None:
    graph = load(shared / "golden" / f"{model}.param").graph
    findings = check_table(Table.read(shared / "golden" / f"{table}.table"), graph)
    assert {one.code for one in findings} == codes


@each_rule
def test_the_page_shows_what_is_said(rule: Rule, root: Path) -> None:
    shown = re.findall(r"^```\n(.*?)^```$", page(rule, root), re.MULTILINE | re.DOTALL)
    assert said(rule) in shown
