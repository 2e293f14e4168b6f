"""Where each array of a graph lies in its ``.bin`` file.

The file has no index: only the params of each layer, in the order of the graph, say what comes next. Nothing
but tags is read, and no size out of a file is trusted before it was found to fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ncnnparam.errors import OpsError, WeightsError
from ncnnparam.ops import WeightArray, registry
from ncnnparam.weights.arrays import Weight
from ncnnparam.weights.storage import TAG_SIZE, Storage

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

_MOST_LAYOUTS = 10_000
"""Layouts to remember for a type; models repeat the params of their layers."""


def wanted(layer: Layer) -> Sequence[WeightArray]:
    """The arrays that ncnn reads for a layer, in order; none for a type that nobody has declared.

    Raises:
        WeightsError: The params make no sense.
    """
    layer_type = registry.get(layer.type)
    if layer_type is None or not layer_type.weights:
        return []
    known = layer_type.layouts
    text = " ".join(param.text for param in layer.params.raw)
    if text in known:
        return known[text]
    try:
        found = layer_type.weight_layout(dict(layer.params))
    except OpsError as error:
        message = f"layer '{layer.name}': {error.message}"
        raise WeightsError(message, layer=layer.name, hint=error.hint, code="NP602") from None
    if len(known) >= _MOST_LAYOUTS:
        known.clear()
    known[text] = found
    return found


def locate(graph: Graph, data: memoryview, *, name: str | None = None) -> Iterator[tuple[Layer, Weight]]:
    """The arrays of a graph, in the order of the file, as views of it.

    Args:
        graph: The graph.
        data: The whole ``.bin`` file.
        name: Name of the file for messages.

    Yields:
        A layer and one of its arrays. The end of the last one is where ncnn stops to read.

    Raises:
        WeightsError: The file does not fit the graph; what came before it stands.
    """
    offset = 0
    for layer in graph:
        for array in wanted(layer):
            weight = array_at(offset, layer, array, data, name=name)
            yield layer, weight
            offset += weight.nbytes


def describe(layer: Layer) -> str:
    """A layer in a message."""
    return f"layer '{layer.name}' ({layer.type})"


def array_at(
    offset: int, layer: Layer, array: WeightArray, data: memoryview, *, name: str | None = None
) -> Weight:
    """An array of a layer, as a view of the file.

    Args:
        offset: Where it begins.
        layer: The layer, for messages.
        array: What the layer wants.
        data: The whole ``.bin`` file.
        name: Name of the file for messages.

    Raises:
        WeightsError: The file ends before the array does.
    """
    file = f"{name}: " if name else ""
    tag: int | None = None
    if array.kind == "tagged":
        if offset + TAG_SIZE > len(data):
            raise _cut_off(layer, array, data, offset, "a tag of 4 bytes", file)
        tag = int.from_bytes(data[offset : offset + TAG_SIZE], "little")
        storage = Storage.from_tag(tag)
    else:
        storage = Storage.RAW if array.kind == "raw" else Storage.BYTES
    size = storage.size(array.count)
    if offset + size > len(data):
        expected = f"{size} bytes for {array.count} elements as {storage}"
        raise _cut_off(layer, array, data, offset, expected, file, tag)
    return Weight(array, storage, data[offset : offset + size], offset)


def _cut_off(
    layer: Layer,
    array: WeightArray,
    data: memoryview,
    offset: int,
    expected: str,
    file: str,
    tag: int | None = None,
) -> WeightsError:
    left = len(data) - offset
    found = f"{left} bytes up to the end of the file" if left else "the end of the file"
    hint = "the file was cut off, or it belongs to another .param"
    if tag is not None and Storage.from_tag(tag) is Storage.TABLE:
        found += f"; the tag 0x{tag:08X} is none that today's tools write"
        hint = "the .bin most likely belongs to another .param"
    return WeightsError(
        f"{file}{describe(layer)}, {array.name} at offset {offset}: expected {expected}, found {found}",
        layer=layer.name,
        array=array.name,
        offset=offset,
        expected=expected,
        found=found,
        hint=hint,
        code="NP604",
    )
