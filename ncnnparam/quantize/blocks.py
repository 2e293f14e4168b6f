"""Reading a matrix of weights in blocks that fit in a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.weights.values import Reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 1 << 18
"""Elements of a block at most; a multiple of four."""


@dataclass
class Block:
    """Some rows of a matrix, or a part of one row.

    Attributes:
        rows: Which rows.
        columns: Which columns.
        values: Their numbers; the next block writes over them.
    """

    rows: slice
    columns: slice
    values: NDArray[np.float32]


def blocks(read: Reader, rows: int, columns: int, *, whole: bool = False) -> Iterator[Block]:
    """The blocks of a matrix, from the first number to the last.

    Args:
        read: Reads the matrix.
        rows: How many rows it has.
        columns: How many numbers a row has.
        whole: Never divide a row, however long it is.
    """
    height = max(1, STEP // columns)
    width = columns if whole else min(columns, STEP)
    buffer = np.empty(height * width, np.float32)
    for row in range(0, rows, height):
        stop = min(row + height, rows)
        for column in range(0, columns, width):
            end = min(column + width, columns)
            out = buffer[: (stop - row) * (end - column)]
            read(row * columns + column, out)
            yield Block(slice(row, stop), slice(column, end), out.reshape(stop - row, -1))


def largest(read: Reader, rows: int, columns: int) -> NDArray[np.float32]:
    """The largest absolute number of each row; NaN counts for nothing."""
    found = np.zeros(rows, np.float32)
    for block in blocks(read, rows, columns):
        np.abs(block.values, out=block.values)
        np.fmax(found[block.rows], np.fmax.reduce(block.values, axis=1), out=found[block.rows])
    return found
