"""A whole model in a few numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.ops import registry
from ncnnparam.views.shapes import shape, shape_text

METADATA = "SherpaMetaData"

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]*)")
_SHORTEST_RUN = 3


@dataclass(frozen=True)
class Port:
    """An input or output of the network.

    Attributes:
        name: Name of the blob.
        shape: Its size, width first, where the file states it.
    """

    name: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class TypeCount:
    """How often a layer type occurs.

    Attributes:
        type: The type.
        count: Number of layers.
        known: Whether ncnn or sherpa-ncnn has it.
    """

    type: str
    count: int
    known: bool


@dataclass(frozen=True)
class Summary:
    """What there is to say about a model at first sight.

    Attributes:
        layers: Number of layers.
        blobs: Number of blobs.
        declared: The counts of layers and blobs that the file declares, if they are others.
        inputs: What the network is fed.
        outputs: What it gives.
        types: The layer types, the most frequent first.
        metadata: The layer that tells sherpa-ncnn about an encoder, or None.
    """

    layers: int
    blobs: int
    declared: tuple[int, int] | None
    inputs: list[Port]
    outputs: list[Port]
    types: list[TypeCount]
    metadata: Layer | None


def summarise(graph: Graph) -> Summary:
    """The summary of a graph."""
    counts = (graph.layer_count, graph.blob_count)
    return Summary(
        *counts,
        declared=graph.declared if graph.declared != counts else None,
        inputs=_ports(graph.inputs),
        outputs=_ports(graph.outputs),
        types=count_types(graph),
        metadata=next((layer for layer in graph if layer.type == METADATA), None),
    )


def count_types(layers: Iterable[Layer]) -> list[TypeCount]:
    """How often each type occurs, the most frequent first, then by name."""
    counts = Counter(layer.type for layer in layers)
    return [
        TypeCount(type, count, registry.get(type) is not None)
        for type, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def port_text(ports: Iterable[Port]) -> str:
    """Inputs or outputs in few words: ``x (39x80), in1..in48``.

    Names that count up by one, all of the same shape, are given by the first and the last.
    """
    return ", ".join(_run_text(run) for run in _runs(ports))


def _ports(blobs: list[Blob]) -> list[Port]:
    return [Port(blob.name, shape(blob)) for blob in blobs]


def _runs(ports: Iterable[Port]) -> list[list[Port]]:
    """Ports in runs whose names count up by one."""
    runs: list[list[Port]] = []
    expected: Port | None = None
    for port in ports:
        if port == expected:
            runs[-1].append(port)
        else:
            runs.append([port])
        expected = _successor(port)
    return [
        part for run in runs for part in ([run] if len(run) >= _SHORTEST_RUN else [[port] for port in run])
    ]


def _successor(port: Port) -> Port | None:
    match = _NUMBERED.fullmatch(port.name)
    return Port(f"{match[1]}{int(match[2]) + 1}", port.shape) if match else None


def _run_text(run: list[Port]) -> str:
    sizes = f" ({shape_text(run[0].shape)})" if run[0].shape else ""
    names = run[0].name if len(run) == 1 else f"{run[0].name}..{run[-1].name}"
    return names + sizes
