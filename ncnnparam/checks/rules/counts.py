"""Rules about the two counts in the header. A graph made in memory declares none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import blob_slots, lacks_slots, reach, written_counts
from ncnnparam.checks.place import at_header
from ncnnparam.checks.rule import Problem, rule

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


@rule("NP201", "layer-count", Severity.ERROR, fixable=True, refused=True)
def layer_count(graph: Graph) -> Iterator[Problem]:
    """The layer count is not the number of layers."""
    declared, present = written_counts(graph)[0], len(graph.layers)
    if declared == present > 0:
        return
    cut = 0 < declared < present
    what = f"ncnn drops the last {present - declared} without a message" if cut else "ncnn refuses it"
    yield Problem(
        f"the header declares {_many(declared, 'layer')} and the file has {present}: {what}",
        at_header(graph, 1),
        f"write {present}" if present else "a model has at least one layer",
        refused=not cut,
        fixable=present > 0,
    )


@rule("NP202", "blob-count", Severity.ERROR, fixable=True)
def blob_count(graph: Graph) -> Iterator[Problem]:
    """The blob count is not the number of blobs."""
    declared = written_counts(graph)[1]
    outputs = sum(len(layer.outputs) for layer in graph.layers)
    slots = blob_slots(graph.layers)
    # with too small a layer count, the blob count may be right for the layers that are read; NP201 is enough
    read = blob_slots(islice(graph.layers, reach(graph)))
    # names that no layer makes, or makes further down, take slots too; NP205 and NP206 speak of those
    if declared > 0 and declared in (outputs, slots, read, graph.blob_count):
        return
    refused = lacks_slots(graph)
    yield Problem(
        f"the header declares {_many(declared, 'blob')} and the file has {slots}"
        + (": ncnn refuses it, releases up to 20260526 crash" if refused else ""),
        at_header(graph, 2),
        f"write {slots}" if slots else "a model has at least one blob",
        severity=Severity.ERROR if declared < max(1, slots) else Severity.WARNING,
        refused=refused,
        fixable=slots > 0,
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
