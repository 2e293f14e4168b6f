"""Where the bytes of a ``.bin`` file are, and why it is larger than a byte for each weight."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ncnnparam.ops import registry
from ncnnparam.weights import Storage

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.weights import Weight

_SCALES = re.compile(r".*_(int8|quantize|input)_scales?")
_SMALL = (Storage.INT8, Storage.TABLE, Storage.BYTES)
"""Storages of at most a byte for each number."""

RAW = "float32 in every file: biases and the like"
KEPT = "float in int8 layers too"
MISSED = "not quantised, though ncnn could"
LOADED = "float in an int8 layer: ncnn quantizes it when it loads"
ADDED = "scales, which int8 adds"
FRAMES = "tags, padding, lookup tables"


@dataclass(frozen=True, slots=True)
class Stored:
    """An array in one of the two files.

    Attributes:
        storage: How its numbers are stored.
        nbytes: Its bytes in the file, with tag and padding.
        count: How many elements it has.
        float_because: Why its numbers are floats, or None if they are not.
    """

    storage: Storage
    nbytes: int
    count: int
    float_because: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return {
            "storage": self.storage.value,
            "bytes": self.nbytes,
            "count": self.count,
            "float_because": self.float_because,
        }


@dataclass(frozen=True, slots=True)
class Size:
    """The bytes of a file of weights.

    Attributes:
        nbytes: All bytes that layers read.
        numbers: How many weights there are, scales aside; of packed numbers, their bytes.
        by_storage: Bytes by the name of the storage, the largest first.
        excess: Bytes beyond one for each weight by reason, the largest first; their sum is
            ``nbytes - numbers``.
    """

    nbytes: int
    numbers: int
    by_storage: dict[str, int]
    excess: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def size_of(arrays: Iterable[Stored]) -> Size:
    """Adds up the arrays of a file."""
    storages, excess = Counter[str](), Counter[str]()
    numbers = 0
    for array in arrays:
        storages[array.storage.value] += array.nbytes
        if array.float_because == ADDED:
            excess[ADDED] += array.nbytes
        else:
            excess[array.float_because or FRAMES] += array.nbytes - array.count
            numbers += array.count
    return Size(storages.total(), numbers, dict(storages.most_common()), dict((+excess).most_common()))


def is_scale(name: str) -> bool:
    """Whether an array holds what int8 numbers are divided by."""
    return _SCALES.fullmatch(name) is not None


def why_float(layer: Layer, weight: Weight) -> str | None:
    """Why the numbers of an array are floats, as far as the registry tells; None if they are not."""
    if weight.storage in _SMALL:
        return None
    if is_scale(weight.name):
        return ADDED
    if weight.storage is Storage.RAW:
        return RAW
    layer_type = registry.get(layer.type)
    if layer_type is None or not layer_type.int8:
        return f"ncnn has no int8 {layer.type}"
    if not any(spec.name.startswith(f"{weight.name}_int8_scale") for spec in layer_type.weights):
        return KEPT
    return LOADED if layer_type.is_int8(dict(layer.params)) else MISSED
