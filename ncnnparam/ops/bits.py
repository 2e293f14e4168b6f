"""Ints that may be the bits of floats: ncnn's writer once wrote such, the binary form has nothing else."""

from __future__ import annotations

import math
import struct

_SMALLEST_LIKELY = 1e-20  # as a float, an int that a model may well have is smaller, infinite or no number


def as_float(word: int) -> float:
    """The float32 that has the bits of an int32."""
    (number,) = struct.unpack("<f", struct.pack("<i", word))
    return float(number)


def looks_like_float(word: int) -> bool:
    """Whether a word of unknown kind is more likely a float than an int."""
    number = as_float(word)
    return math.isfinite(number) and abs(number) > _SMALLEST_LIKELY
