"""What a rule about one runtime is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.rule import Problem, Rule, rule

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.ops.versions import Target, Verdict

Find = Callable[["Graph", "Target"], Iterator[Problem]]

DOES: dict[Verdict, str] = {
    "ignores": "ignores it",
    "misreads": "reads something else",
    "refuses": "refuses the file",
    "crashes": "crashes",
}
"""What a runtime does, for messages."""
FINE: tuple[Verdict, ...] = ("reads", "accepts")


@dataclass(frozen=True)
class TargetRule:
    """A rule about a runtime: ``rule`` says what it is, ``on`` makes it one of a graph.

    Attributes:
        rule: Code, name, severity, summary; it finds nothing as long as no target is named.
        find: Yields the problems of a graph on a target.
    """

    rule: Rule
    find: Find

    def on(self, target: Target) -> Rule:
        """The rule for this target."""
        return replace(self.rule, find=lambda graph: self.find(graph, target))


def target_rule(code: str, name: str, severity: Severity) -> Callable[[Find], TargetRule]:
    """Makes a ``TargetRule`` of a generator of problems, as ``checks.rule.rule`` makes a ``Rule``."""

    def decorate(find: Find) -> TargetRule:
        def nothing(_: Graph) -> Iterator[Problem]:
            return iter(())

        nothing.__doc__ = find.__doc__
        return TargetRule(rule(code, name, severity)(nothing), find)

    return decorate


def worst(target: Target, *features: str) -> Verdict:
    """The worst of what a target does with several features."""
    order: list[Verdict] = [*FINE, *DOES]
    return max((target.feature(name) for name in features), key=order.index)
