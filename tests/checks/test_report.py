"""Findings in the four formats."""

from __future__ import annotations

import json

from ncnnparam.checks import RULES, Finding, Place, Severity
from ncnnparam.checks.report import Checked, as_github, as_json, as_sarif, as_text, summary

from .cases import findings_of

TEXT = "7767517\n2 3\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0 0=1\n"
FILES = [Checked("models/a.param", findings_of(TEXT))]
NOWHERE = Finding(
    "NP310", "metadata-absent", Severity.INFO, "100% wrong: a,b\nc", Place(layer="x\udcff"), "do it"
)


def test_text_has_a_place_a_line_and_a_caret() -> None:
    assert as_text(FILES) == (
        "models/a.param:2:3: NP202 warning the header declares 3 blobs and the file has 2\n"
        "    2 3\n"
        "      ^\n"
        "  hint: write 2\n"
        "models/a.param:4:24: NP115 warning slope of ReLU is a float: "
        "releases up to 20260526 take the bits of the int 1 for it\n"
        "    ReLU relu 1 1 in0 out0 0=1\n"
        "                           ^~~\n"
        "  hint: write 0=1.0\n"
    )


def test_text_without_a_place() -> None:
    assert as_text([Checked("a.param", [NOWHERE])]).startswith("a.param: NP310 info 100% wrong")


def test_bytes_that_are_no_utf8_can_be_written_in_every_format() -> None:
    text = TEXT.replace("relu", "re\udcfflu").replace("in0 out0", "lost\udcfe out0")
    files = [Checked("m\udcf0.param", findings_of(text))]
    assert any("\udcfe" in finding.message for finding in files[0].findings)
    for form in (as_text(files), as_json(files), as_github(files), as_sarif(files, RULES, "1")):
        form.encode("utf-8")
        assert "\ufffd" in form or "\\ufffd" in form


def test_json_has_every_field() -> None:
    records = json.loads(as_json(FILES))
    assert [record["code"] for record in records] == ["NP202", "NP115"]
    assert records[1] == {
        "file": "models/a.param",
        "line": 4,
        "column": 24,
        "length": 3,
        "code": "NP115",
        "name": "int-for-float",
        "severity": "warning",
        "message": "slope of ReLU is a float: releases up to 20260526 take the bits of the int 1 for it",
        "hint": "write 0=1.0",
        "layer": "relu",
        "offset": None,
        "fixable": True,
        "refused": False,
    }
    assert json.loads(as_json([])) == []


def test_json_of_a_finding_without_a_place() -> None:
    (record,) = json.loads(as_json([Checked("a.param", [NOWHERE])]))
    assert (record["line"], record["column"]) == (None, None)


def test_github_escapes_what_separates() -> None:
    assert as_github([Checked("a,b:c.param", [NOWHERE])]) == (
        "::notice file=a%2Cb%3Ac.param,title=NP310 metadata-absent::100%25 wrong: a,b%0Ac (do it)\n"
    )
    first = as_github(FILES).splitlines()[0]
    assert first.startswith(
        "::warning file=models/a.param,line=2,col=3,endColumn=4,title=NP202 blob-count::the"
    )


def test_sarif_names_rules_and_places() -> None:
    log = json.loads(as_sarif([*FILES, Checked("my model.param", [NOWHERE])], RULES, "0.1.0"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("ncnnparam", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in RULES]
    for result in run["results"][:2]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    location = run["results"][1]["locations"][0]
    region = location["physicalLocation"]["region"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "models/a.param"
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (4, 24, 27)
    assert location["logicalLocations"] == [{"name": "relu", "kind": "layer"}]
    without_place = run["results"][2]
    assert "ruleIndex" not in without_place
    assert without_place["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20model.param"}
    }
    assert without_place["level"] == "note"


def test_summary_counts_by_severity() -> None:
    assert summary([]) == "nothing found"
    assert summary([NOWHERE]) == "1 info"
    assert summary([*FILES[0].findings, NOWHERE]) == "2 warnings, 1 info"
