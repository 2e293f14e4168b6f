"""Which layers take exactly one blob and make exactly one.

The registry says so of most types. Of four it cannot, for them what stands in an expression counts, or which
of several inputs are there; here is when they do (``one_blob_only`` as their ``load_param`` sets it in ncnn
1.0.20261020, ``src/layer``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.ops.layer_type import ONE

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.ops import LayerType
    from ncnnparam.syntax import Value

    Read: TypeAlias = Callable[[str], Value]

# in an expression such as "0w,*(1h,2)" a word of a digit and one of these letters is a size of that input
_BLOB_SIZE = re.compile(r"(?<![^(),])([0-9])[whdcn](?![^(),])")


def takes_one_blob(layer: Layer, known: LayerType) -> bool:
    """Whether a layer has to have one input and one output, for ncnn to load it."""
    if known.name in _BY_PARAMS:
        return _BY_PARAMS[known.name](partial(known.read, params=layer.params))
    return known.arity(layer.params) == (ONE, ONE)


def _crop(read: Read) -> bool:
    names = ("outw", "outh", "outd", "outc", "woffset2", "hoffset2", "doffset2", "coffset2")
    stated = any(map(read, names))
    slices = bool(read("starts") and read("ends"))
    expressions = bool(read("starts_expr") and read("ends_expr"))
    if not (stated or slices or expressions):
        return False  # the second input says the size
    return not any(_refers(read(name)) for name in ("starts_expr", "ends_expr", "axes_expr"))


def _gemm(read: Read) -> bool:
    constant = tuple(map(read, ("constantA", "constantB", "constantC")))
    return constant in ((0, 1, 1), (1, 0, 1), (1, 1, 0))


def _interp(read: Read) -> bool:
    return read("dynamic_target_size") != 1 and not _refers(read("size_expr"))


def _reshape(read: Read) -> bool:
    return not _refers(read("shape_expr"))


_BY_PARAMS: dict[str, Callable[[Read], bool]] = {
    "Crop": _crop,
    "Gemm": _gemm,
    "Interp": _interp,
    "Reshape": _reshape,
}


def _refers(expression: Value) -> bool:
    """Whether an expression uses the size of a blob beyond the first input."""
    text = str(expression)
    return _is_balanced(text) and any(int(match.group(1)) > 0 for match in _BLOB_SIZE.finditer(text))


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
