"""Walks over a graph that see through layers which only move numbers around.

pnnx of one year writes a Reshape where that of another writes a Permute, a Squeeze or nothing, and a repair
adds more of them. What a layer works on is found by walking over such layers, never by counting lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer

MOVERS = frozenset(
    (
        "Split",
        "Reshape",
        "Permute",
        "ExpandDims",
        "Squeeze",
        "Slice",
        "Crop",
        "Tensor.reshape",
        "Tensor.select",
        "Tensor.to",
        "torch.unbind",
        "torch.squeeze",
        "torch.unsqueeze",
    )
)
"""Types whose outputs are their first input in another shape, or pieces of it."""


def maker(blob: Blob) -> Layer | None:
    """The layer that computed what is in a blob: the nearest above that is no mover, or None."""
    layer = blob.producer
    seen: set[int] = set()
    while layer is not None and layer.type in MOVERS and layer.inputs and id(layer) not in seen:
        seen.add(id(layer))
        layer = layer.inputs[0].producer
    return layer


def unsplit(blob: Blob) -> Blob:
    """The blob behind the Splits that a blob comes out of; a broken graph may have Splits in a circle."""
    seen: set[int] = set()
    layer = blob.producer
    while layer is not None and layer.type == "Split" and layer.inputs and id(layer) not in seen:
        seen.add(id(layer))
        blob = layer.inputs[0]
        layer = blob.producer
    return blob


def below(layer: Layer) -> Iterator[Layer]:
    """The layers that depend on a layer, the nearest first."""
    return _below(layer, None)


def movers_below(layer: Layer) -> Iterator[Layer]:
    """The movers that are reached from a layer over movers alone, the nearest first."""
    return _below(layer, MOVERS)


def numbered_inputs(graph: Graph) -> list[Layer]:
    """The Input layers whose blobs sherpa-ncnn feeds by name, ``in0``, ``in1``, ..., up to the first gap."""
    found: list[Layer] = []
    while graph.has_blob(f"in{len(found)}"):
        layer = graph.blob(f"in{len(found)}").producer
        if layer is None or layer.type != "Input":
            break
        found.append(layer)
    return found


def state_number(blob: Blob) -> int | None:
    """N if what is in a blob came from the input ``inN`` unchanged or in pieces, else None."""
    layer = maker(blob)
    if layer is None or layer.type != "Input":
        return None
    match = re.fullmatch(r"in([0-9]{1,6})", layer.outputs[0].name) if layer.outputs else None
    return int(match.group(1)) if match else None


def _below(layer: Layer, types: frozenset[str] | None) -> Iterator[Layer]:
    seen = {id(layer)}
    ring = [layer]
    while ring:
        readers = [reader for each in ring for blob in each.outputs for reader in blob.consumers]
        ring = []
        for reader in readers:
            if id(reader) not in seen and (types is None or reader.type in types):
                seen.add(id(reader))
                ring.append(reader)
        yield from ring
