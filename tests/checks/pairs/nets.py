"""A small net in float16 and what ncnn2int8 would make of it, written word by word."""

from __future__ import annotations

import struct

import numpy as np

FP16, INT8 = 0x01306B47, 0x000D4B38

FLOAT = """7767517
4 4
Input        in0   0 1 in0
Convolution  conv  1 1 in0 a 0=4 1=3 5=1 6=72
InnerProduct fc    1 1 a b 0=6 1=1 2=96
InnerProduct last  1 1 b out0 0=3 1=0 2=18
"""
QUANTISED = FLOAT.replace("6=72", "6=72 8=2").replace("2=96", "2=96 8=2")
_RANDOM = np.random.default_rng(5)


def _numbers(count: int) -> np.ndarray:
    return _RANDOM.normal(size=count).astype("<f4")


def _tag(tag: int) -> bytes:
    return struct.pack("<I", tag)


CONV, FC, LAST = _numbers(72), _numbers(96), _numbers(18)
CONV_BIAS, FC_BIAS = _numbers(4), _numbers(6)


def float_data(dtype: str = "<f2") -> bytes:
    """The weights of ``FLOAT`` as float16 (``<f2``) or float32 (``<f4``)."""
    tag = _tag(FP16 if dtype == "<f2" else 0)
    parts = [tag, CONV.astype(dtype), CONV_BIAS, tag, FC.astype(dtype), FC_BIAS, tag, LAST.astype(dtype)]
    return b"".join(part if isinstance(part, bytes) else part.tobytes() for part in parts)


def int8_data() -> bytes:
    """The weights of ``QUANTISED``: two layers in int8 with their scales, the last one in float32."""
    conv, fc = (np.clip(np.round(array * 40), -127, 127).astype("i1") for array in (CONV, FC))
    scales, one = np.full(4, 40, "<f4"), np.full(1, 20, "<f4")
    more = np.full(6, 40, "<f4")
    first = [conv.tobytes(), CONV_BIAS.tobytes(), scales.tobytes(), one.tobytes()]
    second = [fc.tobytes(), FC_BIAS.tobytes(), more.tobytes(), one.tobytes()]
    return b"".join([_tag(INT8), *first, _tag(INT8), *second, _tag(0), LAST.tobytes()])
