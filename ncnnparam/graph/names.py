"""Names of layers or blobs: finding what bears one, and making new ones."""

from __future__ import annotations

from itertools import count, islice
from typing import Generic, TypeVar

LONGEST_NAME = 255
"""What ncnn reads of a name, in bytes."""

Named = TypeVar("Named")


class NameTable(Generic[Named]):
    """Who bears which name.

    Names are unique in a sound graph. A broken file may use one twice: the first bearer is found, and the
    others move up when it leaves.
    """

    __slots__ = ("_others", "_search_from", "first")

    def __init__(self) -> None:
        self.first: dict[str, Named] = {}
        self._others: dict[str, list[Named]] = {}
        self._search_from: dict[str, int] = {}

    def add(self, name: str, bearer: Named) -> None:
        """Notes a bearer of a name."""
        if name in self.first:
            self._others.setdefault(name, []).append(bearer)
        else:
            self.first[name] = bearer

    def remove(self, name: str, bearer: Named) -> None:
        """Forgets one bearer of a name."""
        others = self._others.get(name, [])
        if self.first[name] is not bearer:
            others[:] = [other for other in others if other is not bearer]
        elif others:
            self.first[name] = others.pop(0)
        else:
            del self.first[name]
        if not others:
            self._others.pop(name, None)

    def fresh(self, stem: str, number: int = 1) -> list[str]:
        """Some names that nobody bears: ``stem_0``, ``stem_1`` and so on; asking does not take them."""
        stem = _cut(stem)
        taken = self.first
        first = self._search_from.get(stem, 0)
        while f"{stem}_{first}" in taken:  # in strides, as a file may have thousands in a row
            stride = 1
            while f"{stem}_{first + stride}" in taken:
                first, stride = first + stride, stride * 2
            first += 1
        numbers = (n for n in count(first) if f"{stem}_{n}" not in taken)
        free = list(islice(numbers, number))
        if free:
            self._search_from[stem] = free[0]
        return [f"{stem}_{n}" for n in free]


def _cut(stem: str) -> str:
    """A stem that leaves room for a number behind it."""
    if len(stem) * 4 <= LONGEST_NAME:
        return stem
    return stem.encode("utf-8", "surrogateescape")[: LONGEST_NAME - 10].decode("utf-8", "ignore")
