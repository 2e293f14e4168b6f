"""One array of weights: bytes, and the numbers they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.errors import WeightsError
from ncnnparam.ops import WeightArray
from ncnnparam.weights.storage import TABLE_SIZE, TAG_SIZE, Storage, padded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

_PIECE = 1 << 22  # bytes that are written at a time
_ZERO_MEANS_ZEROS = "weight_data_int8_scales"
"""The scales of the three types whose ``forward_int8`` looks for a scale of 0."""


@dataclass(frozen=True, eq=False)
class Weight:
    """An array of a layer, read only when it is asked for its numbers.

    Attributes:
        array: Name, kind and shape, as the layer type declares them.
        storage: How the numbers are stored.
        content: All of its bytes in the file: tag, lookup table, elements, padding. A view and not a copy, or
            what makes the bytes in pieces each time they are asked for.
        offset: Where it begins in its ``.bin`` file, in bytes; None for an array made in memory.
        scales: What int8 numbers are to be divided by, or None.
        by_column: A scale counts for a column of a matrix, not for a run of elements.
    """

    array: WeightArray
    storage: Storage
    content: memoryview | Callable[[], Iterable[bytes | memoryview]]
    offset: int | None = None
    scales: Weight | None = None
    by_column: bool = False

    @property
    def name(self) -> str:
        """The member's name in ncnn's source, ``weight_data`` for example."""
        return self.array.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes as numpy orders them, the innermost last."""
        return self.array.shape

    @property
    def count(self) -> int:
        """Number of elements."""
        return self.array.count

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements as they are stored."""
        return self.storage.dtype

    @property
    def nbytes(self) -> int:
        """Bytes in the file, with tag and padding."""
        return self.storage.size(self.count)

    @property
    def raw(self) -> memoryview:
        """``content`` at once."""
        if isinstance(self.content, memoryview):
            return self.content
        return memoryview(b"".join(self.content()))

    def pieces(self) -> Iterator[bytes | memoryview]:
        """``content`` in pieces, none of them large."""
        if not isinstance(self.content, memoryview):
            yield from self.content()
            return
        for start in range(0, len(self.content), _PIECE):
            yield self.content[start : start + _PIECE]

    @property
    def data(self) -> memoryview:
        """The bytes of the elements alone."""
        start = self.storage.head_size
        return self.raw[start : start + self.storage.data_size(self.count)]

    @property
    def table(self) -> NDArray[Any]:
        """The 256 float32 values of a lookup table, which only ``TABLE`` has."""
        return np.frombuffer(self.raw[TAG_SIZE : TAG_SIZE + TABLE_SIZE], "<f4")

    def numpy(self, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """The numbers.

        Args:
            dtype: None gives the elements as they are stored, a read-only view of the file: the bits of
                bfloat16 as uint16, of a lookup table the indexes. A float type gives the values that ncnn
                computes with: looked up, widened, int8 divided by its scales where the layer has some.

        Raises:
            WeightsError: Values of packed low-bit numbers were asked for, or scales do not fit.
        """
        if dtype is None:
            return self._stored()
        if np.dtype(dtype).kind != "f":
            raise WeightsError(
                f"values of {self.name} come as floats, not as {np.dtype(dtype)}",
                array=self.name,
                hint="numpy() without a dtype gives what is stored",
            )
        return self._values().astype(dtype, copy=False)

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """Some of the values, flat, as float32; those of int8 without their scales."""
        return self._widened(self._stored().reshape(-1)[start:stop])

    def _stored(self) -> NDArray[Any]:
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)

    def _values(self) -> NDArray[Any]:
        if self.storage is Storage.INT8 and self.scales is not None:
            return self._divided(self._stored())
        return self._widened(self._stored())

    def _widened(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Stored elements as float32."""
        if self.storage is Storage.BFLOAT16:
            return (stored.astype("<u4") << 16).view("<f4")
        if self.storage is Storage.TABLE:
            return np.take(self.table, stored)
        if self.storage is Storage.BYTES:
            raise WeightsError(f"{self.name} holds packed low-bit numbers, not floats", array=self.name)
        return stored.astype("f4", copy=False)

    def _divided(self, stored: NDArray[Any]) -> NDArray[Any]:
        """int8 numbers by their scales.

        A scale counts for a run of elements: one output channel, one group of channels, or all. Those of a
        transposed matrix count for its columns.
        """
        each = self.factors()
        rows = (-1, len(each)) if self.by_column else (len(each), self.count // len(each))
        if not self.by_column:
            each = each[:, np.newaxis]
        with np.errstate(invalid="ignore"):  # a file may have a scale of 0
            values: NDArray[Any] = stored.reshape(rows) * each
        return values.reshape(self.shape)

    def factors(self) -> NDArray[np.float32]:
        """What int8 numbers are multiplied by: one factor for each run of elements, or each column.

        Raises:
            WeightsError: There are no scales, or the numbers cannot be shared out among them.
        """
        if self.scales is None:
            raise WeightsError(f"{self.name} has no scales", array=self.name)
        each = factors(self.scales)
        if self.count % len(each):
            message = f"{self.scales.name} has {len(each)} scales for the {self.count} numbers of {self.name}"
            raise WeightsError(message, array=self.name)
        return each

    def __repr__(self) -> str:
        sizes = "x".join(map(str, self.shape))
        return f"<Weight {self.name} {self.storage} {sizes}>"


def factors(scales: Weight) -> NDArray[np.float32]:
    """One over each scale, flat: what ncnn multiplies by.

    A scale of 0 makes numbers infinite or NaN, except in Convolution, ConvolutionDepthWise and InnerProduct,
    where ncnn takes it for a channel of zeros.
    """
    each: NDArray[np.float32] = scales.numpy(np.float32).reshape(-1)
    with np.errstate(divide="ignore"):
        inverse: NDArray[np.float32] = np.float32(1) / each
    if scales.name == _ZERO_MEANS_ZEROS:
        inverse[each == 0] = 0
    return inverse


def encode(array: WeightArray, numbers: ArrayLike, storage: Storage) -> Weight:
    """An array made in memory, in a chosen storage.

    float16 and bfloat16 round to the nearest, ties to even.

    Args:
        array: What the layer wants.
        numbers: As many as the array has, in its shape or flat; for ``INT8`` and ``BYTES`` ints in range.
        storage: How to store them; ``TABLE`` can only be read.

    Raises:
        WeightsError: The array cannot be stored so, or the numbers do not fit.
    """
    if storage.kind != array.kind or storage is Storage.TABLE:
        possible = [one.value for one in Storage if one.kind == array.kind and one is not Storage.TABLE]
        message = f"{array.name} cannot be stored as {storage}"
        raise WeightsError(message, array=array.name, hint=f"it can be stored as {', '.join(possible)}")
    given = np.asarray(numbers)
    if given.shape != array.shape and given.shape != (array.count,):
        raise WeightsError(
            f"{array.name} has the shape {array.shape}, the new numbers have {given.shape}", array=array.name
        )
    data = elements(array.name, given, storage).tobytes()
    tag = b"" if storage.tag is None else storage.tag.to_bytes(TAG_SIZE, "little")
    return Weight(array, storage, memoryview(tag + data + bytes(padded(len(data)) - len(data))))


def elements(name: str, given: NDArray[Any], storage: Storage) -> NDArray[Any]:
    """Numbers as they are stored, without a tag; see ``encode``.

    Raises:
        WeightsError: The numbers do not fit.
    """
    if given.dtype.kind not in "fiu":
        raise WeightsError(f"{name} is made of numbers, not of {given.dtype}", array=name)
    if storage.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond the largest float16 comes infinity, as in ncnn
            return given.astype(storage.dtype)
    if storage is Storage.BFLOAT16:
        return _bfloat16(given.astype("<f4", copy=False))
    limits = np.iinfo(storage.dtype)
    if given.dtype.kind == "f" or given.min() < limits.min or given.max() > limits.max:
        message = f"as {storage}, {name} takes ints from {limits.min} to {limits.max}"
        raise WeightsError(message, array=name, hint="quantise the numbers first")
    return given.astype(storage.dtype)


def _bfloat16(numbers: NDArray[Any]) -> NDArray[Any]:
    """The upper halves of float32 numbers, rounded to the nearest, ties to even."""
    bits = numbers.view("<u4")
    rounded = bits >> 16
    quiet = (rounded | 0x40).astype("<u2")  # rounding could turn a NaN into infinity
    rounded &= 1
    rounded += bits
    rounded += 0x7FFF
    rounded >>= 16
    return np.where(np.isnan(numbers), quiet, rounded.astype("<u2"))
