"""The weights that ncnn2int8 makes up for a model whose ``.bin`` is called ``null``.

The generator adds lagged values of its own (24 and 55 back, as in Knuth's TAOCP, 3.2.2), throws nine of ten
batches away, and is seeded in a way of its own: ncnn's ``tests/prng.h``.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

WEIGHTS = (-1.2, 1.2)
WEIGHT_SCALES = (90.0, 100.0)
ACTIVATION_SCALES = (0.001, 1.0)
INT8 = (-127.0, 127.0)
"""Between which numbers the weights of a kind lie."""
_SEED = 7767517
_SHORT, _LONG = 24, 55
_STATE = 64
_STEP = 2147483647
_SKIPPED = 9 * _LONG
_WARM_UP = 10000
_MASK = 2**64 - 1
_ALIGNED = 16


class RandomWeights:
    """A stream of numbers, always the same."""

    def __init__(self) -> None:
        self._state = deque(((_SEED + step * _STEP) & _MASK for step in range(_STATE)), _STATE)
        self._left = _LONG
        for _ in range(_WARM_UP):
            self._next()

    def floats(self, count: int, limits: tuple[float, float], *, size: int = 4) -> NDArray[np.float32]:
        """Numbers between two limits, computed in float32.

        Args:
            count: How many.
            limits: The least and the largest.
            size: Bytes of an element as it is stored: ncnn's arrays are padded to 16 bytes, and the padding
                takes numbers from the stream too.
        """
        drawn = [self._next() for _ in range(-(-count * size // _ALIGNED) * _ALIGNED // size)]
        low, high = np.float32(limits[0]), np.float32(limits[1])
        numbers = np.array(drawn[:count], np.uint64).astype(np.float32)
        found: NDArray[np.float32] = low + numbers / np.float32(2**64) * (high - low)
        return found

    def _next(self) -> int:
        if self._left == 0:
            for _ in range(_SKIPPED):
                self._step()
            self._left = _LONG
        self._left -= 1
        return self._step()

    def _step(self) -> int:
        value = (self._state[-_SHORT] + self._state[-_LONG]) & _MASK
        self._state.append(value)
        return value
