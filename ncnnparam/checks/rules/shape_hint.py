"""What ncnn wants of a shape hint, from ``NetPrivate::load_shape_hints`` of 1.0.20261020.

A hint has ``dims w h c`` or ``dims w h d c`` for every output, all ints.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ncnnparam.syntax import Style

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

SHAPE_HINTS = 30
MOST_DIMS = 4
_MOST_VALUES = (2**64 - 1 - 15) // 4
_MOST_BYTES = 2**64 - 1


def fault_of_hint(layer: Layer) -> str | None:
    """What is wrong with the shape hint of a layer, the rest of a sentence, or None."""
    param = layer.params.find(SHAPE_HINTS)
    if param is None or param.value == ():
        return None
    if not isinstance(param.value, tuple):
        return "is no array"
    kind = param.value[0 if param.style is Style.NEW_ARRAY else -1]
    if isinstance(kind, float):
        return "is an array of floats, and ncnn wants ints"
    outputs = len(layer.outputs)
    if outputs == 0:
        return None
    if len(param.value) not in (4 * outputs, 5 * outputs):
        need = "one output needs" if outputs == 1 else f"{outputs} outputs need"
        return f"has {len(param.value)} numbers, and {need} {4 * outputs} or {5 * outputs}"
    values = [_bits(value) for value in param.value]
    step = len(values) // outputs
    shapes = (values[start : start + step] for start in range(0, len(values), step))
    return next((fault for fault in map(_fault_of_shape, shapes) if fault), None)


def _fault_of_shape(shape: list[int]) -> str | None:
    dims = shape[0]
    if not 0 <= dims <= MOST_DIMS:
        return f"says {dims} dimensions, and a blob has at most {MOST_DIMS}"
    if dims == MOST_DIMS and len(shape) == 4:
        return "says 4 dimensions and gives three sizes"
    if dims == 0:
        return None
    w = shape[1]
    h = shape[2] if dims >= 2 else 1
    d = shape[3] if dims == MOST_DIMS else 1
    c = shape[-1] if dims >= 3 else 1
    if min(w, h, d, c) < 0:
        return f"has the size {min(w, h, d, c)}"
    return None if _fits(w, h, d, c) else f"says {w} x {h} x {d} x {c}, more than a machine can address"


def _fits(w: int, h: int, d: int, c: int) -> bool:
    """Whether the bytes of a float32 blob, each channel rounded up to 16, fit into 64 bits."""
    plane = w * h * d
    if w > _MOST_VALUES or w * h > _MOST_VALUES or plane > _MOST_VALUES:
        return False
    return -(-plane // 4) * 4 * max(c, 1) <= _MOST_BYTES // 4


def _bits(value: int | float) -> int:
    """An element as ncnn sees it in an array that it takes for ints."""
    return int(struct.unpack("<i", struct.pack("<f", value))[0]) if isinstance(value, float) else value
