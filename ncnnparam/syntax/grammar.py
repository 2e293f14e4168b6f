"""Loads the Lark grammars and hands out their rules and terminals.

The grammar files are the only definition of the text languages. Where a parse of the whole text by Lark
would be slow, the code asks for single terminals as compiled patterns and runs those instead.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lark import Lark

_PACKAGE = Path(__file__).resolve().parent.parent
_STARTS = {
    "param": ("file", "words", "header", "params", "param", "leading"),
    "formula": ("formula",),
    "pattern": ("rules", "pattern", "replacement"),
    "pipeline": ("pipeline",),
    "selector": ("selector",),
}


@cache
def parser(grammar: str) -> Lark:
    """The LALR parser of ``grammar/<grammar>.lark``; ``parse`` takes the rule to start from."""
    text = (_folder() / f"{grammar}.lark").read_text(encoding="utf-8")
    return Lark(
        text,
        parser="lalr",
        start=list(_STARTS[grammar]),
        maybe_placeholders=False,
        import_paths=[str(_folder())],
    )


@cache
def terminal(grammar: str, name: str) -> re.Pattern[str]:
    """The compiled pattern of one terminal."""
    return re.compile(parser(grammar).get_terminal(name).pattern.to_regexp())


def _folder() -> Path:
    """Where the grammars are: inside the package when installed, beside it in a checkout."""
    installed = _PACKAGE / "_grammar"
    return installed if installed.is_dir() else _PACKAGE.parent / "grammar"
