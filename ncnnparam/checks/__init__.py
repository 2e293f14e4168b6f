"""Checks of a graph and its text: rules with stable codes, and repairs.

``check(graph)`` gives findings, ``fix(graph)`` repairs what has one right answer; ``RULES`` lists the rules,
``finding`` and ``rule`` say what those are, ``report`` prints findings in several formats.
"""

from ncnnparam.checks.finding import Finding, Place, Severity
from ncnnparam.checks.fixes import fix
from ncnnparam.checks.rule import Problem, Rule, rule
from ncnnparam.checks.rules.all import RULES
from ncnnparam.checks.rules.text import parse_finding
from ncnnparam.checks.runner import check
from ncnnparam.checks.selection import select_rules

__all__ = [
    "RULES",
    "Finding",
    "Place",
    "Problem",
    "Rule",
    "Severity",
    "check",
    "fix",
    "parse_finding",
    "rule",
    "select_rules",
]
