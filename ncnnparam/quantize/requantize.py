"""Convolutions whose output may stay int8, because only int8 convolutions read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ncnnparam.graph.layer import is_split
from ncnnparam.ops import registry
from ncnnparam.quantize.int8_form import OUTPUT_SCALES

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

IsInt8 = Callable[["Layer"], bool]


def direct_links(graph: Graph, is_int8: IsInt8) -> Iterator[tuple[Layer, Layer]]:
    """Convolutions in int8, each with the convolution in int8 that reads its output."""
    for layer in graph:
        if keeps_int8(layer) and is_int8(layer) and layer.outputs:
            reader = _reader(layer.outputs[0].consumers)
            if reader is not None and is_int8(reader):
                yield layer, reader


def split_links(graph: Graph, is_int8: IsInt8) -> Iterator[tuple[Layer, list[Layer]]]:
    """Convolutions in int8 whose output goes through one Split to convolutions in int8 and nothing else."""
    for layer in graph:
        if not (keeps_int8(layer) and is_int8(layer) and layer.outputs):
            continue
        split = next(filter(is_split, layer.outputs[0].consumers), None)
        readers = [] if split is None else [_reader(blob.consumers) for blob in split.outputs]
        found = [reader for reader in readers if reader is not None and is_int8(reader)]
        if found and len(found) == len(readers):
            yield layer, found


def keeps_int8(layer: Layer) -> bool:
    """Whether layers of this type can read and write int8."""
    layer_type = registry.get(layer.type)
    return layer_type is not None and any(spec.name == OUTPUT_SCALES for spec in layer_type.weights)


def _reader(layers: tuple[Layer, ...]) -> Layer | None:
    return next((layer for layer in layers if keeps_int8(layer) and len(layer.inputs) == 1), None)
