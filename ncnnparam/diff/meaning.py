"""What the params of a layer say to ncnn, with the spelling taken away.

``1e-05`` and ``1.000000e-05``, a stated default and none, an array in the old and in the new style, a quoted
and a bare string, an empty array and no array, and an int where the layer reads a float all mean the same.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ncnnparam import ops
from ncnnparam.graph import Layer
from ncnnparam.syntax import Value

Plain: TypeAlias = int | bytes | str | tuple[int | bytes, ...]
"""A value to compare: floats are the bytes of the float32, so that 1 and 1.0 differ and 0.1 equals 0.1f."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The params of a layer as ncnn takes them.

    Attributes:
        type: The layer type.
        stated: By id, what the line states; the last one counts.
        essence: By ascending id, what is left without defaults and spelling; equal for layers that are
            the same to ncnn.
    """

    type: str
    stated: Mapping[int, Value]
    essence: tuple[tuple[int, Plain], ...]

    def value(self, id: int) -> Value | None:
        """What ncnn works with for a param: stated, or a default, or None if no default is known."""
        if id in self.stated:
            return self.stated[id]
        layer_type = ops.get(self.type)
        if layer_type is None or layer_type.param(id) is None:
            return None
        return layer_type.value(id, self.stated)


def meaning_of(layer: Layer) -> Meaning:
    """What the params of a layer say."""
    layer_type = ops.get(layer.type)
    stated = {param.id: param.value for param in layer.params.raw}
    essence = []
    for id in sorted(stated):
        spec = layer_type.param(id) if layer_type else None
        is_float = spec is not None and spec.type == "float"
        value = plain(stated[id], is_float)
        if layer_type is None or spec is None:
            default: Plain = ()
        else:
            others = {key: other for key, other in stated.items() if key != id}
            default = plain(layer_type.value(id, others), is_float)
        if value != default:
            essence.append((id, value))
    return Meaning(layer.type, stated, tuple(essence))


def same(type: str, id: int, one: Value | None, other: Value | None) -> bool:
    """Whether two values of a param are the same to ncnn; an empty array is as good as None."""
    layer_type = ops.get(type)
    spec = layer_type.param(id) if layer_type else None
    is_float = spec is not None and spec.type == "float"
    return plain(() if one is None else one, is_float) == plain(() if other is None else other, is_float)


def plain(value: Value, is_float: bool = False) -> Plain:
    """A value in a form in which equal means the same to ncnn.

    Args:
        value: The value as parsed.
        is_float: The layer reads a float here, so that an int counts as one.
    """
    if isinstance(value, tuple):
        return tuple([_float32(item) if isinstance(item, float) else item for item in value])
    if isinstance(value, float) or (is_float and isinstance(value, int)):
        return _float32(value)
    return value


def _float32(value: float) -> bytes:
    try:
        return struct.pack("<f", value + 0.0)  # adding zero turns -0.0 into 0.0
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))
