"""The two files that ncnn2int8 writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import ConfigError
from ncnnparam.ops import WeightArray, registry
from ncnnparam.quantize.blocks import blocks
from ncnnparam.quantize.compat import model_writer
from ncnnparam.quantize.compat.drafts import Draft, Drafts
from ncnnparam.quantize.compat.numbers import to_float16, without_denormals
from ncnnparam.quantize.compat.random_weights import (
    ACTIVATION_SCALES,
    INT8,
    WEIGHT_SCALES,
    WEIGHTS,
    RandomWeights,
)
from ncnnparam.quantize.compat.rules import lost_weights
from ncnnparam.quantize.int8_form import INPUT_SCALES, OUTPUT_SCALES
from ncnnparam.syntax import write_pair
from ncnnparam.weights import Storage
from ncnnparam.weights.layout import describe
from ncnnparam.weights.storage import TAG_SIZE, padded
from ncnnparam.weights.values import reader

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.quantize.table import Table
    from ncnnparam.weights import WeightFile

MOST_MADE_UP = 1 << 24
"""Weights of a model without a ``.bin``; Python draws them one by one."""


@dataclass
class Converted:
    """An int8 model that is not written yet.

    Attributes:
        drafts: Its layers.
        file: The ``.bin`` they were read from, or None.
        random: It came without a ``.bin`` and gets weights that are made up.
    """

    drafts: Drafts
    file: WeightFile | None = None
    random: bool = False

    @property
    def text(self) -> str:
        """The ``.param`` file."""
        lines = (model_writer.line(draft.layer, draft.params) for draft in self.drafts)
        return model_writer.header(self.drafts.graph) + "".join(lines)

    def pieces(self) -> Iterator[bytes]:
        """The ``.bin`` file."""
        random = RandomWeights() if self.random else None
        for draft in self.drafts:
            for array in _arrays(draft):
                size = 0
                for piece in _made_up(draft, array, random) if random else _pieces(draft, array):
                    yield piece
                    size += len(piece)
                yield bytes(padded(size) - size)
            if self.file is not None:
                self.file.release()

    def save(
        self, param: str | os.PathLike[str], weights: str | os.PathLike[str], *, backup: bool = False
    ) -> None:
        """Writes both files as one.

        Raises:
            FileError: They cannot be written; what was there is untouched.
        """
        write_pair(param, self.text, weights, self.pieces(), backup=backup)


def ncnn2int8(model: Model, table: Table | None = None, *, random: bool = False) -> Converted:
    """Quantises a model as ncnn2int8 does.

    Args:
        model: The float model.
        table: The calibration table, read as the C++ tool reads it.
        random: Make weights up, as the C++ tool does if its ``.bin`` is called ``null``.

    Raises:
        ConfigError: The C++ tool would refuse the model, die, or write what nobody can foretell.
    """
    lost = next(lost_weights.check(model.graph), None)
    if lost is not None:
        raise ConfigError(lost.message, hint=lost.hint)
    converted = Converted(Drafts(model.graph, table), model.file, random)
    count = sum(array.count for draft in converted.drafts for array in _arrays(draft)) if random else 0
    if count > MOST_MADE_UP:
        raise ConfigError(f"a model without a .bin gets at most {MOST_MADE_UP:,} weights, this has {count:,}")
    return converted


def _arrays(draft: Draft) -> list[WeightArray]:
    """The arrays that go with what the C++ tool prints of a layer's params."""
    layer_type = registry.get(draft.layer.type)
    if layer_type is None:
        return []
    lost = model_writer.lost_params(draft.layer)
    return layer_type.weight_layout({id: value for id, value in draft.params.items() if id not in lost})


def _pieces(draft: Draft, array: WeightArray) -> Iterator[bytes]:
    layer, name = draft.layer, array.name
    if name in draft.int8:
        yield _tag(Storage.INT8)
        for numbers in draft.int8[name]():
            yield numbers.tobytes()
        return
    if name in draft.scales:
        yield without_denormals(draft.scales[name]).tobytes()
        return
    weight = layer.weights[name]
    if weight.storage is Storage.INT8:
        yield _tag(Storage.INT8)
        yield weight.data.tobytes()
        return
    read = reader(layer, name)
    if read is None or weight.storage is Storage.BYTES:
        raise ConfigError(f"{describe(layer)} has packed low-bit weights, which are beyond --compat")
    if array.kind == "tagged":
        yield _tag(Storage.FLOAT16)
    left = weight.count
    for block in blocks(read, 1, weight.count):
        values = block.values.reshape(-1)
        left -= len(values)
        halves = array.kind == "tagged"
        yield (to_float16(values, cut_tail=not left) if halves else without_denormals(values)).tobytes()


def _made_up(draft: Draft, array: WeightArray, random: RandomWeights) -> Iterator[bytes]:
    """Random numbers in the storage that the array would have."""
    if array.name in draft.int8:
        yield _tag(Storage.INT8)
        yield random.floats(array.count, INT8, size=1).astype(np.int8).tobytes()
    elif array.kind == "tagged":
        yield _tag(Storage.FLOAT16)
        yield to_float16(random.floats(array.count, WEIGHTS)).tobytes()
    else:
        yield random.floats(array.count, _limits(array.name)).tobytes()


def _limits(name: str) -> tuple[float, float]:
    if name in (INPUT_SCALES, OUTPUT_SCALES):
        return ACTIVATION_SCALES
    return WEIGHT_SCALES if "_int8_scale" in name else WEIGHTS


def _tag(storage: Storage) -> bytes:
    assert storage.tag is not None
    return storage.tag.to_bytes(TAG_SIZE, "little")
