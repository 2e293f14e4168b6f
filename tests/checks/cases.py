"""The files under ``cases``: a folder per rule with good, bad and repaired files and what is expected.

A line of ``expected.txt`` is ``file:line:column+length: code severity message``, with ``[refused]`` behind it
if ncnn 1.0.20261020 refuses the file because of it, and ``[fixable]`` if ``fix`` repairs it. A rule about one
runtime has ``target.txt`` with its name; a ``.bin`` beside a ``.param`` are its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ncnnparam.checks import RULES, Finding, Rule, check, parse_finding
from ncnnparam.checks.rules.target import TARGET_RULES
from ncnnparam.errors import ParseError
from ncnnparam.graph import Graph, graph_from_syntax
from ncnnparam.model import load
from ncnnparam.ops import versions
from ncnnparam.speech.rules import RULES as SPEECH_RULES
from ncnnparam.syntax import parse

FOLDER = Path(__file__).with_name("cases")


def target_of(rule: Rule) -> str:
    """The name of the target of the cases of a rule."""
    return (FOLDER / f"{rule.code}-{rule.name}" / "target.txt").read_text(encoding="utf-8").strip()


ON_TARGET = tuple(one.on(versions.target(target_of(one.rule))) for one in TARGET_RULES)
GENERAL_RULES = (*RULES, *SPEECH_RULES)
ALL_RULES = tuple(sorted((*GENERAL_RULES, *ON_TARGET), key=lambda rule: rule.code))


@dataclass(frozen=True)
class Case:
    """One ``.param`` file of a rule."""

    code: str
    path: Path

    def __str__(self) -> str:
        return f"{self.code}/{self.path.stem}"

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode("utf-8", "surrogateescape")

    @property
    def findings(self) -> list[Finding]:
        """All findings."""
        weights = self.path.with_suffix(".bin")
        if not weights.exists():
            return findings_of(self.text, ALL_RULES)
        return check(load(self.path, weights).graph, rules=ALL_RULES)

    @property
    def expected(self) -> list[str]:
        """The lines of ``expected.txt`` about this file, without its name."""
        lines = self.path.with_name("expected.txt").read_text(encoding="utf-8").splitlines()
        name = f"{self.path.name}:"
        return [line.removeprefix(name) for line in lines if line.startswith(name)]

    @property
    def fixed(self) -> Path:
        """Where the repaired file is, if the case has one."""
        return self.path.with_name(self.path.name.replace("bad", "fixed"))


def cases(kind: str = "") -> list[Case]:
    """All files whose name begins with a kind: ``good``, ``bad`` or ``fixed``."""
    return [Case(path.parent.name[:5], path) for path in sorted(FOLDER.glob(f"*/{kind}*.param"))]


def graph_of(text: str) -> Graph:
    return graph_from_syntax(parse(text))


def findings_of(text: str, rules: tuple[Rule, ...] = GENERAL_RULES) -> list[Finding]:
    """All findings of a text for no target, one that is no ``.param`` file included."""
    try:
        graph = graph_of(text)
    except ParseError as error:
        return [parse_finding(error)]
    return check(graph, rules=rules)


def described(finding: Finding) -> str:
    """A finding as a line of ``expected.txt`` without the file's name."""
    marks = [f" [{word}]" for word in ("refused", "fixable") if getattr(finding, word)]
    place = f"{finding.line}:{finding.column}+{finding.length}"
    return f"{place}: {finding.code} {finding.severity.value} {finding.message}{''.join(marks)}"
