"""Findings as text for people, and in the formats that editors, GitHub and code scanners read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ncnnparam.checks.finding import Finding, Severity
from ncnnparam.checks.rule import Rule
from ncnnparam.errors import excerpt

_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LONGEST_SNIPPET = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and what was found in it."""

    file: str
    findings: Sequence[Finding]


def as_text(files: Iterable[Checked]) -> str:
    """One line per finding, ``file:line:column: code severity message``, with the place below it."""
    return "".join(
        f"{line}\n" for checked in files for f in checked.findings for line in _lines(checked.file, f)
    )


def as_json(files: Iterable[Checked]) -> str:
    """A json array with one object per finding."""
    return (
        json.dumps([_record(checked.file, f) for checked in files for f in checked.findings], indent=2) + "\n"
    )


def as_github(files: Iterable[Checked]) -> str:
    """Workflow commands that make GitHub show the findings beside the lines of a pull request."""
    return "".join(f"{_command(checked.file, f)}\n" for checked in files for f in checked.findings)


def as_sarif(files: Iterable[Checked], rules: Sequence[Rule], version: str) -> str:
    """A SARIF 2.1.0 log.

    Args:
        files: What was found.
        rules: The rules that were run.
        version: Version of this tool.
    """
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    driver = {"name": "ncnnparam", "semanticVersion": version, "rules": [_sarif_rule(rule) for rule in rules]}
    results = [_sarif_result(checked.file, f, numbers) for checked in files for f in checked.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    """How many findings of each severity there are, in words: ``2 errors, 1 warning``."""
    counts = [(sum(f.severity is severity for f in findings), severity) for severity in Severity]
    parts = [
        f"{count} {severity.value}{'' if count == 1 or severity is Severity.INFO else 's'}"
        for count, severity in counts
        if count
    ]
    return ", ".join(parts) or "nothing found"


def _lines(file: str, finding: Finding) -> list[str]:
    place = ":".join(str(part) for part in (file, finding.line, finding.column) if part)
    lines = [f"{place}: {finding.code} {finding.severity.value} {finding.message}"]
    if finding.line:
        lines += excerpt(finding.source_line, finding.column, finding.length)
    if finding.hint:
        lines.append(f"  hint: {finding.hint}")
    return [_printable(line) for line in lines]


def _record(file: str, finding: Finding) -> dict[str, object]:
    record: dict[str, object] = {
        "file": file,
        "line": finding.line or None,
        "column": finding.column or None,
        "length": finding.length or None,
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "layer": finding.layer,
        "offset": finding.offset,
        "fixable": finding.fixable,
        "refused": finding.refused,
    }
    return {key: _printable(value) if isinstance(value, str) else value for key, value in record.items()}


def _command(file: str, finding: Finding) -> str:
    fields: dict[str, object] = {"file": file}
    if finding.line:
        fields |= {"line": finding.line, "col": finding.column, "endColumn": finding.column + finding.length}
    fields["title"] = f"{finding.code} {finding.name}"
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    named = ",".join(f"{key}={_escape(str(value), ',:')}" for key, value in fields.items())
    return f"::{_GITHUB_LEVELS[finding.severity]} {named}::{_escape(text)}"


def _escape(text: str, more: str = "") -> str:
    """A value in a workflow command: percent, line ends and the separators go as hex."""
    text = _printable(text)
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
    }


def _sarif_result(file: str, finding: Finding, numbers: dict[str, int]) -> dict[str, Any]:
    uri = quote(_printable(file).replace("\\", "/"))
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    if finding.line:
        location["physicalLocation"]["region"] = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endColumn": finding.column + finding.length,
            "snippet": {"text": _printable(finding.source_line[:_LONGEST_SNIPPET])},
        }
    if finding.layer is not None:
        location["logicalLocations"] = [{"name": _printable(finding.layer), "kind": "layer"}]
    text = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _SARIF_LEVELS[finding.severity],
        "message": {"text": _printable(text)},
        "locations": [location],
    }
    if finding.code in numbers:
        result["ruleIndex"] = numbers[finding.code]
    return result


def _printable(text: str) -> str:
    """Text whose bytes were no UTF-8 as text that can be written anywhere."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
