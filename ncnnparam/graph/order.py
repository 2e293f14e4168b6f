"""The order of the layers: a linked list that may be edited while it is walked.

Each place in the list is a link of its own. Taking a layer out leaves its link with the way onward, so a
walk that stands on it goes on; putting it back gives it a new link. Links carry ascending labels, so which
of two layers comes first is one comparison. They belong to blocks that know their size, so the layer at a
position is found by skipping blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError

if TYPE_CHECKING:
    from ncnnparam.graph.layer import Layer

_GAP = 1 << 32
_BLOCK = 512
"""Links of a block when it is made; with twice as many it is halved."""


class Link:
    """A place in a ``LayerList``; ``layer`` is None once the layer has left it."""

    __slots__ = ("block", "label", "layer", "next", "prev")
    block: Block
    prev: Link
    next: Link

    def __init__(self, layer: Layer | None, label: int) -> None:
        self.layer = layer
        self.label = label


class Block:
    """Some links in a row: where they begin, and how many they are."""

    __slots__ = ("count", "first")

    def __init__(self, first: Link, count: int) -> None:
        self.first = first
        self.count = count


class LayerList:
    """The layers of a graph in their order; changed only through the graph.

    A walk may edit the graph. It meets what is inserted ahead of it, so one that inserts a layer behind each
    layer it meets has no end; ``graph.find()`` gives a list made beforehand.
    """

    __slots__ = ("_blocks", "_count", "_root")

    def __init__(self) -> None:
        self._root = Link(None, 0)
        self._root.prev = self._root.next = self._root
        self._blocks: list[Block] = []
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
        """The layer at a position, counted from the end if negative."""
        position = index if index >= 0 else self._count + index
        if not 0 <= position < self._count:
            raise IndexError(f"the graph has {self._count} layers, none at {index}")
        blocks = iter(self._blocks)
        block = next(blocks)
        while position >= block.count:
            position -= block.count
            block = next(blocks)
        link = block.first
        for _ in range(position):
            link = link.next
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
        block = self._blocks[-1] if self._blocks else None
        for layer in layers:
            link = Link(layer, label)
            link.prev, last.next = last, link
            layer._link = last = link
            label += _GAP
            self._count += 1
            if block is None or block.count >= _BLOCK:
                block = Block(link, 0)
                self._blocks.append(block)
            link.block = block
            block.count += 1
        last.next, root.prev = root, last

    def insert_after(self, anchor: Layer | None, layer: Layer) -> None:
        """Puts a layer behind another, or first if ``anchor`` is None."""
        root = self._root
        before = anchor._link if anchor is not None else root
        after = before.next
        if after is root:
            self.append(layer)
            return
        if before is root:
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
        self._enter(after.block, link)

    def remove(self, layer: Layer) -> None:
        """Takes a layer out; walks that stand on it go on behind it."""
        link = layer._link
        link.prev.next, link.next.prev = link.next, link.prev
        link.layer = None
        self._count -= 1
        block = link.block
        block.count -= 1
        if block.count == 0:
            self._blocks.remove(block)
        elif block.first is link:
            block.first = link.next

    def _enter(self, block: Block, link: Link) -> None:
        """Counts a new link to the block of the one behind it; halves a block that has grown."""
        link.block = block
        block.count += 1
        if block.first is link.next:
            block.first = link
        if block.count < 2 * _BLOCK:
            return
        middle = block.first
        for _ in range(_BLOCK):
            middle = middle.next
        new = Block(middle, block.count - _BLOCK)
        for _ in range(new.count):
            middle.block = new
            middle = middle.next
        block.count = _BLOCK
        self._blocks.insert(self._blocks.index(block) + 1, new)

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
