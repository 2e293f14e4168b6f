"""What this package says about a text: would ncnn read it, and is anything wrong?"""

from __future__ import annotations

from dataclasses import dataclass

from ncnnparam.checks import Severity, check
from ncnnparam.errors import ParseError
from ncnnparam.graph import graph_from_syntax
from ncnnparam.syntax import Dialect, ParamFile, parse


@dataclass(frozen=True)
class Opinion:
    """Our view of one text.

    Attributes:
        refused: Why ncnn 1.0.20261020 refuses it, or None if we say that it reads it.
        wrong: Everything we call an error, refused or not.
        tree: What the strict parser read, or None.
    """

    refused: str | None
    wrong: tuple[str, ...]
    tree: ParamFile | None


def opinion(text: bytes) -> Opinion:
    """Strict parse, then all checks."""
    try:
        tree = parse(decode(text), dialect=Dialect.STRICT)
    except ParseError as error:
        return Opinion(str(error), (str(error),), None)
    findings = check(graph_from_syntax(tree))
    refusals = [f"{finding.code} {finding.message}" for finding in findings if finding.refused]
    wrong = [
        f"{finding.code} {finding.message}" for finding in findings if finding.severity is Severity.ERROR
    ]
    return Opinion(refusals[0] if refusals else None, (*refusals, *wrong), tree)


def decode(text: bytes) -> str:
    """As ``read_text`` decodes a file."""
    return text.decode("utf-8", "surrogateescape")
