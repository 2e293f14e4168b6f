"""Tokens and the words that they make."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sized
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.syntax import read_text
from ncnnparam.syntax.foreign import recognise_weights

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

DISAMBIGUATION = re.compile("#[0-9]+")
"""Symbols that icefall puts behind the tokens for its decoding graphs; no net gives them."""
SPACE = "▁"
"""What stands for a blank at the begin of a word in sentencepiece's tokens."""
MAX_SIZE = 16 << 20
"""The largest ``tokens.txt`` or ``bpe.model`` that is read, in bytes; 500 tokens have 5 kB and 240 kB."""
_HEAD = 4096


def to_text(tokens: Iterable[int], words: Mapping[int, str]) -> str:
    """The text of tokens; one that has no name is told by its number."""
    return "".join(words.get(token, f"<{token}>") for token in tokens).replace(SPACE, " ").strip()


def read_tokens(path: str | os.PathLike[str]) -> dict[int, str]:
    """The tokens of a ``tokens.txt``, a token and its id on each line, without those of decoding graphs.

    Returns:
        The tokens by their ids, which are 0, 1, 2 and so on, in this order.

    Raises:
        ConfigError: A line is not so, or an id is missing or given twice.
        FileError: The file cannot be read, or is something else.
    """
    text = _text(path)
    lines: dict[int, int] = {}
    words: dict[int, str] = {}
    for line, record in enumerate(text.split("\n"), 1):
        parts = record.split()
        if not parts:
            continue
        if len(parts) != 2 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 10):
            raise ConfigError(f"{path}:{line}: a line of a tokens.txt is a token and its id")
        number = int(parts[1])
        if number in words:
            raise ConfigError(
                f"{path}:{line}: the id {number} was given to '{words[number]}' on line {lines[number]}"
            )
        words[number], lines[number] = parts[0], line
    found: dict[int, str] = {}
    for number in sorted(words):
        if number != len(found):
            raise ConfigError(f"{path}:{lines[number]}: the id {len(found)} is missing before {number}")
        found[number] = words[number]
    while found and DISAMBIGUATION.fullmatch(found[len(found) - 1]):
        found.popitem()
    return found


def _text(path: str | os.PathLike[str]) -> str:
    """The text of a file that should be a ``tokens.txt``."""
    text = read_text(path, max_size=MAX_SIZE, too_large="is it a tokens.txt? They have a few kB")
    foreign = recognise_weights(text[:_HEAD].encode("utf-8", "surrogateescape"))
    if foreign is not None:
        raise FileError(f"{path} has no tokens: {foreign.message}", hint=foreign.hint)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise FileError(
            f"{path}:{line}: this is no UTF-8", hint="save it as UTF-8; is it a bpe.model?"
        ) from None
    return text


def _logits(joiner: Graph) -> int | None:
    """How many logits a joiner gives: ``num_output`` of the layer at its end, if it has one."""
    for blob in joiner.outputs:
        layer = blob.producer
        if layer is not None and layer.type in ("InnerProduct", "Gemm"):
            size = layer["num_output" if layer.type == "InnerProduct" else "constantN"]
            return size if isinstance(size, int) and size > 0 else None
    return None


def require_fit(words: Sized, source: str | os.PathLike[str], joiner: Graph) -> None:
    """Makes sure that a joiner gives a logit for each token.

    Args:
        words: The tokens.
        source: The file that they are from.
        joiner: The joiner.

    Raises:
        ConfigError: It gives another number.
    """
    logits = _logits(joiner)
    if logits is not None and logits != len(words):
        raise ConfigError(
            f"{source} has {len(words)} tokens, and the joiner gives {logits} logits",
            hint="give the bpe.model or tokens.txt that the model was trained with",
        )
