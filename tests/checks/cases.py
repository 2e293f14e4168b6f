"""The files under ``cases``: a folder per rule with good, bad and repaired files and what is expected.

A line of ``expected.txt`` is ``file:line:column+length: code severity message``, with ``[refused]`` behind it
if ncnn 1.0.20261020 refuses the file because of it, and ``[fixable]`` if ``fix`` repairs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ncnnparam.checks import RULES, Finding, check, parse_finding
from ncnnparam.errors import ParseError
from ncnnparam.graph import Graph, graph_from_syntax
from ncnnparam.speech.rules import RULES as SPEECH_RULES
from ncnnparam.syntax import parse

FOLDER = Path(__file__).with_name("cases")
ALL_RULES = tuple(sorted((*RULES, *SPEECH_RULES), key=lambda rule: rule.code))


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


def findings_of(text: str) -> list[Finding]:
    """All findings of a text, one that is no ``.param`` file included."""
    try:
        graph = graph_of(text)
    except ParseError as error:
        return [parse_finding(error, text)]
    return check(graph, rules=ALL_RULES)


def described(finding: Finding) -> str:
    """A finding as a line of ``expected.txt`` without the file's name."""
    marks = [f" [{word}]" for word in ("refused", "fixable") if getattr(finding, word)]
    place = f"{finding.line}:{finding.column}+{finding.length}"
    return f"{place}: {finding.code} {finding.severity.value} {finding.message}{''.join(marks)}"
