"""A rule: a code, a severity and a function that finds the problems.

A rule is written as a generator of problems under the ``rule`` decorator::

    @rule("NP210", "single-output-split", Severity.INFO, fixable=True)
    def single_output_split(graph: Graph) -> Iterator[Problem]:
        'A Split with one output copies nothing.'
        for layer in graph.layers:
            if layer.type == "Split" and len(layer.outputs) == 1:
                yield Problem("the Split has one output", at_word(layer))

The decorated name is then a ``Rule``; ``single_output_split.check(graph)`` yields findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import NOWHERE, Finding, Place, Severity

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule's function yields: all of a finding that the rule itself does not know.

    Attributes:
        message: What is wrong, one sentence without a final full stop.
        place: Where it is.
        hint: How to cure it, or None.
        severity: Overrides the rule's, or None.
        fixable: Overrides the rule's, or None.
        refused: Overrides the rule's, or None.
    """

    message: str
    place: Place = NOWHERE
    hint: str | None = None
    severity: Severity | None = None
    fixable: bool | None = None
    refused: bool | None = None


Find = Callable[["Graph"], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong with a graph or its text.

    Attributes:
        code: Stable code, ``NP`` and three digits: 1xx text, 2xx graph, 3xx speech metadata, 4xx what params
            mean to their layer type, 5xx targets, 6xx weights, 7xx calibration tables. 8xx are errors that
            no rule finds, since there is nothing to look at.
        name: Slug, the name of its page in ``docs/rules``.
        severity: How bad a violation is, unless the finding says otherwise.
        summary: One sentence without a final full stop.
        find: Yields the problems of a graph.
        fixable: Whether ``fix`` repairs violations.
        refused: Whether ncnn 1.0.20261020 refuses to load a file that violates it.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    find: Find
    fixable: bool = False
    refused: bool = False

    def check(self, graph: Graph) -> Iterator[Finding]:
        """Yield the findings of this rule in the order of the file."""
        for problem in self.find(graph):
            yield self.finding(problem)

    def finding(self, problem: Problem) -> Finding:
        """The problem as a finding of this rule."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=self.severity if problem.severity is None else problem.severity,
            message=problem.message,
            place=problem.place,
            hint=problem.hint,
            fixable=self.fixable if problem.fixable is None else problem.fixable,
            refused=self.refused if problem.refused is None else problem.refused,
        )


def rule(
    code: str, name: str, severity: Severity, *, fixable: bool = False, refused: bool = False
) -> Callable[[Find], Rule]:
    """Make a ``Rule`` of a generator of problems, whose docstring is the summary; see the module's text."""

    def decorate(find: Find) -> Rule:
        summary = (find.__doc__ or name).partition("\n")[0].rstrip(".")
        return Rule(code, name, severity, summary, find, fixable=fixable, refused=refused)

    return decorate
