"""Tokens and the words that they make."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.syntax import read_text

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

DISAMBIGUATION = re.compile("#[0-9]+")
"""Symbols that icefall puts behind the tokens for its decoding graphs; no net gives them."""
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


def logits_of(joiner: Graph) -> int | None:
    """How many logits a joiner gives: ``num_output`` of the layer at its end, if it has one."""
    for blob in joiner.outputs:
        layer = blob.producer
        if layer is not None and layer.type in ("InnerProduct", "Gemm"):
            size = layer["num_output" if layer.type == "InnerProduct" else "constantN"]
            return size if isinstance(size, int) and size > 0 else None
    return None


def require_words(words: Mapping[int, str], source: str, joiner: Graph) -> None:
    """Makes sure that a ``tokens.txt`` has a word for each of a joiner's logits, and no others.

    Args:
        words: What ``read_tokens`` gave.
        source: The file.
        joiner: The joiner.

    Raises:
        ConfigError: It has others.
    """
    logits = logits_of(joiner)
    known = {number for number, word in words.items() if not DISAMBIGUATION.fullmatch(word)}
    if logits is not None and known != set(range(logits)):
        numbers = f"{len(known)} tokens up to {max(known, default=-1)}"
        raise ConfigError(
            f"{source} has {numbers}, and the joiner gives {logits} logits",
            hint="give the tokens.txt that the model was trained with",
        )
