"""Running rules over a graph or a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Finding
from ncnnparam.checks.rule import Rule
from ncnnparam.checks.rules.all import RULES
from ncnnparam.checks.selection import select_rules

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


MOST_FINDINGS = 1000
"""Of one rule; nobody reads more, and a hostile file could have millions."""


def check(
    graph: Graph, *, rules: Sequence[Rule] = RULES, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> list[Finding]:
    """What is wrong with a graph, in the order of the file.

    Args:
        graph: The graph. One that was read from text is checked with its text.
        rules: The rules there are.
        select: Run only these: codes (``NP201``), beginnings of codes (``NP2``) or slugs (``layer-count``).
        ignore: Do not run these.

    Raises:
        ConfigError: ``select`` or ``ignore`` names a rule that does not exist.
    """
    chosen = select_rules(rules, select, ignore)
    findings = [finding for rule in chosen for finding in _first(rule, graph)]
    return sorted(findings, key=lambda finding: (finding.line, finding.column, finding.code))


def _first(rule: Rule, graph: Graph) -> Iterator[Finding]:
    for number, finding in enumerate(rule.check(graph)):
        if number == MOST_FINDINGS:
            yield replace(finding, message=f"{finding.message}; there are more like this, not listed")
            return
        yield finding
