"""How far texts are from what they should be, counted by kaldialign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ncnnparam.optional import need

Symbols: TypeAlias = Sequence[str] | Sequence[int]
"""Words or tokens."""


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


def error_rate(pairs: Iterable[tuple[Symbols, Symbols]]) -> ErrorRate:
    """Errors over pairs of what is right and what was found.

    Raises:
        NcnnParamError: The kaldialign package is not installed.
    """
    kaldialign = need("kaldialign", "speech")
    errors = length = 0
    for right, found in pairs:
        errors += kaldialign.edit_distance(right, found)["total"]
        length += len(right)
    return ErrorRate(errors, length)


def word_errors(texts: Mapping[str, str], transcripts: Mapping[str, str]) -> ErrorRate:
    """Errors of texts, upper and lower case being the same.

    Args:
        texts: What was heard, by wav.
        transcripts: What was said, by the name of the wav without folder and ending.

    Raises:
        NcnnParamError: The kaldialign package is not installed.
    """
    return error_rate((words(transcripts[Path(name).stem]), words(text)) for name, text in texts.items())


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return text.casefold().split()
