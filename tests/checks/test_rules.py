"""The set of rules as a whole: codes, pages, test folders, repairs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ncnnparam.checks import Rule
from ncnnparam.checks.fixes import REPAIRS, UNSAFE_REPAIRS
from ncnnparam.checks.pairs import PAIR_RULES
from ncnnparam.checks.report import Checked, as_text
from ncnnparam.quantize.compat.rules import COMPAT_RULES
from ncnnparam.quantize.table_rules import TABLE_RULES
from ncnnparam.runtime.rule import runtime_load

from ..cli.error_examples import EXAMPLES as ERRORS
from .cases import ALL_RULES, FOLDER, Case

each_rule = pytest.mark.parametrize("rule", ALL_RULES, ids=[rule.code for rule in ALL_RULES])
ABOUT_TABLES = (*(one.rule for one in TABLE_RULES), *COMPAT_RULES)
WITH_PAGES = (*ALL_RULES, *(one.rule for one in PAIR_RULES), runtime_load, *ABOUT_TABLES)
"""Those about pairs have their examples in ``pairs``, those about tables in ``tests/quantize``."""
HEADINGS = ["## What it does", "## Why it is bad", "## Example", "## How to fix"]


def test_codes_and_names_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in ALL_RULES}) == len(ALL_RULES)


@each_rule
def test_rule_is_well_formed(rule: Rule) -> None:
    assert re.fullmatch(r"NP[1-5]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.summary[0].isupper()
    assert not rule.summary.endswith(".")


@each_rule
def test_rule_has_a_folder_with_good_and_bad_files(rule: Rule) -> None:
    folder = FOLDER / f"{rule.code}-{rule.name}"
    assert (folder / "good.param").is_file()
    assert (folder / "bad.param").is_file()
    assert (folder / "expected.txt").is_file()


def test_every_folder_has_a_rule() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{rule.code}-{rule.name}" for rule in ALL_RULES}


@pytest.mark.parametrize("rule", WITH_PAGES, ids=[rule.code for rule in WITH_PAGES])
def test_rule_has_a_page(rule: Rule, root: Path) -> None:
    page = _page(rule, root)
    repaired = f"Repaired by `check --fix`: {_repaired(rule) or 'no'}."
    assert page.startswith(
        f"# {rule.code} {rule.name}\n\n{rule.summary}. Severity: {rule.severity.value}. {repaired}\n"
    )
    places = [page.find(heading) for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)


@each_rule
def test_page_shows_the_bad_file_and_what_check_says_of_it(rule: Rule, root: Path) -> None:
    example, said = re.findall(r"^```\n(.*?)^```$", _page(rule, root), re.MULTILINE | re.DOTALL)
    bad = Case(rule.code, FOLDER / f"{rule.code}-{rule.name}" / "bad.param")
    assert example == bad.text.replace("\r\n", "\n")
    first = next(finding for finding in bad.findings if finding.code == rule.code)
    assert as_text([Checked("model.param", [first])]) == said


def test_every_page_has_a_rule(root: Path) -> None:
    pages = {path.stem for path in (root / "docs" / "rules").iterdir()} - {"README"}
    assert pages == {*(f"{rule.code}-{rule.name}" for rule in WITH_PAGES), *ERRORS}


def test_index_agrees_with_the_rules(root: Path) -> None:
    index = (root / "docs" / "rules" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in index.splitlines() if re.match(r"\| \[?NP\d", line)]
    of_errors = [row for row in rows if row.startswith("| [NP8")]
    assert [row for row in rows if row not in of_errors] == [_row(rule) for rule in WITH_PAGES]
    assert len(of_errors) == len(ERRORS)


def _row(rule: Rule) -> str:
    link = f"[{rule.code}]({rule.code}-{rule.name}.md)"
    return f"| {link} | {rule.name} | {rule.severity.value} | {_repaired(rule)} | {rule.summary} |"


def _repaired(rule: Rule) -> str:
    return "yes" if rule.fixable else "on request" if rule in dict(UNSAFE_REPAIRS) else ""


def _page(rule: Rule, root: Path) -> str:
    return (root / "docs" / "rules" / f"{rule.code}-{rule.name}.md").read_text(encoding="utf-8")


def test_fixable_rules_are_those_with_a_repair() -> None:
    assert {rule.code for rule in ALL_RULES if rule.fixable} == {rule.code for rule, _ in REPAIRS}
