"""A sum of which some parts may be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over layers.

    Attributes:
        known: The sum of what is known.
        unknown: How many layers could not be counted in.
    """

    known: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, values: Iterable[int | None]) -> Tally:
        """Adds values up, None being an unknown one."""
        numbers = list(values)
        known = [number for number in numbers if number is not None]
        return cls(sum(known), len(numbers) - len(known))
