"""Tokens and the words that they make."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ncnnparam.errors import ConfigError
from ncnnparam.syntax import read_text

SPACE = "▁"
"""What stands for a blank at the begin of a word in sentencepiece's tokens."""


def to_text(tokens: Iterable[int], words: Mapping[int, str]) -> str:
    """The text of tokens; one that has no name is told by its number."""
    return "".join(words.get(token, f"<{token}>") for token in tokens).replace(SPACE, " ").strip()


def read_tokens(path: str | os.PathLike[str]) -> dict[int, str]:
    """The tokens of a ``tokens.txt``: a token and its number on each line.

    Raises:
        ConfigError: A line is not so.
        FileError: The file cannot be read.
    """
    found = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        words = text.split()
        if not words:
            continue
        if len(words) != 2 or not (words[1].isascii() and words[1].isdigit()):
            raise ConfigError(f"{path}:{line}: a line of a tokens.txt is a token and its number")
        found[int(words[1])] = words[0]
    return found
