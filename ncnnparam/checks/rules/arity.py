"""Which layers take exactly one blob and make exactly one.

The registry says so of a type; a few types change their mind in ``load_param``, and here is when
(``one_blob_only`` in ncnn 1.0.20261020, ``src/layer``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.ops import LayerType

# in an expression such as "0w,*(1h,2)" a word of a digit and one of these letters is a size of that input
_BLOB_SIZE = re.compile(r"(?<![^(),])([0-9])[whdcn](?![^(),])")


def takes_one_blob(layer: Layer, known: LayerType) -> bool:
    """Whether a layer has to have one input and one output, for ncnn to load it."""
    if known.name == "Input":
        return False
    if known.name in _BY_PARAMS:
        return _BY_PARAMS[known.name](Read(layer, known))
    if known.param("dynamic_weight") is not None and Read(layer, known).integer("dynamic_weight"):
        return False
    return known.one_blob_only


class Read:
    """The params of a layer as ncnn's ``ParamDict::get`` gives them; one of another kind is the default."""

    def __init__(self, layer: Layer, known: LayerType) -> None:
        self.params = layer.params
        self.known = known

    def integer(self, name: str) -> int:
        """A param as an int."""
        value = self._stated(name)
        default = self.known.value(name, {})
        return value if isinstance(value, int) else default if isinstance(default, int) else 0

    def array(self, name: str) -> tuple[int | float, ...]:
        """A param as an array."""
        value = self._stated(name)
        return value if isinstance(value, tuple) else ()

    def string(self, name: str) -> str:
        """A param as a string."""
        value = self._stated(name)
        return value if isinstance(value, str) else ""

    def refers(self, name: str) -> bool:
        """Whether an expression uses the size of a blob beyond the first input."""
        text = self.string(name)
        if not _balanced(text):
            return False
        return any(int(match.group(1)) > 0 for match in _BLOB_SIZE.finditer(text))

    def _stated(self, name: str) -> object:
        spec = self.known.param(name)
        assert spec is not None
        return self.params.get(spec.id)


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _binary_op(read: Read) -> bool:
    return read.integer("with_scalar") != 0


def _crop(read: Read) -> bool:
    names = ("outw", "outh", "outd", "outc", "woffset2", "hoffset2", "doffset2", "coffset2")
    stated = any(read.integer(name) for name in names)
    slices = bool(read.array("starts") and read.array("ends"))
    expressions = bool(read.string("starts_expr") and read.string("ends_expr"))
    if not (stated or slices or expressions):
        return False  # the second input says the size
    return not any(read.refers(name) for name in ("starts_expr", "ends_expr", "axes_expr"))


def _gemm(read: Read) -> bool:
    constant = tuple(read.integer(name) for name in ("constantA", "constantB", "constantC"))
    return constant in ((0, 1, 1), (1, 0, 1), (1, 1, 0))


def _interp(read: Read) -> bool:
    return read.integer("dynamic_target_size") != 1 and not read.refers("size_expr")


def _reshape(read: Read) -> bool:
    return not read.refers("shape_expr")


def _scale(read: Read) -> bool:
    return read.integer("scale_data_size") != -233


_BY_PARAMS: dict[str, Callable[[Read], bool]] = {
    "BinaryOp": _binary_op,
    "Crop": _crop,
    "Gemm": _gemm,
    "Interp": _interp,
    "Reshape": _reshape,
    "Scale": _scale,
}
