"""icefall's PoolingModule: a running mean over all frames so far, for the runtime that has it as one layer.

What pnnx writes for it, x being frames, ``len`` and ``avg`` the number and the mean of the frames before::

    y    = (CumulativeSum(x) + len * avg) / (1..T + len)
    len' = len + T
    avg' = the last row of y
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.passes.pnnx.base import Repair, layers_of, maker, readers, remove_unread
from ncnnparam.passes.pnnx.shapes import size_params

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_ADD, _MUL, _RECIPROCAL = 0, 2, 15
"""Operations of BinaryOp, and one of UnaryOp."""
_SHAPERS = frozenset(("Reshape", "ExpandDims", "Squeeze"))
_REST = -1


@dataclass(frozen=True)
class _Pooling:
    """The blobs and layers of one PoolingModule."""

    x: Blob
    length: Blob
    mean: Blob
    width: int
    y: Layer
    new_length: Layer | None
    new_mean: Layer | None


class SherpaPooling(Repair):
    """Replace icefall's running mean by sherpa-ncnn's PoolingModuleNoProj."""

    name = "pnnx-sherpa-pooling"
    optional = True

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces each, and removes what is not read any more."""
        for layer in layers_of(model.graph, "CumulativeSum"):
            found = _match(layer)
            if found is None:
                result.decline("the layers around it are no running mean", layer.name)
                continue
            try:
                _replace(model.graph, found)
            except GraphError as error:
                result.decline(error.message, layer.name)
                continue
            for old in (found.y, found.new_length, found.new_mean):
                if old is not None:
                    remove_unread(model.graph, old, weights=model.file is not None)
            result.change("a running mean: PoolingModuleNoProj", layer.name)


def _match(layer: Layer) -> _Pooling | None:
    """The running mean around a CumulativeSum, or None."""
    total = _only(_binary(layer.outputs[0], _ADD))
    y = _only(_binary(total.outputs[0], _MUL)) if total is not None else None
    if total is None or y is None or layer["axis"] != 0:
        return None
    before, shape = _beyond(_other(total, layer.outputs[0]))
    product = maker(before)
    share = maker(_beyond(_other(y, total.outputs[0]))[0])
    if product is None or share is None or shape is None or share.type != "UnaryOp" or not share.inputs:
        return None
    counts = maker(share.inputs[0])
    if counts is None or share["op_type"] != _RECIPROCAL:
        return None
    if not _is_binary(product, _MUL) or not _is_binary(counts, _ADD):
        return None
    return _states(layer, y, product, counts, shape)


def _states(layer: Layer, y: Layer, product: Layer, counts: Layer, shape: Layer) -> _Pooling | None:
    """The states of a running mean, and how they go on."""
    ends = [_beyond(blob)[0].source for blob in counts.inputs]
    numbers = [blob for blob in ends if blob.producer is not None and blob.producer.type == "MemoryData"]
    lengths = [blob for blob in ends if blob not in numbers]
    means = [blob for blob in product.inputs if _beyond(blob)[0].source not in lengths]
    width = shape["w"]
    if len(numbers) != 1 or len(lengths) != 1 or len(means) != 1 or not isinstance(width, int) or width < 1:
        return None
    constant = numbers[0].producer
    if constant is None or not _counts_up(constant):
        return None
    return _Pooling(
        layer.inputs[0],
        lengths[0],
        _beyond(means[0])[0].source,
        width,
        y,
        _new_length(lengths[0], constant["h"]),
        _new_mean(y),
    )


def _counts_up(constant: Layer) -> bool:
    """Whether a constant is 1, 2, 3 and so on, as floats or bits of integers; without the ``.bin``, yes."""
    if "data" not in constant.weights:
        return True
    import numpy as np

    found = np.ascontiguousarray(constant.weights["data"].numpy(np.float32)).ravel()
    wanted = np.arange(1, len(found) + 1)
    return bool(np.array_equal(found, wanted) or np.array_equal(found.view(np.int32), wanted))


def _new_length(length: Blob, frames: object) -> Layer | None:
    """The layer that adds the number of frames to the length."""
    for reader in _readers_beyond(length):
        adds = reader.type == "BinaryOp" and reader["with_scalar"] and reader["op_type"] == _ADD
        if adds and reader.outputs:
            return reader if reader["b"] == frames else None
    return None


def _new_mean(y: Layer) -> Layer | None:
    """The layer that gives the last row."""
    for reader in readers(y.outputs[0]):
        if reader.type == "Crop" and reader.outputs and reader["axes"] == (0,) and reader["starts"] == (-1,):
            squeezes = [
                user for user in readers(reader.outputs[0]) if user.type == "Squeeze" and user.outputs
            ]
            return _only(squeezes) or reader
    return None


def _replace(graph: Graph, found: _Pooling) -> None:
    """Puts PoolingModuleNoProj in.

    Raises:
        GraphError: Something reads its results above it.
    """
    if any(old is not None and not old.outputs[0].uses for old in (found.new_length, found.new_mean)):
        raise GraphError("a state of it is an output of the network as it is")
    last = found.y
    for blob in (found.x, found.length, found.mean):
        if blob.producer is not None and graph.layers.before(last, blob.producer):
            last = blob.producer
    rows = graph.add("Reshape", inputs=[found.x], after=last, params=size_params((_REST, found.width)))
    pooling = graph.add(
        "PoolingModuleNoProj", inputs=[rows.outputs[0], found.length, found.mean], outputs=3, after=rows
    )
    back = graph.add(
        "Reshape", inputs=[pooling.outputs[0]], after=pooling, params=size_params((_REST, 1, found.width))
    )
    graph.replace_uses(found.y.outputs[0], back.outputs[0])
    for old, index in ((found.new_length, 1), (found.new_mean, 2)):
        if old is not None:
            graph.replace_uses(old.outputs[0], pooling.outputs[index])


def _beyond(blob: Blob) -> tuple[Blob, Layer | None]:
    """The blob behind layers that only shape it, and the last of these layers."""
    shape = None
    layer = maker(blob)
    while layer is not None and layer.type in _SHAPERS and layer.inputs:
        shape = shape or layer
        blob = layer.inputs[0]
        layer = maker(blob)
    return blob, shape


def _readers_beyond(blob: Blob) -> Iterator[Layer]:
    for reader in readers(blob):
        if reader.type in _SHAPERS and reader.outputs:
            yield from _readers_beyond(reader.outputs[0])
        else:
            yield reader


def _binary(blob: Blob, operation: int) -> list[Layer]:
    return [reader for reader in readers(blob) if _is_binary(reader, operation)]


def _is_binary(layer: Layer, operation: int) -> bool:
    counts = (len(layer.inputs), len(layer.outputs))
    return layer.type == "BinaryOp" and counts == (2, 1) and layer["op_type"] == operation


def _other(layer: Layer, blob: Blob) -> Blob:
    """The other input of a layer of two."""
    first, second = layer.inputs
    return second if first.source is blob else first


def _only(layers: list[Layer]) -> Layer | None:
    return layers[0] if len(layers) == 1 else None
