"""How far texts are apart: edit distances, words of tokens, transcripts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncnnparam.errors import ConfigError
from ncnnparam.syntax import read_text

SPACE = "▁"
"""What stands for a blank at the begin of a word in sentencepiece's tokens."""


@dataclass(frozen=True)
class Utterance:
    """What two models heard in a wav.

    Attributes:
        name: The wav.
        first: The first model's tokens.
        second: The second model's tokens.
    """

    name: str
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(frozen=True)
class ErrorRate:
    """Errors among words or tokens: substitutions, insertions and deletions.

    Attributes:
        errors: How many there are.
        length: How many words or tokens there should be.
    """

    errors: int
    length: int

    @property
    def rate(self) -> float:
        """Errors for each word or token; infinity where there should be none."""
        if not self.length:
            return float("inf") if self.errors else 0.0
        return self.errors / self.length

    def to_json(self) -> dict[str, Any]:
        """The fields, and the rate, None where it is infinite."""
        return {
            "errors": self.errors,
            "length": self.length,
            "rate": self.rate if self.length or not self.errors else None,
        }


def edit_distance(right: Sequence[object], found: Sequence[object]) -> int:
    """The fewest substitutions, insertions and deletions that make one sequence the other."""
    row = list(range(len(found) + 1))
    for number, wanted in enumerate(right, 1):
        diagonal, row[0] = row[0], number
        for place, have in enumerate(found, 1):
            changed = diagonal + (wanted != have)
            diagonal = row[place]
            row[place] = min(changed, diagonal + 1, row[place - 1] + 1)
    return row[-1]


def error_rate(pairs: Iterable[tuple[Sequence[object], Sequence[object]]]) -> ErrorRate:
    """Errors over pairs of what is right and what was found."""
    errors = length = 0
    for right, found in pairs:
        errors += edit_distance(right, found)
        length += len(right)
    return ErrorRate(errors, length)


def token_errors(utterances: Iterable[Utterance]) -> ErrorRate:
    """How many of the first model's tokens the second one has otherwise."""
    return error_rate((one.first, one.second) for one in utterances)


def word_errors(texts: Mapping[str, str], transcripts: Mapping[str, str]) -> ErrorRate:
    """Errors of texts, upper and lower case being the same.

    Args:
        texts: What was heard, by wav.
        transcripts: What was said, by the name of the wav without folder and ending.
    """
    return error_rate(
        (transcripts[Path(name).stem].casefold().split(), text.casefold().split())
        for name, text in texts.items()
    )


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


def read_transcripts(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, str]:
    """What was said, by the name of the wav without folder and ending.

    Args:
        path: A file with such a name and the text on each line.
        names: The wavs that need one.

    Raises:
        ConfigError: Some have none.
        FileError: The file cannot be read.
    """
    lines = [line.split(maxsplit=1) for line in read_text(path).splitlines() if line.strip()]
    found = {Path(words[0]).stem: words[1] if len(words) > 1 else "" for words in lines}
    missing = [name for name in names if Path(name).stem not in found]
    if missing:
        raise ConfigError(
            f"{path} has no transcript of {', '.join(missing)}",
            hint=f"a line is the name of a wav and what is said in it: {Path(missing[0]).stem} HELLO WORLD",
        )
    return found
