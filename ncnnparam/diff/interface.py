"""Compares what programs see of two networks: names of inputs and outputs, and the counts of the header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from ncnnparam.diff.align import Alignment
from ncnnparam.diff.records import CountChanged, InterfaceChanged
from ncnnparam.diff.view import View, Wire
from ncnnparam.graph import INPUT, Graph, graph_to_syntax

Direction: TypeAlias = Literal["input", "output"]


def compare_counts(a: Graph, b: Graph) -> Iterator[CountChanged]:
    """Declared counts that are wrong by more or less than in the other file."""
    old, new = _counts(a), _counts(b)
    for what, one, two in zip(("layer", "blob"), old, new, strict=True):
        if one[0] - one[1] != two[0] - two[1]:
            yield CountChanged(what, one, two)


def _counts(graph: Graph) -> list[tuple[int, int]]:
    """The counts of layers and blobs, each as the file declares it and as it is."""
    true = (graph.layer_count, graph.blob_count)
    declared = graph.declared or true
    if declared != true and graph_to_syntax(graph) is not graph.syntax:
        declared = true  # the graph was edited, so the header prints anew
    return list(zip(declared, true, strict=True))


def compare_ports(found: Alignment, direction: Direction) -> Iterator[InterfaceChanged]:
    """Inputs or outputs of the network that came, went, have another name or come from elsewhere."""
    old, new = _ports(found.a, direction), _ports(found.b, direction)
    unmet: dict[Wire | None, list[str]] = {}
    for name, wire in new.items():
        if name not in old:
            unmet.setdefault(wire, []).append(name)
    for name, wire in old.items():
        source, there = found.a.source(wire), found.wire_in_b(wire)
        if name in new:
            if there != new[name]:
                yield InterfaceChanged(direction, name, name, source, found.b.source(new[name]))
        elif unmet.get(there):
            renamed = unmet[there].pop(0)
            yield InterfaceChanged(direction, name, renamed, source, found.b.source(new[renamed]))
        else:
            yield InterfaceChanged(direction, name, None, source, None)
    for name in (name for names in unmet.values() for name in names):
        yield InterfaceChanged(direction, None, name, None, found.b.source(new[name]))


def _ports(view: View, direction: Direction) -> dict[str, Wire]:
    """The inputs or outputs of a network by blob name. An input that nobody reads is no output."""
    inputs = [(number, layer) for number, layer in enumerate(view.layers) if layer.type == INPUT]
    if direction == "input":
        return {blob.name: (n, index) for n, layer in inputs for index, blob in enumerate(layer.outputs)}
    numbers = {number for number, _ in inputs}
    return {name: wire for name, wire in view.outputs if wire[0] not in numbers}
