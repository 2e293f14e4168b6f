"""The neighbourhood of a layer or blob: what it comes from and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ncnnparam.errors import NotFoundError, did_you_mean
from ncnnparam.graph import Blob, Graph, Layer


@dataclass(frozen=True)
class Neighbour:
    """A layer near the one that was asked for.

    Attributes:
        index: Its place among the layers, from 0.
        layer: The layer.
        step: How far up (negative) or down it is, Splits not counted; 0 is the layer itself.
    """

    index: int
    layer: Layer
    step: int


def around(graph: Graph, name: str, depth: int = 1) -> list[Neighbour]:
    """The layers above and below a layer or blob, in the order of the file; Splits are seen through.

    Args:
        graph: The graph.
        name: Name of a layer, or else of a blob: then its producer is one step up, its readers one down.
        depth: How many steps to go each way.

    Raises:
        NotFoundError: There is neither a layer nor a blob of that name.
    """
    if graph.has_layer(name):
        layer = graph.layer(name)
        centre = [layer]
        above, below = _producers(layer), _readers(layer)
    elif graph.has_blob(name):
        blob = graph.blob(name)
        centre = []
        above, below = _of_blob(blob), (use.layer for use in blob.readers)
    else:
        known = dict.fromkeys([*(layer.name for layer in graph), *(blob.name for blob in graph.blobs)])
        raise NotFoundError(f"there is no layer or blob '{name}'", hint=did_you_mean(name, known))
    steps = dict.fromkeys(centre, 0)
    _walk(steps, above, _producers, range(-1, -depth - 1, -1))
    _walk(steps, below, _readers, range(1, depth + 1))
    return [Neighbour(index, layer, steps[layer]) for index, layer in enumerate(graph) if layer in steps]


def _walk(
    steps: dict[Layer, int],
    layers: Iterable[Layer],
    onward: Callable[[Layer], Iterator[Layer]],
    way: range,
) -> None:
    """Notes how far away the layers of one direction are; the nearest way counts."""
    for step in way:
        new = [layer for layer in dict.fromkeys(layers) if layer not in steps]
        steps.update(dict.fromkeys(new, step))
        layers = [far for layer in new for far in onward(layer)]


def _producers(layer: Layer) -> Iterator[Layer]:
    for blob in layer.inputs:
        yield from _of_blob(blob)


def _of_blob(blob: Blob) -> Iterator[Layer]:
    producer = blob.source.producer
    if producer is not None:
        yield producer


def _readers(layer: Layer) -> Iterator[Layer]:
    for blob in layer.outputs:
        for use in blob.readers:
            yield use.layer
