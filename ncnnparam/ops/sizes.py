"""Sizes of the blobs of a layer, under the names that formulas use.

``in_w``, ``in_h``, ``in_d`` and ``in_c`` belong to the first input, ``in1_w`` and so on to the second,
``out_w`` to the first output; ``in_dims`` is the number of sizes and ``in_size`` their product. ``inputs``
is the number of inputs. A blob of 3 dimensions has no depth, one of 2 no channels: such a size is 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]
"""Sizes as numpy orders them, the width last: ``(w,)``, ``(h, w)``, ``(c, h, w)`` or ``(c, d, h, w)``."""

INPUT_COUNT = "inputs"
_SIZE = re.compile(r"(in|out)([1-9]?)_(w|h|d|c|dims|size)")
_AXES = {1: ("w",), 2: ("h", "w"), 3: ("c", "h", "w"), 4: ("c", "d", "h", "w")}


class UnknownSizeError(LookupError):
    """A formula asks for a size of a blob that nobody has told."""


def is_size(name: str) -> bool:
    """Whether formulas know this name as a size."""
    return name == INPUT_COUNT or _SIZE.fullmatch(name) is not None


def size(name: str, inputs: Sequence[Shape | None], outputs: Sequence[Shape | None]) -> int:
    """The size of a name.

    Args:
        name: One that ``is_size`` knows.
        inputs: The shape of each input; None where it is not known.
        outputs: The shape of each output; None where it is not known.

    Raises:
        UnknownSizeError: The layer has no such blob, or its shape is not known.
    """
    if name == INPUT_COUNT:
        return len(inputs)
    match = _SIZE.fullmatch(name)
    assert match is not None, name
    side, number, what = match.groups()
    shapes, index = inputs if side == "in" else outputs, int(number or 0)
    shape = shapes[index] if index < len(shapes) else None
    if shape is None:
        raise UnknownSizeError(name)
    if what == "dims":
        return len(shape)
    if what == "size":
        return prod(shape)
    return dict(zip(_AXES[len(shape)], shape, strict=True)).get(what, 1)
