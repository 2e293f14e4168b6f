"""Which layer of the one graph is which layer of the other.

Names are good evidence until a converter renumbers everything behind an insertion, and then they are
nonsense. So the layers are aligned twice, trusting names and ignoring them, and the alignment that leaves
fewer differences wins; names win a tie. Either way layers are matched in rounds, from strict evidence to
weak: the same ancestry and descent first, anywhere in the file; then, between the layers matched so far and
in the order of the file, the same name, kind or type; then what moved; then what was replaced in its place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from itertools import pairwise
from typing import TypeAlias

from ncnnparam.diff.view import Level, View, Wire

_EVERYTHING: tuple[Level, ...] = (("up", "down", "name"), ("up", "down"))
_BY_NAME: tuple[Level, ...] = (("up", "name"), ("down", "name"), ("kind", "name"), ("type", "name"))
_BY_PLACE: tuple[Level, ...] = (
    ("up",),
    ("down",),
    ("up_type", "down_type", "kind"),
    ("kind",),
    ("up_type", "down_type"),
    ("type",),
)
_MOVED: tuple[Level, ...] = (("kind", "name"), ("up",), ("down",))

# the second round finds what became unambiguous between the layers that the first one matched
_ROUNDS = 2

Gap: TypeAlias = tuple[list[int], list[int]]
"""Layers of both graphs that stand between the same two matched layers, and are not matched yet."""


class Alignment:
    """A matching between the layers of two views.

    Attributes:
        to_b: For each layer of the first view, its number in the second, or -1.
        to_a: For each layer of the second view, its number in the first, or -1.
    """

    def __init__(self, a: View, b: View) -> None:
        self.a = a
        self.b = b
        self.to_b = [-1] * len(a)
        self.to_a = [-1] * len(b)

    def match(self, a: int, b: int) -> None:
        """Says that two layers are the same."""
        self.to_b[a] = b
        self.to_a[b] = a

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The matched layers, in the order of the first view."""
        return ((a, b) for a, b in enumerate(self.to_b) if b >= 0)

    def left(self) -> Gap:
        """The layers that are not matched."""
        return _unmatched(self.to_b), _unmatched(self.to_a)

    def same_wire(self, a: Wire, b: Wire) -> bool:
        """Whether two inputs read the same thing."""
        return self.wire_in_b(a) == b

    def wire_in_b(self, wire: Wire) -> Wire | None:
        """The wire of the second view that carries the same as one of the first; None if there is none."""
        number, index = wire
        if number < 0:
            return wire
        return (self.to_b[number], index) if self.to_b[number] >= 0 else None

    def in_order(self) -> list[tuple[int, int]]:
        """The most pairs that stand in the same order in both views; the others moved."""
        return _longest_chain(list(self.pairs()))

    def above(self) -> list[int]:
        """For each layer of the first view, the last one of the second that stands at or above its place."""
        places = dict(self.in_order())
        above, last = [], -1
        for number in range(len(self.a)):
            last = places.get(number, last)
            above.append(last)
        return above

    def differences(self) -> int:
        """How much this alignment leaves to report.

        A changed layer counts double: otherwise to call an insertion a change of the layer in its place would
        be as good, since an insertion also rewires a reader.
        """
        a, b = self.a, self.b
        pairs = list(self.pairs())
        changed = sum(a.kind[one] != b.kind[two] for one, two in pairs)
        rewired = sum(self._rewired(one, two) for one, two in pairs)
        moved = len(pairs) - len(_longest_chain(pairs))
        return len(a) + len(b) - 2 * len(pairs) + 2 * changed + rewired + moved + self._rewired_outputs()

    def _rewired(self, one: int, two: int) -> int:
        inputs, others = self.a.inputs[one], self.b.inputs[two]
        kept = sum(map(self.same_wire, inputs, others))
        return max(len(inputs), len(others)) - kept

    def _rewired_outputs(self) -> int:
        outputs = dict(self.b.outputs)
        return sum(
            name in outputs and not self.same_wire(wire, outputs[name]) for name, wire in self.a.outputs
        )


def align(a: View, b: View) -> Alignment:
    """Finds the alignment of two views that leaves the fewest differences."""
    by_name = _align(a, b, (*_BY_NAME, *_BY_PLACE))
    surplus = Counter(a.kind)
    surplus.subtract(b.kind)
    # no alignment is better: an unmatched layer is one kind too many, a changed one two
    if by_name.differences() <= sum(map(abs, surplus.values())):
        return by_name
    return min(by_name, _align(a, b, _BY_PLACE), key=Alignment.differences)


