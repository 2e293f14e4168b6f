"""Weights as int8 numbers and their scales, made in pieces when they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import WeightsError
from ncnnparam.quantize.blocks import Block, blocks, largest
from ncnnparam.quantize.int8_form import Scaled
from ncnnparam.weights import Storage, Weight
from ncnnparam.weights.layout import describe
from ncnnparam.weights.storage import TAG_SIZE, padded
from ncnnparam.weights.values import Reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Layer

LARGEST = 127
"""ncnn's int8 numbers go from -127 to 127."""


class Int8Weights:
    """An array of weights of a layer, on its way to int8.

    Attributes:
        layer: Name and type of the layer, for messages.
        scaled: The array and its scales.
        given: Scales out of a table, or None to compute all of them.
    """

    def __init__(self, layer: Layer, scaled: Scaled, given: NDArray[np.float32] | None = None) -> None:
        self.layer = describe(layer)
        self.scaled = scaled
        self.given = given
        self._floats = layer.weights[scaled.weights.name]

    @cached_property
    def scales(self) -> NDArray[np.float32]:
        """A positive finite scale for each run of elements, or each column.

        What the table does not give, or gives as 0, infinity or NaN, is 127 over the largest number; for
        nothing but zeros any scale would do, and it is 1.
        """
        count = self.scaled.scales.count
        if self.given is not None and np.all(good := is_scale(self.given)):
            return self.given
        read = _reader(self._floats, transposed=self.scaled.by_column)
        peaks = largest(read, count, self.scaled.weights.count // count)
        with np.errstate(over="ignore", divide="ignore"):
            own = np.float32(LARGEST) / peaks
        own = np.where(is_scale(own), own, np.float32(1))
        return own if self.given is None else np.where(good, self.given, own)

    def weights(self) -> Weight:
        """The int8 numbers, as an array of the layer."""
        return Weight(self.scaled.weights, Storage.INT8, self._pieces)

    def scale_array(self) -> Weight:
        """The scales, as an array of the layer."""
        return Weight(self.scaled.scales, Storage.RAW, lambda: iter([self.scales.astype("<f4").tobytes()]))

    def _pieces(self) -> Iterator[bytes]:
        assert Storage.INT8.tag is not None
        yield Storage.INT8.tag.to_bytes(TAG_SIZE, "little")
        count = self.scaled.weights.count
        rows = self.scaled.weights.shape[0] if self.scaled.by_column else self.scaled.scales.count
        for block in blocks(_reader(self._floats), rows, count // rows):
            yield self._rounded(block).tobytes()
        yield bytes(padded(count) - count)

    def _rounded(self, block: Block) -> NDArray[np.int8]:
        """Numbers times scales, to the nearest int, ties to even."""
        values = block.values
        with np.errstate(invalid="ignore", over="ignore"):
            if not np.isfinite(values.sum()):
                self._require_finite(values)
            if self.scaled.by_column:
                values *= self.scales[block.columns]
            else:
                values *= self.scales[block.rows, np.newaxis]
        np.rint(values, out=values)
        np.clip(values, -LARGEST, LARGEST, out=values)
        return values.astype(np.int8)

    def _require_finite(self, values: NDArray[np.float32]) -> None:
        if not np.all(np.isfinite(values)):
            raise not_finite(self.layer, self.scaled.weights.name)


def not_finite(layer: str, array: str) -> WeightsError:
    """The error for weights that are NaN or infinite.

    Args:
        layer: Name and type of the layer.
        array: Name of the array.
    """
    return WeightsError(
        f"{layer}: {array} has numbers that are infinite or none, which no int can stand for",
        array=array,
        hint="find them with check --weights, or leave the layer in float: --skip",
    )


def is_scale(numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which numbers can be scales: they are positive and finite."""
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = np.isfinite(numbers) & (numbers > 0)
    return found


def _reader(weight: Weight, *, transposed: bool = False) -> Reader:
    """Reads the numbers of an array, whose bytes may be made only now."""
    weight = replace(weight, content=weight.raw)
    if transposed:
        flat = weight.numpy(np.float32).T.reshape(-1)
        return lambda start, out: np.copyto(out, flat[start : start + len(out)])
    return lambda start, out: np.copyto(out, weight.part(start, start + len(out)))
