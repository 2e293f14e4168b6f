"""Numbers that single layers show, as readings for ``evidence``, and the ids of the params they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.speech.evidence import Answer, Reading, settle
from ncnnparam.speech.trace import maker, movers_below, state_number, unsplit

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

NUM_OUTPUT = 0
KERNEL_W = 1
LSTM_HIDDEN_SIZE = 3
SLICE_SIZES = 0
CROP_STARTS, CROP_ENDS = 9, 10
RESHAPE_H, RESHAPE_C = 1, 2

_CROP_OPEN = -233
"""A start or end that ncnn takes for none."""

Joins: TypeAlias = "Mapping[int, list[tuple[Layer, int]]]"
"""State number -> the Concats that join it with the chunk, and which of their inputs it is."""

Convolutions: TypeAlias = "Mapping[int, list[Layer]]"
"""State number -> the depthwise convolutions whose cache it is."""


def convolutions(graph: Graph) -> Convolutions:
    """The depthwise convolutions of a graph, by the state that is put before what they read."""
    found: dict[int, list[Layer]] = {}
    for layer in graph:
        if layer.type == "ConvolutionDepthWise1D" and layer.inputs:
            join = maker(layer.inputs[0])
            state = state_number(join.inputs[0]) if join is not None and join.type == "Concat" else None
            if state is not None:
                found.setdefault(state, []).append(layer)
    return found


def joins(graph: Graph) -> Joins:
    """The Concats of a graph, by the states that they read."""
    found: dict[int, list[tuple[Layer, int]]] = {}
    for layer in graph:
        if layer.type == "Concat" and len(layer.inputs) > 1:
            for position, blob in enumerate(layer.inputs):
                state = state_number(blob)
                if state is not None:
                    found.setdefault(state, []).append((layer, position))
    return found


def ints(layer: Layer, id: int) -> tuple[int, ...]:
    """A param as whole numbers: an int as one, and nothing when it is absent or something else."""
    value = layer.params.get(id, ())
    items = value if isinstance(value, tuple) else (value,)
    return tuple(item for item in items if isinstance(item, int))


def size(layer: Layer, id: int) -> int | None:
    """A param that is an int above 0, else None."""
    values = ints(layer, id)
    return values[0] if len(values) == 1 and values[0] > 0 else None


def sizes(layers: Iterable[Layer], id: int) -> list[Reading]:
    """The sizes that layers state under an id."""
    return [Reading(value, layer) for layer in layers if (value := size(layer, id))]


def cuts(join: Layer, id: int) -> list[tuple[Layer, int]]:
    """The Crops of what a Concat gives, and where they start or end inside of it."""
    crops = [each for each in movers_below(join) if each.type == "Crop"]
    return [(crop, at) for crop in crops for at in ints(crop, id) if at not in (0, _CROP_OPEN)]


def piece(join: Layer, position: int) -> list[Reading]:
    """The size of an input of a Concat that comes out of a Slice."""
    if not 0 <= position < len(join.inputs):
        return []
    blob = unsplit(join.inputs[position])
    slicer = blob.producer
    if slicer is None or slicer.type != "Slice":
        return []
    pieces = ints(slicer, SLICE_SIZES)
    index = slicer.outputs.index(blob)
    return [Reading(pieces[index], slicer)] if index < len(pieces) and pieces[index] > 0 else []


def kernel(depthwise: Iterable[Layer]) -> Answer:
    """The kernel of depthwise convolutions."""
    return settle(sizes(depthwise, KERNEL_W), "kernel_w {} of", "no depthwise convolution states kernel_w")


def width(layers: Iterable[Layer]) -> Answer:
    """The channels of convolutions, or the outputs of LSTMs."""
    return settle(sizes(layers, NUM_OUTPUT), "num_output {} of", "no layer states num_output")
