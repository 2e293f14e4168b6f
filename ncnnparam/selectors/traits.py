"""Traits: what a selector may ask of every layer, whatever its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ncnnparam.errors import OpsError
from ncnnparam.graph import Graph, Layer
from ncnnparam.ops import registry
from ncnnparam.syntax import Param

Number = Callable[[Layer], "int | None"]
"""Gives a number of a layer, or None if it has none: then no comparison holds."""


def _index(graph: Graph) -> Number:
    return {layer: index for index, layer in enumerate(graph)}.get


def _weights(graph: Graph) -> Number:
    counts: dict[tuple[str, tuple[Param, ...]], int] = {}  # many layers state the same params

    def count(layer: Layer) -> int:
        key = (layer.type, layer.params.raw)
        if key not in counts:
            counts[key] = _arrays(layer)
        return counts[key]

    return count


def _arrays(layer: Layer) -> int:
    layer_type = registry.get(layer.type)
    if layer_type is None:
        return 0
    try:
        return len(layer_type.weight_layout(layer.params))
    except OpsError:  # its params make no sense
        return len(layer_type.weights)


TEXTS: Mapping[str, Callable[[Layer], str]] = MappingProxyType(
    {"name": lambda layer: layer.name, "type": lambda layer: layer.type}
)
"""Traits that are words, compared by ``=`` and ``!=``."""

NUMBERS: Mapping[str, Callable[[Graph], Number]] = MappingProxyType(
    {
        "line": lambda graph: lambda layer: layer.line,
        "index": _index,
        "inputs": lambda graph: lambda layer: len(layer.inputs),
        "outputs": lambda graph: lambda layer: len(layer.outputs),
        "weights": _weights,
    }
)
"""Traits that are numbers: the line in the file from 1, the place from 0, and how many blobs a layer reads,
how many it writes, and how many arrays it has in the ``.bin``.
"""
