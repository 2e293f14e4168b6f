"""Rules for a model that is meant for one runtime: what that lacks, misreads or crashes on.

The rules NP1xx speak of all releases at once; for one target those here say what it does, and only that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ncnnparam.checks.rule import Rule
from ncnnparam.checks.rules import numbers, ops, params, target_graph, target_text, text
from ncnnparam.checks.rules.target_rule import FINE, TargetRule
from ncnnparam.ops.versions import releases

if TYPE_CHECKING:
    from ncnnparam.ops.versions import Target

TARGET_RULES: tuple[TargetRule, ...] = (*target_graph.RULES, *target_text.RULES)
"""By code."""

_ABOUT_RELEASES = (
    numbers.long_number,
    params.string_value,
    params.short_quoted_string,
    params.quoted_before_crlf,
    text.tab_separator,
    numbers.new_style_array,
    numbers.int_for_float_key,
)
"""Rules that warn of releases in general: a target reads the spelling, or has its own rule about it."""
_ABOUT_NEWEST = {numbers.junk_number: "float-suffix", text.continued_params: "continued-params"}
"""Rules about what the newest release refuses, and the feature of a target that reads it."""


def target_rules(target: Target) -> list[Rule]:
    """The rules about a target, by code."""
    return [one.on(target) for one in TARGET_RULES]


def for_target(rules: Sequence[Rule], target: Target) -> list[Rule]:
    """Rules for a model that is meant for one runtime, by code: those that concern it, and its own.

    Args:
        rules: Rules for any runtime.
        target: The runtime.
    """
    return sorted([*concerning(rules, target), *target_rules(target)], key=lambda rule: rule.code)


def concerning(rules: Sequence[Rule], target: Target) -> list[Rule]:
    """The rules without those about what only other releases misread."""
    fine = {rule for rule, feature in _ABOUT_NEWEST.items() if target.feature(feature) in FINE}
    if target.release != releases()[-1]:  # older ones read params that the newest does not know any more
        fine.add(ops.unknown_param)
    return [rule for rule in rules if rule not in fine and rule not in _ABOUT_RELEASES]
