"""What is remarkable about the numbers of an array: the ones no net should have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ncnnparam.weights import Storage, Weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 1 << 20
"""Elements to look at at once."""


@dataclass
class Contents:
    """What is remarkable about the numbers of an array.

    Attributes:
        nans: Elements that are no number.
        infinities: Infinite elements.
        zero_channels: Indexes along the first of two or more axes at which all elements are zero.
    """

    nans: int = 0
    infinities: int = 0
    zero_channels: list[int] = field(default_factory=list)


def contents_of(weight: Weight) -> Contents:
    """Looks at all numbers of an array as they are stored; packed low-bit ones are left alone."""
    import numpy as np

    found = Contents()
    if weight.storage is Storage.BYTES:
        return found
    stored = weight.numpy()
    rows = stored.reshape(stored.shape[0] if stored.ndim > 1 else 1, -1)
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        if stored.ndim > 1 and weight.storage is not Storage.TABLE:
            is_zero = ~_without_sign(block, weight.storage).any(axis=1)
            found.zero_channels += [start + int(index) for index in np.flatnonzero(is_zero)]
        for at in range(0, block.size, _BLOCK):
            nans, infinities = _not_finite(block.reshape(-1)[at : at + _BLOCK], weight)
            found.nans += nans
            found.infinities += infinities
    return found


def _without_sign(block: NDArray[Any], storage: Storage) -> NDArray[Any]:
    """Numbers that are zero only for a zero; the bits of bfloat16 have a sign of their own."""
    return block & 0x7FFF if storage is Storage.BFLOAT16 else block


def _not_finite(piece: NDArray[Any], weight: Weight) -> tuple[int, int]:
    """How many elements are NaN, and how many infinite."""
    import numpy as np

    if weight.storage is Storage.INT8:
        return 0, 0
    if weight.storage is Storage.BFLOAT16:  # infinity has all bits of the exponent, a NaN more than those
        magnitude = piece & 0x7FFF
        return int((magnitude > 0x7F80).sum()), int((magnitude == 0x7F80).sum())
    values = weight.table[piece] if weight.storage is Storage.TABLE else piece
    if np.isfinite(values).all():
        return 0, 0
    return int(np.isnan(values).sum()), int(np.isinf(values).sum())
