"""Names of layers or blobs: finding what bears one, and making new ones."""

from __future__ import annotations

from typing import Generic, TypeVar

Named = TypeVar("Named")


class NameTable(Generic[Named]):
    """Who bears which name.

    Names are unique in a sound graph. A broken file may use one twice: the first bearer is found, and the
    others move up when it leaves.
    """

    __slots__ = ("_next_number", "_others", "first")

    def __init__(self) -> None:
        self.first: dict[str, Named] = {}
        self._others: dict[str, list[Named]] = {}
        self._next_number: dict[str, int] = {}

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

    def fresh(self, stem: str) -> str:
        """A name nobody bears: ``stem_0``, ``stem_1`` and so on."""
        number = self._next_number.get(stem, 0)
        while f"{stem}_{number}" in self.first:
            number += 1
        self._next_number[stem] = number + 1
        return f"{stem}_{number}"
