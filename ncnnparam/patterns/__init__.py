"""Patterns, which are fragments of the ``.param`` language, and rewriting by them.

``docs/patterns.md`` describes the language and ``grammar/pattern.lark`` defines it. ``parse.py`` reads it
into the data of ``pattern.py`` and ``replacement.py``; ``search.py`` finds a pattern, ``replace.py`` puts a
replacement there, and ``rewrite.py`` makes a pass of both.
"""

from ncnnparam.patterns.match import Match, MatchResult, Miss
from ncnnparam.patterns.parse import Rule, parse_pattern, parse_replacement, parse_rules
from ncnnparam.patterns.pattern import Pattern
from ncnnparam.patterns.replace import replace_match
from ncnnparam.patterns.replacement import Replacement
from ncnnparam.patterns.rewrite import Rewrite, RuleRewrite
from ncnnparam.patterns.search import find_matches

__all__ = [
    "Match",
    "MatchResult",
    "Miss",
    "Pattern",
    "Replacement",
    "Rewrite",
    "Rule",
    "RuleRewrite",
    "find_matches",
    "parse_pattern",
    "parse_replacement",
    "parse_rules",
    "replace_match",
]
