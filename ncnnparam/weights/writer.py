"""What the ``.bin`` file of a graph is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ncnnparam.errors import WeightsError
from ncnnparam.weights.arrays import Weight
from ncnnparam.weights.layout import describe, wanted

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.weights.file import WeightFile

_ENOUGH = 1 << 24  # bytes to write before the pages of the old file are given back


def in_order(graph: Graph) -> list[Weight]:
    """The arrays of all layers in the order of the file, which is their ``raw`` bytes one after the other.

    Raises:
        WeightsError: A layer lacks an array, or has one that its params do not ask for.
    """
    return [weight for layer in graph for weight in _of(layer)]


def pieces(weights: Iterable[Weight], file: WeightFile | None) -> Iterator[bytes | memoryview]:
    """The content of a ``.bin`` file.

    Args:
        weights: The arrays in order.
        file: The mapped file that they come from, whose left-over bytes come last; or None.
    """
    looked_at = 0
    for weight in weights:
        for piece in weight.pieces():
            yield piece
            looked_at += len(piece)
            if file is not None and looked_at > _ENOUGH:
                file.release()
                looked_at = 0
    if file is not None:
        yield file.leftover


def is_all_of(weights: Iterable[Weight], file: WeightFile) -> bool:
    """Whether these arrays are those of a file, all of them, untouched and in their order."""
    offset = 0
    for weight in weights:
        if weight.offset != offset or not isinstance(weight.content, memoryview):
            return False
        if weight.content.obj is not file.data.obj:
            return False
        offset += weight.nbytes
    return offset == file.used


def _of(layer: Layer) -> list[Weight]:
    have = {weight.name: weight for weight in layer._weights}
    found: list[Weight] = []
    for array in wanted(layer):
        weight = have.pop(array.name, None)
        if weight is None:
            raise WeightsError(
                f"{describe(layer)} has no {array.name}: ncnn wants {array.count} elements",
                layer=layer.name,
                array=array.name,
                hint=f'set graph.layer("{layer.name}").weights["{array.name}"] before saving, '
                "or load the .bin with the .param",
            )
        if (weight.array.kind, weight.count) != (array.kind, array.count):
            message = (
                f"{describe(layer)}: the params ask for {array.count} elements of {array.name} "
                f"({array.kind}), it has {weight.count} ({weight.array.kind})"
            )
            hint = "were params changed without the weights?"
            raise WeightsError(message, layer=layer.name, array=array.name, offset=weight.offset, hint=hint)
        found.append(weight)
    for name in have:
        message = f"{describe(layer)} has an array {name} that its params do not ask for"
        hint = f'del graph.layer("{layer.name}").weights["{name}"], or set the params'
        raise WeightsError(message, layer=layer.name, array=name, hint=hint)
    return found
