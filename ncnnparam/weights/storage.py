"""How an array is stored in a ``.bin`` file: its tag, its element type, its size.

The tags and what they mean come from ``ModelBinFromDataReader::load`` in ncnn's ``src/modelbin.cpp``.
Everything is little-endian and begins at a multiple of 4 bytes.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ncnnparam.ops.arrays import Kind

TAG_SIZE = 4
TABLE_SIZE = 256 * 4
"""Bytes of a lookup table: 256 float32 values, before one index of a byte for each element."""


class Storage(Enum):
    """A way to store an array; the value is its name for users."""

    FLOAT32 = "fp32"
    FLOAT16 = "fp16"
    BFLOAT16 = "bf16"
    INT8 = "int8"
    TABLE = "table"
    """A lookup table, as ncnn's caffe converter wrote them: any tag that is none of the others."""
    SCALED = "scaled"
    """float32 under a tag of its own, which today's ncnn reads as it reads ``FLOAT32``."""
    RAW = "raw"
    """float32 without a tag: biases, scales, what normalises."""
    BYTES = "bytes"
    """Packed low-bit numbers without a tag."""

    def __str__(self) -> str:
        return self.value

    @property
    def tag(self) -> int | None:
        """The 4 bytes before the data, as a little-endian int; None where there are none or any of many."""
        return _TAGS.get(self)

    @property
    def kind(self) -> Kind:
        """Which arrays can be stored this way; see ``WeightArray.kind``."""
        if self is Storage.RAW:
            return "raw"
        return "bytes" if self is Storage.BYTES else "tagged"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a stored element; for ``BFLOAT16`` its 16 bits, for ``TABLE`` the index."""
        return np.dtype(_DTYPES[self])

    @property
    def head_size(self) -> int:
        """Bytes before the elements: the tag and the lookup table."""
        if self.kind != "tagged":
            return 0
        return TAG_SIZE + TABLE_SIZE if self is Storage.TABLE else TAG_SIZE

    def data_size(self, count: int) -> int:
        """Bytes of ``count`` elements, without padding."""
        return count * self.dtype.itemsize

    def size(self, count: int) -> int:
        """Bytes of a whole array of ``count`` elements: tag, lookup table, elements, padding."""
        return self.head_size + padded(self.data_size(count))

    @classmethod
    def from_tag(cls, tag: int) -> Storage:
        """What ncnn takes an array with this tag for; there is no tag that it refuses."""
        return _STORAGES.get(tag, cls.TABLE)


def padded(size: int) -> int:
    """A size rounded up to a multiple of 4."""
    return -(-size // 4) * 4


_TAGS = {
    Storage.FLOAT32: 0,
    Storage.FLOAT16: 0x01306B47,
    Storage.BFLOAT16: 0x01348B83,
    Storage.INT8: 0x000D4B38,
    Storage.SCALED: 0x0002C056,
}
_STORAGES = {tag: storage for storage, tag in _TAGS.items()}
_DTYPES: dict[Storage, DTypeLike] = {
    Storage.FLOAT32: "<f4",
    Storage.FLOAT16: "<f2",
    Storage.BFLOAT16: "<u2",
    Storage.INT8: "i1",
    Storage.TABLE: "u1",
    Storage.SCALED: "<f4",
    Storage.RAW: "<f4",
    Storage.BYTES: "u1",
}
