"""What a selector is: types with conditions, traits and places, joined by ``and``, ``or`` and ``not``.

The ``str`` of a selector is its text in canonical spelling, which parses to the same selector.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from ncnnparam.patterns.conditions import Condition

_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Word:
    """A type or a name.

    Attributes:
        text: The word, without quotes.
        quoted: It stood in quotes, so nothing in it is a wildcard.
        column: Where it stood, from 1; says nothing about what it means.
    """

    text: str
    quoted: bool = False
    column: int = field(default=1, compare=False)

    @property
    def is_glob(self) -> bool:
        """Whether it has wildcards."""
        return not self.quoted and _WILDCARD.search(self.text) is not None

    def __str__(self) -> str:
        return f'"{self.text}"' if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Types:
    """``Conv*|InnerProduct[num_output>64]``: layers of one of these types that meet all conditions."""

    words: tuple[Word, ...]
    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        types = "|".join(map(str, self.words))
        conditions = ", ".join(f"{one.key}{one.compare}{one.operand.text}" for one in self.conditions)
        return f"{types}[{conditions}]" if conditions else types


@dataclass(frozen=True, slots=True)
class Trait:
    """``name=conv_*|fc`` or ``line>=100``: what a layer has whatever its type; ``traits.py`` lists them.

    Attributes:
        name: The trait.
        compare: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
        words: What it is compared with; one of them is enough, but for ``!=`` it takes all.
    """

    name: str
    compare: str
    words: tuple[Word, ...]

    def __str__(self) -> str:
        return f"{self.name}{self.compare}{'|'.join(map(str, self.words))}"


@dataclass(frozen=True, slots=True)
class Reach:
    """``after(in0)``: layers that depend on a place, or on which it depends.

    Attributes:
        function: ``after``, ``before`` or ``between``.
        places: A name in quotes, or a selector; one that is a single type may be a name too.
    """

    function: str
    places: tuple[Place, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.places))})"


@dataclass(frozen=True, slots=True)
class Not:
    """``not ReLU``: the layers that the term does not select."""

    term: Selector

    def __str__(self) -> str:
        return f"not {_inner(self.term, (Both, Either))}"


@dataclass(frozen=True, slots=True)
class Both:
    """``ReLU and after(in0)``: the layers that all terms select."""

    terms: tuple[Selector, ...]

    def __str__(self) -> str:
        return " and ".join(_inner(term, (Both, Either)) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Either:
    """``ReLU or Sigmoid``: the layers that a term selects."""

    terms: tuple[Selector, ...]

    def __str__(self) -> str:
        return " or ".join(_inner(term, (Either,)) for term in self.terms)


Selector: TypeAlias = Types | Trait | Reach | Not | Both | Either
Place: TypeAlias = Word | Selector


def _inner(term: Selector, looser: tuple[type, ...]) -> str:
    return f"({term})" if isinstance(term, looser) else str(term)
