"""What the loader of ncnn 1.0.20261020 does with a graph, as far as it decides what a fault leads to.

From ``Net::load_param`` in ncnn's ``src/net.cpp``: it reads as many layers as the header declares and no
more. Every output of a layer takes a fresh blob slot; an input takes one when no slot above has its name.
It refuses the file when the slots run out, when a layer is missing and when a count is not positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ncnnparam.ops import registry

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops import LayerType

_METADATA = "SherpaMetaData"


def written_counts(graph: Graph) -> tuple[int, int]:
    """The counts of layers and blobs in the header, as the graph would be written now.

    That is what the file declared as long as nothing has changed, and the right counts after any edit.
    """
    from ncnnparam.graph import graph_to_syntax

    header = graph_to_syntax(graph).header
    return header.layer_count, header.blob_count


def reach(graph: Graph) -> int:
    """How many layers the loader gets to."""
    present = len(graph.layers)
    if graph.declared is None or graph.declared[0] >= present:
        return present
    return max(0, written_counts(graph)[0])


def layers_and_reach(graph: Graph) -> Iterator[tuple[Layer, bool]]:
    """Every layer, and whether the loader gets to it."""
    read = reach(graph)
    for index, layer in enumerate(graph.layers):
        yield layer, index < read


def known_layers(graph: Graph) -> Iterator[tuple[Layer, LayerType, bool]]:
    """Every layer whose type is known, its type, and whether ncnn itself refuses what the type would refuse.

    A layer that the loader does not get to is refused by nobody, one of a custom type not by ncnn. Speech
    metadata are left out: their own rules know which of their params go together.
    """
    for layer, reached in layers_and_reach(graph):
        known = registry.get(layer.type)
        if known is not None and known.name != _METADATA:
            yield layer, known, reached and not known.custom


def blob_slots(layers: Iterable[Layer]) -> int:
    """Number of blob slots the loader takes for these layers."""
    names: set[str] = set()
    slots = 0
    for layer in layers:
        unknown = {blob.name for blob in layer.inputs} - names
        slots += len(unknown) + len(layer.outputs)
        names |= unknown
        names.update(blob.name for blob in layer.outputs)
    return slots


def lacks_slots(graph: Graph) -> bool:
    """Whether the blob count in the header is too small for the loader."""
    return written_counts(graph)[1] < max(1, blob_slots(islice(graph.layers, reach(graph))))
