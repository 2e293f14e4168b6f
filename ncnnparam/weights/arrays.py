"""One array of weights: bytes, and the numbers they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.errors import WeightsError
from ncnnparam.ops import WeightArray
from ncnnparam.weights.storage import TABLE_SIZE, TAG_SIZE, Storage, padded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray


@dataclass(frozen=True, eq=False)
class Weight:
    """An array of a layer, read only when it is asked for its numbers.

    Attributes:
        array: Name, kind and shape, as the layer type declares them.
        storage: How the numbers are stored.
        raw: All of its bytes in the file: tag, lookup table, elements, padding. A view, not a copy.
        offset: Where it begins in its ``.bin`` file, in bytes; None for an array made in memory.
        scales: What int8 numbers are to be divided by, or None.
    """

    array: WeightArray
    storage: Storage
    raw: memoryview
    offset: int | None = None
    scales: Weight | None = None

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
        return len(self.raw)

    @property
    def data(self) -> memoryview:
        """The bytes of the elements alone."""
        start = self.storage.head_size
        return self.raw[start : start + self.storage.data_size(self.count)]

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

    def _stored(self) -> NDArray[Any]:
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)

    def _values(self) -> NDArray[Any]:
        stored = self._stored()
        if self.storage is Storage.BFLOAT16:
            return (stored.astype("<u4") << 16).view("<f4")
        if self.storage is Storage.TABLE:
            return np.take(np.frombuffer(self.raw[TAG_SIZE : TAG_SIZE + TABLE_SIZE], "<f4"), stored)
        if self.storage is Storage.INT8 and self.scales is not None:
            return self._divided(stored, self.scales)
        if self.storage is Storage.BYTES:
            raise WeightsError(f"{self.name} holds packed low-bit numbers, not floats", array=self.name)
        return stored.astype("f4", copy=False)

    def _divided(self, stored: NDArray[Any], scales: Weight) -> NDArray[Any]:
        """int8 numbers by their scales.

        A scale counts for a run of elements: one output channel, one group of channels, or all. Only those of
        a transposed matrix count for its columns.
        """
        each: NDArray[Any] = scales.numpy(np.float32).reshape(-1)
        runs = [prod(self.shape[:axis]) for axis in range(len(self.shape) + 1)]
        rows: tuple[int, int]
        if len(each) not in runs and len(self.shape) == 2 and len(each) == self.shape[1]:
            rows = self.shape[0], self.shape[1]
        elif self.count % len(each):
            message = f"{scales.name} has {len(each)} scales for the {self.count} numbers of {self.name}"
            raise WeightsError(message, array=self.name)
        else:
            rows = len(each), self.count // len(each)
            each = each[:, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore"):  # a file may have a scale of 0
            values: NDArray[Any] = stored.reshape(rows) * (np.float32(1) / each)
        return values.reshape(self.shape)

    def __repr__(self) -> str:
        sizes = "x".join(map(str, self.shape))
        return f"<Weight {self.name} {self.storage} {sizes}>"


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
    data = _elements(array.name, given, storage).tobytes()
    tag = b"" if storage.tag is None else storage.tag.to_bytes(TAG_SIZE, "little")
    return Weight(array, storage, memoryview(tag + data + bytes(padded(len(data)) - len(data))))


def _elements(name: str, given: NDArray[Any], storage: Storage) -> NDArray[Any]:
    if given.dtype.kind not in "fiu":
        raise WeightsError(f"{name} is made of numbers, not of {given.dtype}", array=name)
    if storage.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond the largest float16 comes infinity, as in ncnn
            return given.astype(storage.dtype)
    if storage is Storage.BFLOAT16:
        return _bfloat16(given.astype("<f4"))
    limits = np.iinfo(storage.dtype)
    if given.dtype.kind == "f" or given.min() < limits.min or given.max() > limits.max:
        message = f"as {storage}, {name} takes ints from {limits.min} to {limits.max}"
        raise WeightsError(message, array=name, hint="quantise the numbers first")
    return given.astype(storage.dtype)


def _bfloat16(numbers: NDArray[Any]) -> NDArray[Any]:
    """The upper halves of float32 numbers, rounded to the nearest, ties to even."""
    bits = numbers.view("<u4").astype("<u8")
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    quiet = bits >> 16 | 0x40  # rounding could turn a NaN into infinity
    return np.where(np.isnan(numbers.astype("<f4")), quiet, rounded).astype("<u2")
