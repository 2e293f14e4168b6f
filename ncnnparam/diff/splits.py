"""Compares the Splits of two graphs, which the alignment of the other layers leaves aside.

Who reads what is compared through Splits, so here only their number matters, and for a strict comparison
their names.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeAlias

from ncnnparam.diff.align import Alignment
from ncnnparam.diff.records import BlobRenamed, LayerAdded, LayerRemoved, LayerRenamed, Place, Record, Source
from ncnnparam.diff.view import View, Wire, layer_ref
from ncnnparam.graph import Layer

Split: TypeAlias = tuple[Layer, Wire]


def compare_splits(found: Alignment, strict_names: bool) -> Iterator[tuple[Place, Record]]:
    """Splits that only one graph has; and those of other names, if names count."""
    pairs, ones, twos = _pair(found)
    above = found.above()
    for layer, wire in twos:
        yield (wire[0], 1, -1), LayerAdded(layer_ref(layer), _inputs(found.b, wire), "")
    for layer, wire in ones:
        place = above[wire[0]] if wire[0] >= 0 else -1
        yield (place, 2, wire[0]), LayerRemoved(layer_ref(layer), _inputs(found.a, wire), "")
    if strict_names:
        for (one, _), (two, wire) in pairs:
            for record in _compare_names(one, two):
                yield (wire[0], 1, 0), record


def _inputs(view: View, wire: Wire) -> tuple[Source, ...]:
    return (view.source(wire),)


def _pair(found: Alignment) -> tuple[list[tuple[Split, Split]], list[Split], list[Split]]:
    """Pairs the Splits by what they fan out, then by name, then in order; and gives those left over."""
    evidence: list[tuple[Callable[[Split], Hashable], Callable[[Split], Hashable]]] = [
        (lambda split: found.wire_in_b(split[1]) or split[0], lambda split: split[1]),
        (lambda split: split[0].name, lambda split: split[0].name),
        (lambda split: 0, lambda split: 0),
    ]
    pairs: list[tuple[Split, Split]] = []
    ones, twos = found.a.splits, found.b.splits
    for key_a, key_b in evidence:
        waiting: dict[Hashable, list[Split]] = {}
        for one in reversed(ones):
            waiting.setdefault(key_a(one), []).append(one)
        left = []
        for two in twos:
            same = waiting.get(key_b(two))
            if same:
                pairs.append((same.pop(), two))
            else:
                left.append(two)
        paired = {one for (one, _), _ in pairs}
        ones, twos = [one for one in ones if one[0] not in paired], left
    return pairs, ones, twos


def _compare_names(one: Layer, two: Layer) -> Iterator[Record]:
    if one.name != two.name:
        yield LayerRenamed(layer_ref(one), layer_ref(two))
    for index, (blob, other) in enumerate(zip(one.outputs, two.outputs, strict=False)):
        if blob.name != other.name and blob.uses and other.uses:
            yield BlobRenamed(layer_ref(one), layer_ref(two), index, blob.name, other.name)
