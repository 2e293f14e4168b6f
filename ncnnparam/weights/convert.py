"""A model's weights in another storage: float32, float16 or bfloat16.

Only arrays with a tag can change, for the tag is what tells ncnn how they are stored. Of these, int8 stays,
and so do arrays without a tag: biases, scales, what normalises, packed low-bit numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.errors import WeightsError
from ncnnparam.weights.arrays import Weight, elements
from ncnnparam.weights.storage import TAG_SIZE, Storage, padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer

CHOICES = (Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16)
"""What can be converted to. float16 is read by every release of ncnn, bfloat16 by 1.0.20261020 and newer."""
_SOURCES = (*CHOICES, Storage.TABLE, Storage.SCALED)
_STEP = 1 << 18  # elements at a time: they fit in a processor's cache
_INFINITY = {Storage.FLOAT16: 0x7C00, Storage.BFLOAT16: 0x7F80}


@dataclass
class Change:
    """An array that gets another storage.

    Attributes:
        layer: Name of the layer.
        array: Name of the array.
        before: How it was stored.
        after: How it is stored now.
        count: Number of elements.
        bytes_before: Bytes in the file, with tag and padding.
        bytes_after: The same of the new array.
        overflowed: Finite numbers that became infinite, once the new bytes have been made.
        vanished: Numbers that became 0, once the new bytes have been made.
    """

    layer: str
    array: str
    before: Storage
    after: Storage
    count: int
    bytes_before: int
    bytes_after: int
    overflowed: int = 0
    vanished: int = 0


def convert(graph: Graph, storage: Storage, *, tell: Callable[[int], None] | None = None) -> list[Change]:
    """Gives the arrays of a graph another storage, where they can have it.

    The new bytes are made in small pieces when the model is saved, and not before. Numbers are rounded to the
    nearest, ties to even; what is beyond the largest of the new storage becomes infinite, as in ncnn.

    Args:
        graph: The graph; its layers get the new arrays.
        storage: One of ``CHOICES``.
        tell: Is called with the number of elements whenever some were converted.

    Returns:
        What changes, in the order of the file. Saving fills in ``overflowed`` and ``vanished``.

    Raises:
        WeightsError: The storage is none to convert to.
    """
    changes: list[Change] = []
    for layer, weight in convertible(graph, storage):
        change = _change(layer.name, weight, storage)
        changes.append(change)
        new = Weight(weight.array, storage, partial(_pieces, weight, change, tell))
        layer._weights = tuple(new if old is weight else old for old in layer._weights)
    return changes


def convertible(graph: Graph, storage: Storage) -> list[tuple[Layer, Weight]]:
    """The arrays that ``convert`` would give another storage, with their layers.

    Raises:
        WeightsError: The storage is none to convert to.
    """
    if storage not in CHOICES:
        hint = f"choose one of {', '.join(map(str, CHOICES))}"
        raise WeightsError(f"weights cannot be converted to {storage}", hint=hint)
    return [
        (layer, weight)
        for layer in graph
        for weight in layer._weights
        if weight.storage in _SOURCES and weight.storage is not storage
    ]


def _change(layer: str, weight: Weight, storage: Storage) -> Change:
    size = storage.size(weight.count)
    return Change(layer, weight.name, weight.storage, storage, weight.count, weight.nbytes, size)


def _pieces(weight: Weight, change: Change, tell: Callable[[int], None] | None) -> Iterator[bytes]:
    """The bytes of the new array, made from those of the old one."""
    storage = change.after
    assert storage.tag is not None
    yield storage.tag.to_bytes(TAG_SIZE, "little")
    weight = replace(weight, content=weight.raw)  # in case it is itself about to be converted
    change.overflowed = change.vanished = 0
    for start in range(0, weight.count, _STEP):
        values = weight.part(start, min(start + _STEP, weight.count))
        new = elements(weight.name, values, storage)
        if storage in _INFINITY:
            _count_losses(values, new.view("<u2"), _INFINITY[storage], change)
        yield new.tobytes()
        if tell is not None:
            tell(len(values))
    size = storage.data_size(weight.count)
    yield bytes(padded(size) - size)


def _count_losses(values: NDArray[Any], bits: NDArray[Any], infinity: int, change: Change) -> None:
    """Adds to a change what was lost on the way from values to the 16 bits of each."""
    unsigned = bits << 1  # the sign falls out
    if unsigned.max() >= infinity << 1:
        change.overflowed += int(np.count_nonzero((unsigned == infinity << 1) & np.isfinite(values)))
    if unsigned.min() == 0:
        change.vanished += int(np.count_nonzero((unsigned == 0) & (values != 0)))
