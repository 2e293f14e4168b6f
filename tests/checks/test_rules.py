"""The set of rules as a whole: codes, pages, test folders, repairs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ncnnparam.checks import RULES, Rule
from ncnnparam.checks.fixes import REPAIRS, UNSAFE_REPAIRS
from ncnnparam.speech.rules import RULES as SPEECH_RULES

from .cases import FOLDER

RULE_IDS = [rule.code for rule in RULES]
HEADINGS = ["## What it does", "## Why it is bad", "## Example", "## How to fix"]


def test_codes_and_names_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_rule_is_well_formed(rule: Rule) -> None:
    assert re.fullmatch(r"NP[12]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.summary[0].isupper()
    assert not rule.summary.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_rule_has_a_folder_with_good_and_bad_files(rule: Rule) -> None:
    folder = FOLDER / f"{rule.code}-{rule.name}"
    assert (folder / "good.param").is_file()
    assert (folder / "bad.param").is_file()
    assert (folder / "expected.txt").is_file()


def test_every_folder_has_a_rule() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{rule.code}-{rule.name}" for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=RULE_IDS)
def test_rule_has_a_page(rule: Rule, root: Path) -> None:
    page = (root / "docs" / "rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule.code} {rule.name}\n")
    places = [page.find(heading) for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)


def test_index_agrees_with_the_rules(root: Path) -> None:
    index = (root / "docs" / "rules" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if re.match(r"\| \[NP[12]", line)]
    assert rows == [_row(rule) for rule in RULES]


def test_index_agrees_with_the_rules_about_speech_metadata(root: Path) -> None:
    index = (root / "docs" / "rules" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if line.startswith("| NP3")]
    assert rows == [f"| {r.code} | {r.name} | {r.severity.value} | {r.summary} |" for r in SPEECH_RULES]


def _row(rule: Rule) -> str:
    repaired = "yes" if rule.fixable else "on request" if rule in dict(UNSAFE_REPAIRS) else ""
    link = f"[{rule.code}]({rule.code}-{rule.name}.md)"
    return f"| {link} | {rule.name} | {rule.severity.value} | {repaired} | {rule.summary} |"


def test_fixable_rules_are_those_with_a_repair() -> None:
    assert {rule.code for rule in RULES if rule.fixable} == {rule.code for rule, _ in REPAIRS}
