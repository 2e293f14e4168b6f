"""The order of the layers: a linked list that may be edited while it is walked.

Each place in the list is a link of its own. Taking a layer out leaves its link with the way onward, so a
walk that stands on it goes on; putting it back gives it a new link. Links carry ascending labels, so which
of two layers comes first is one comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError

if TYPE_CHECKING:
    from ncnnparam.graph.layer import Layer

_GAP = 1 << 32


class Link:
    """A place in a ``LayerList``; ``layer`` is None once the layer has left it."""

    __slots__ = ("label", "layer", "next", "prev")
    prev: Link
    next: Link

    def __init__(self, layer: Layer | None, label: int) -> None:
        self.layer = layer
        self.label = label


class LayerList:
    """The layers of a graph in their order; changed only through the graph."""

    __slots__ = ("_count", "_root")

    def __init__(self) -> None:
        self._root = Link(None, 0)
        self._root.prev = self._root.next = self._root
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Layer]:
        link = self._root.next
        while link is not self._root:
            if link.layer is not None:
                yield link.layer
            link = link.next

    def __reversed__(self) -> Iterator[Layer]:
        link = self._root.prev
        while link is not self._root:
            if link.layer is not None:
                yield link.layer
            link = link.prev

    def __contains__(self, layer: object) -> bool:
        return any(layer is other for other in self)

    def __getitem__(self, index: int) -> Layer:
        """The layer at a position, counted from the end if negative; takes time linear in the position."""
        position = index if index >= 0 else self._count + index
        if not 0 <= position < self._count:
            raise IndexError(f"the graph has {self._count} layers, none at {index}")
        link = self._root
        if position < self._count // 2:
            for _ in range(position + 1):
                link = link.next
        else:
            for _ in range(self._count - position):
                link = link.prev
        assert link.layer is not None
        return link.layer

    def before(self, one: Layer, other: Layer) -> bool:
        """Whether ``one`` stands before ``other``."""
        return one._link.label < other._link.label

    def append(self, layer: Layer) -> None:
        """Puts a layer at the end."""
        self.extend((layer,))

    def extend(self, layers: Iterable[Layer]) -> None:
        """Puts many layers at the end."""
        root = self._root
        last = root.prev
        label = last.label + _GAP if last is not root else 0
        for layer in layers:
            link = Link(layer, label)
            link.prev, last.next = last, link
            layer._link = last = link
            label += _GAP
            self._count += 1
        last.next, root.prev = root, last

    def insert_after(self, anchor: Layer | None, layer: Layer) -> None:
        """Puts a layer behind another, or first if ``anchor`` is None."""
        root = self._root
        before = anchor._link if anchor is not None else root
        after = before.next
        if after is root:
            label = before.label + _GAP if before is not root else 0
        elif before is root:
            label = after.label - _GAP
        else:
            if after.label - before.label < 2:
                _make_room(before, root)
            label = (before.label + after.label) // 2
        link = Link(layer, label)
        link.prev, link.next = before, after
        before.next = after.prev = link
        layer._link = link
        self._count += 1

    def remove(self, layer: Layer) -> None:
        """Takes a layer out; walks that stand on it go on behind it."""
        link = layer._link
        link.prev.next, link.next.prev = link.next, link.prev
        link.layer = None
        self._count -= 1

    def arrange(self, layers: Iterable[Layer]) -> None:
        """Puts the layers, all that the list has, into a new order."""
        arranged = list(layers)
        if len(arranged) != self._count:
            raise GraphError("a new order must have all layers of the graph")
        for layer in arranged:
            self.remove(layer)
            self.append(layer)


def _make_room(link: Link, root: Link) -> None:
    """Spreads the labels around a link that has no room behind it.

    Looks at ever wider stretches of labels until one is thin enough, and spreads that one evenly. With the
    thinness asked for growing by a factor per doubling, an insertion costs O(log n) on average (Bender et
    al., Two Simplified Algorithms for Maintaining Order in a List, 2002).
    """
    first = last = link
    count, width, most = 1, 1, 1.0
    while True:
        width, most = width * 2, most * 1.4
        low = link.label // width * width
        while first.prev is not root and first.prev.label >= low:
            first, count = first.prev, count + 1
        while last.next is not root and last.next.label < low + width:
            last, count = last.next, count + 1
        if count < most and width // count >= 4:
            break
    for position in range(count):
        first.label = low + position * width // count
        first = first.next
