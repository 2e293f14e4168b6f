"""Text to patterns, replacements and rules; ``grammar/pattern.lark`` defines the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from lark import Token, Tree

from ncnnparam.errors import ParseError
from ncnnparam.patterns.pattern import Pattern
from ncnnparam.patterns.read_pattern import PatternReader
from ncnnparam.patterns.read_replacement import ReplacementReader
from ncnnparam.patterns.replacement import Replacement
from ncnnparam.patterns.text import PatternText


@dataclass(frozen=True)
class Rule:
    """A pattern and what is put in its place.

    Attributes:
        name: What follows ``---``, or ``rule 2`` for the second one of a file.
        pattern: The pattern.
        replacement: The replacement.
    """

    name: str
    pattern: Pattern
    replacement: Replacement


def parse_pattern(text: str, *, name: str | None = None) -> Pattern:
    """Reads a pattern.

    Args:
        text: One layer a line, as ``docs/patterns.md`` tells.
        name: File name for messages.

    Raises:
        ParseError: It is no pattern; the error has the place.
    """
    source = PatternText(text, name)
    return PatternReader(source).build(cast("Tree[Token]", source.parse("pattern").children[0]))


def parse_replacement(text: str, pattern: Pattern, *, name: str | None = None) -> Replacement:
    """Reads a replacement for what a pattern matches.

    Raises:
        ParseError: It is none, or does not go with the pattern; the error has the place.
    """
    source = PatternText(text, name)
    lines = cast("Tree[Token]", source.parse("replacement").children[0])
    return ReplacementReader(source, pattern).build(lines)


def parse_rules(text: str, *, name: str | None = None) -> list[Rule]:
    """Reads a file of rules: each a pattern, ``=>`` and a replacement, with ``--- NAME`` between them.

    Raises:
        ParseError: It is no such file; the error has the place.
    """
    source = PatternText(text, name)
    rules: list[Rule] = []
    title = ""
    for part in source.parse("rules").children:
        if isinstance(part, Token):
            title = part.lstrip("-").strip()
            continue
        before, _, after = cast("list[Tree[Token]]", part.children)
        pattern = PatternReader(source).build(before)
        replacement = ReplacementReader(source, pattern).build(after)
        rules.append(Rule(title or f"rule {len(rules) + 1}", pattern, replacement))
        title = ""
    if not rules:
        raise ParseError("there is no rule", file=name, hint="a rule is a pattern, => and a replacement")
    return rules