def _align(a: View, b: View, levels: tuple[Level, ...]) -> Alignment:
    found = Alignment(a, b)
    _match_start(found)
    for level in _EVERYTHING:
        for one, two in _paired(found, found.left(), level):
            found.match(one, two)
    gaps = list(_between(found.in_order(), *found.left()))
    for level in levels * _ROUNDS:
        gaps = [rest for gap in gaps for rest in _close(found, gap, level)]
    for level in _MOVED:
        for one, two in _paired(found, found.left(), level):
            found.match(one, two)
    _match_replaced(found)
    return found


def _match_start(found: Alignment) -> None:
    """Matches what is the same in every respect from the first layer on, which is all of two equal graphs."""
    a, b = found.a, found.b
    columns = (zip(view.kind, view.name, view.inputs, strict=True) for view in (a, b))
    for number, (one, two) in enumerate(zip(*columns, strict=False)):
        if one != two:
            break
        found.match(number, number)


def _close(found: Alignment, gap: Gap, level: Level) -> Iterator[Gap]:
    """Matches what a level matches in a gap, and gives the gaps that remain."""
    (ones, twos), ahead, behind = gap, 0, 0
    tokens, others = found.a.tokens(level, ones), found.b.tokens(level, twos)
    if set(tokens).isdisjoint(others):
        yield gap
        return
    shorter = min(len(ones), len(twos))
    while ahead < shorter and tokens[ahead] == others[ahead]:
        found.match(ones[ahead], twos[ahead])
        ahead += 1
    while behind < shorter - ahead and tokens[-1 - behind] == others[-1 - behind]:
        found.match(ones[-1 - behind], twos[-1 - behind])
        behind += 1
    middle = ones[ahead : len(ones) - behind], twos[ahead : len(twos) - behind]
    if not (middle[0] and middle[1]):
        return
    anchors = _longest_chain(sorted(_paired(found, middle, level)))
    for one, two in anchors:
        found.match(one, two)
    yield from _between(anchors, *middle)


def _paired(found: Alignment, gap: Gap, level: Level) -> list[tuple[int, int]]:
    """Pairs that agree in a level which occurs equally often on both sides; the k-th goes to the k-th."""
    if not all(gap):
        return []
    ones, twos = _by_token(found.a, gap[0], level), _by_token(found.b, gap[1], level)
    return [
        pair
        for token, layers in ones.items()
        if len(layers) == len(twos.get(token, ()))
        for pair in zip(layers, twos[token], strict=True)
    ]


def _match_replaced(found: Alignment) -> None:
    """Matches layers of any kind that read the same and are read by the same: one took the other's place."""
    a, b = found.a, found.b
    ones, twos = found.left()
    places: dict[Hashable, list[int]] = {}
    for one in reversed(ones):
        readers = frozenset((output, found.to_b[n], index) for output, n, index in a.readers[one])
        if a.inputs[one]:
            places.setdefault((a.inputs[one], readers), []).append(one)
    for two in twos:
        inputs = tuple([(found.to_a[n] if n >= 0 else n, index) for n, index in b.inputs[two]])
        same_place = places.get((inputs, frozenset(b.readers[two])))
        if same_place:
            found.match(same_place.pop(), two)


def _between(anchors: Iterable[tuple[int, int]], ones: list[int], twos: list[int]) -> Iterator[Gap]:
    """Cuts two ascending lists of layers at the anchors; a piece that one side lacks is left out."""
    start_a = start_b = 0
    for one, two in (*anchors, (ones[-1] + 1 if ones else 0, twos[-1] + 1 if twos else 0)):
        end_a, end_b = bisect_left(ones, one, start_a), bisect_left(twos, two, start_b)
        if start_a < end_a and start_b < end_b:
            yield ones[start_a:end_a], twos[start_b:end_b]
        start_a, start_b = bisect_right(ones, one, end_a), bisect_right(twos, two, end_b)


def _by_token(view: View, layers: list[int], level: Level) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = {}
    for token, layer in zip(view.tokens(level, layers), layers, strict=True):
        groups.setdefault(token, []).append(layer)
    return groups


def _unmatched(to_other: list[int]) -> list[int]:
    return [number for number, other in enumerate(to_other) if other < 0]


def _longest_chain(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest ascending part of pairs that ascend in the first number (patience sorting)."""
    if all(one[1] < two[1] for one, two in pairwise(pairs)):
        return pairs
    ends: list[int] = []  # for each length, the smallest second number that a chain of it ends with
    last: list[int] = []  # and the pair it belongs to
    before: list[int] = []
    for position, (_, two) in enumerate(pairs):
        length = bisect_left(ends, two)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [two]
        last[length : length + 1] = [position]
    chain = []
    position = last[-1] if last else -1
    while position >= 0:
        chain.append(pairs[position])
        position = before[position]
    return chain[::-1]
