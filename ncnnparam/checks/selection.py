"""Choosing rules by code, by the beginning of a code, or by slug."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ncnnparam.checks.rule import Rule
from ncnnparam.errors import ConfigError, did_you_mean


def select_rules(rules: Sequence[Rule], select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Rule]:
    """The rules that are selected (all if nothing is) and not ignored, in their order.

    Args:
        rules: What there is to choose from.
        select: Words such as ``NP201``, ``NP2`` or ``layer-count``, in any case.
        ignore: Likewise.

    Raises:
        ConfigError: A word fits no rule.
    """
    selected = {rule.code for word in select for rule in _named(rules, word)}
    ignored = {rule.code for word in ignore for rule in _named(rules, word)}
    return [rule for rule in rules if (not selected or rule.code in selected) and rule.code not in ignored]


def _named(rules: Sequence[Rule], word: str) -> list[Rule]:
    found = [
        rule for rule in rules if word and (rule.code.startswith(word.upper()) or rule.name == word.lower())
    ]
    if not found:
        known = [*(rule.code for rule in rules), *(rule.name for rule in rules)]
        hint = did_you_mean(word.lower(), known) or did_you_mean(word.upper(), known)
        raise ConfigError(
            f"there is no rule '{word}'", hint=hint or f"rules are {known[0]} to {known[len(rules) - 1]}"
        )
    return found
