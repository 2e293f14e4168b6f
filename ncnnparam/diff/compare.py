"""Compares two graphs and says what is different, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias

from ncnnparam import ops
from ncnnparam.diff.align import Alignment, align
from ncnnparam.diff.interface import compare_counts, compare_ports
from ncnnparam.diff.meaning import same
from ncnnparam.diff.records import (
    BlobRenamed,
    Diff,
    InputChanged,
    LayerAdded,
    LayerMoved,
    LayerRemoved,
    LayerRenamed,
    OutputCountChanged,
    ParamChanged,
    Place,
    Record,
    SpellingChanged,
    TypeChanged,
)
from ncnnparam.diff.splits import compare_splits
from ncnnparam.diff.view import Shared, View
from ncnnparam.graph import INPUT, Graph, Layer

Simplify: TypeAlias = Callable[[Layer, Layer, Iterable[Record]], Iterable[Record]]


def compare(a: Graph, b: Graph, *, strict_names: bool = False, textual: bool = False) -> Diff:
    """Says what is different between two graphs.

    Layers are aligned by name and by structure, so a graph whose layers and blobs were only renumbered is
    no different. The names of the network's inputs and outputs count: programs ask for them.

    Args:
        a: The first graph.
        b: The second graph.
        strict_names: Other names of layers and blobs are differences too.
        textual: Params that say the same and are written differently are differences too.
    """
    return compare_aligned(align_graphs(a, b), a, b, strict_names=strict_names, textual=textual)


def align_graphs(a: Graph, b: Graph) -> Alignment:
    """Finds which layer of one graph is which layer of the other."""
    shared = Shared()
    return align(View(a, shared), View(b, shared))


def compare_aligned(
    found: Alignment,
    a: Graph,
    b: Graph,
    *,
    strict_names: bool = False,
    textual: bool = False,
    simplify: Simplify | None = None,
) -> Diff:
    """Says what is different between two graphs that are aligned; see ``compare``.

    Args:
        found: Which layer is which.
        a: The first graph.
        b: The second graph.
        strict_names: Other names are differences too.
        textual: Other spellings are differences too.
        simplify: Given a layer, the same in the second graph and how they differ, gives what to report.
    """
    placed = [
        *_unmatched(found),
        *_matched(found, strict_names, textual, simplify),
        *compare_splits(found, strict_names),
    ]
    placed.sort(key=lambda item: item[0])
    records = (
        *compare_counts(a, b),
        *compare_ports(found, "input"),
        *compare_ports(found, "output"),
        *[record for _, record in placed],
    )
    pairs = list(found.pairs())
    by_structure = sum(found.a.name[one] != found.b.name[two] for one, two in pairs)
    return Diff(records, len(pairs), by_structure)


def _unmatched(found: Alignment) -> Iterator[tuple[Place, Record]]:
    a, b = found.a, found.b
    ones, twos = found.left()
    for two in twos:
        inputs = tuple(map(b.source, b.inputs[two]))
        yield (two, 1, 0), LayerAdded(b.ref(two), inputs, _params(b.layers[two]))
    above = found.above()
    for one in ones:
        inputs = tuple(map(a.source, a.inputs[one]))
        yield (above[one], 2, one), LayerRemoved(a.ref(one), inputs, _params(a.layers[one]))


def _matched(
    found: Alignment, strict_names: bool, textual: bool, simplify: Simplify | None
) -> Iterator[tuple[Place, Record]]:
    unmoved = dict(found.in_order())
    for one, two in found.pairs():
        place = (two, 0, one)
        records: Iterable[Record] = _compare_layer(found, one, two)
        if simplify is not None:
            records = simplify(found.a.layers[one], found.b.layers[two], records)
        for record in records:
            yield place, record
        if one not in unmoved:
            yield place, _moved(found, one, two)
        if textual:
            for record in _compare_spelling(found, one, two):
                yield place, record
        if strict_names:
            for record in _compare_names(found, one, two):
                yield place, record


def _compare_layer(found: Alignment, one: int, two: int) -> Iterator[Record]:
    a, b = found.a, found.b
    if a.type[one] != b.type[two]:
        params = _params(a.layers[one]), _params(b.layers[two])
        yield TypeChanged(a.ref(one), b.ref(two), *params)
    elif a.kind[one] != b.kind[two]:
        yield from _compare_params(found, one, two)
    for index, (old, new) in enumerate(zip_longest(a.inputs[one], b.inputs[two])):
        if old is None or new is None or not found.same_wire(old, new):
            sources = old and a.source(old), new and b.source(new)
            yield InputChanged(a.ref(one), b.ref(two), index, *sources)
    counts = len(a.layers[one].outputs), len(b.layers[two].outputs)
    if counts[0] != counts[1]:
        yield OutputCountChanged(a.ref(one), b.ref(two), *counts)


def _compare_params(found: Alignment, one: int, two: int) -> Iterator[ParamChanged]:
    old, new = found.a.meanings[one], found.b.meanings[two]
    layer_type = ops.get(new.type)
    known = {spec.id for spec in layer_type.params} if layer_type else set()
    for id in sorted({*known, *old.stated, *new.stated}):
        values = old.value(id), new.value(id)
        if not same(new.type, id, *values):
            spec = layer_type.param(id) if layer_type else None
            implied = id not in old.stated and id not in new.stated
            name = spec.name if spec else None
            yield ParamChanged(found.a.ref(one), found.b.ref(two), id, name, *values, implied)


def _moved(found: Alignment, one: int, two: int) -> LayerMoved:
    a, b = found.a, found.b
    old_above = a.name[one - 1] if one else None
    new_above = b.name[two - 1] if two else None
    return LayerMoved(a.ref(one), b.ref(two), old_above, new_above)


def _compare_spelling(found: Alignment, one: int, two: int) -> Iterator[Record]:
    """Params that are written differently, without those whose values differ anyway."""
    a, b = found.a, found.b
    if a.type[one] != b.type[two]:
        return
    changed = {record.id for record in _compare_params(found, one, two)}
    old, new = (
        " ".join(param.text for param in layer.params.raw if param.id not in changed)
        for layer in (a.layers[one], b.layers[two])
    )
    if old != new:
        yield SpellingChanged(a.ref(one), b.ref(two), old, new)


def _compare_names(found: Alignment, one: int, two: int) -> Iterator[Record]:
    a, b = found.a, found.b
    if a.name[one] != b.name[two]:
        yield LayerRenamed(a.ref(one), b.ref(two))
    old, new = a.layers[one], b.layers[two]
    for index, (blob, other) in enumerate(zip(old.outputs, new.outputs, strict=False)):
        is_interface = new.type == INPUT or not (blob.uses and other.uses)
        if blob.name != other.name and not is_interface:
            yield BlobRenamed(a.ref(one), b.ref(two), index, blob.name, other.name)


def _params(layer: Layer) -> str:
    return " ".join(param.text for param in layer.params.raw)
