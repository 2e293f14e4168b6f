"""Layers of types that a runtime lacks, replaced by layers of types that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat import attention, axes, constants, convolution, elementwise, norms
from ncnnparam.passes.compat.base import TargetPass, has, type_of
from ncnnparam.passes.compat.equivalent import Equivalent, Written
from ncnnparam.patterns import parse_rules

if TYPE_CHECKING:
    from ncnnparam.model import Model


class LowerTypes(TargetPass):
    """Replaces layers of types that the target lacks by layers of types that it has."""

    name = "lower-types"

    def run(self, model: Model) -> PassResult:
        """Replaces what can be replaced."""
        result = PassResult()
        types = {layer.type for layer in model.graph}
        for subject, equivalents in all_equivalents().items():
            if type_of(subject) not in types or has(self.target, subject):
                continue
            declined = PassResult()
            for one in equivalents:
                if all(has(self.target, need) for need in one.needs):
                    declined = one.apply(model.graph)
                    result.changes += declined.changes
            result.declined += declined.declined
        result.modified = bool(result.changes)
        return result


@cache
def all_equivalents() -> Mapping[str, Sequence[Equivalent]]:
    """What there is for each type, and for values of params; the first that fits counts."""
    found: dict[str, list[Equivalent]] = {}
    for subject, text in elementwise.RULES.items():
        for rule in parse_rules(text, name=subject):
            written = Written(rule)
            written.of = subject
            found.setdefault(subject, []).append(written)
    more: list[Equivalent] = [
        *attention.EQUIVALENTS,
        *axes.EQUIVALENTS,
        *constants.EQUIVALENTS,
        *norms.EQUIVALENTS,
    ]
    more.append(convolution.WithoutGroups())
    for one in more:
        found.setdefault(one.of, []).append(one)
    return found
