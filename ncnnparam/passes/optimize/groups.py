"""A pass that is made of several rewrites."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar

from ncnnparam.passes.base import Note, Pass, PassResult
from ncnnparam.patterns import Rewrite, RuleRewrite, parse_rules

if TYPE_CHECKING:
    from ncnnparam.model import Model


class RewriteGroup(Pass):
    """Several rewrites under one name, which are run in turn until none of them finds anything."""

    @property
    @abstractmethod
    def rewrites(self) -> Sequence[Rewrite]:
        """The rewrites."""

    def run(self, model: Model) -> PassResult:
        """Rewrites whatever matches."""
        result = PassResult()
        declined: dict[int, list[Note]] = {}
        left = len(self.rewrites)  # how many may still find something: each one finds all of its own at once
        for number, rewrite in cycle(enumerate(self.rewrites)):
            if left == 0:
                break
            part = rewrite.apply(model.graph)
            left = len(self.rewrites) - 1 if part.modified else left - 1
            result.modified = result.modified or part.modified
            result.changes += part.changes
            declined[number] = part.declined
        result.declined = [note for notes in declined.values() for note in notes]
        return result


class RuleGroup(RewriteGroup):
    """A pass that is a text of rules.

    Attributes:
        rules: The rules, as ``parse_rules`` reads them.
        message: What any of them does, for the account.
    """

    rules: ClassVar[str]
    message: ClassVar[str]

    @cached_property
    def rewrites(self) -> Sequence[Rewrite]:
        """The rules as rewrites."""
        made = type("Rule", (RuleRewrite,), {"message": self.message})
        return [made(rule) for rule in parse_rules(self.rules, name=self.name)]
