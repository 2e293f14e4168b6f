"""Rewrites: passes made of a pattern, a replacement and a few lines of Python."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ncnnparam.errors import GraphError, OpsError, PassError
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.patterns.match import Match, Miss
from ncnnparam.patterns.parse import Rule, parse_pattern, parse_replacement
from ncnnparam.patterns.pattern import Pattern
from ncnnparam.patterns.replace import replace_match
from ncnnparam.patterns.replacement import Replacement
from ncnnparam.patterns.search import Finder

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

MOST_PER_LAYER = 10
"""How often a rewrite may be applied, for each layer that the graph has at first."""


class Rewrite(Pass):
    """A pass that looks for a pattern and rewrites what it finds, until there is nothing left to rewrite.

    ``check`` and ``rewrite`` are there to be overridden: the one declines matches, the other moves weights,
    or does everything if there is no replacement. ``docs/patterns.md`` describes the language.

    Attributes:
        pattern: What to look for.
        replacement: What to put there, or None to leave it to ``rewrite``. Empty text takes the layers out.
        message: What was done, for the account; ``{conv}`` is the name of a matched layer.
    """

    pattern: ClassVar[str]
    replacement: ClassVar[str | None] = None
    message: ClassVar[str] = ""

    def check(self, match: Match) -> str | None:
        """A reason to leave a match alone, or None."""
        return None

    def rewrite(self, match: Match) -> None:
        """Does what the replacement does not: moves weights, or makes the whole change.

        Called after the replacement is in place. ``match`` still has all matched layers, also those that are
        gone from the graph, with their params and weights; ``match.made`` has those of the replacement.
        """

    def run(self, model: Model) -> PassResult:
        """Rewrites whatever matches.

        Raises:
            PassError: There is no end to it.
        """
        return self.apply(model.graph)

    def apply(self, graph: Graph, *, explain: bool = False) -> PassResult:
        """``run`` for a graph.

        Args:
            graph: The graph, which is changed.
            explain: Tell also of the places where some layer of the pattern is missing.
        """
        result = PassResult()
        finder = Finder(self.parsed, explain=explain)
        left = MOST_PER_LAYER * (len(graph) + 1)
        misses: list[Miss] = []
        changed = True
        while changed:
            changed, misses = False, []
            for layer in finder.candidates(graph):
                if layer.graph is not graph:
                    continue
                found = finder.at(layer)
                outcome = self._apply(found, result) if isinstance(found, Match) else found
                if isinstance(outcome, Miss):
                    misses.append(outcome)
                elif outcome:
                    changed, left = True, left - 1
                if left == 0:
                    hint = "what it puts there must not match again for ever"
                    raise PassError(f"there is no end to '{self.name}'", name=self.name, hint=hint)
        for miss in misses:
            result.decline(miss.reason, *miss.names)
        return result

    @cached_property
    def parsed(self) -> Pattern:
        """The pattern, parsed."""
        return parse_pattern(self.pattern, name=self.name or None)

    @cached_property
    def parsed_replacement(self) -> Replacement | None:
        """The replacement, parsed."""
        if self.replacement is None:
            return None
        return parse_replacement(self.replacement, self.parsed, name=self.name or None)

    def _apply(self, match: Match, result: PassResult) -> Miss | bool:
        """Rewrites one match; returns whether anything changed, or why not."""
        reason = self.check(match)
        if reason is not None:
            return Miss(match.layers, reason, complete=True)
        names, message = match.names, self._message(match)
        if self.parsed_replacement is not None:
            try:
                made = replace_match(match, self.parsed_replacement)
            except (GraphError, OpsError) as error:
                return Miss(match.layers, error.message, complete=True)
            if made is None:
                return False
            match.made.update(made)
        self.rewrite(match)
        result.change(message, *names)
        return True

    def _message(self, match: Match) -> str:
        if self.message:
            return self.message.format_map({name: _names(layers) for name, layers in match.named.items()})
        if self.parsed_replacement is None:
            return "rewritten"
        before = " + ".join(layer.type for layer in match.layers)
        after = [line.type or match[line.name].type for line in self.parsed_replacement.layers]
        return f"{before} -> {' + '.join(after) or 'nothing'}"


class RuleRewrite(Rewrite):
    """A rule of a file as a pass."""

    def __init__(self, rule: Rule) -> None:
        self.name = rule.name
        self.parsed = rule.pattern
        self.parsed_replacement = rule.replacement


def _names(layers: tuple[Layer, ...]) -> str:
    return ", ".join(layer.name for layer in layers)
