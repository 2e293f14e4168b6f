"""Constant vectors that are meant along the width, for runtimes that take them for numbers of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.rules.target_rule import FINE
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import TargetPass
from ncnnparam.passes.compat.build import CONSTANT
from ncnnparam.passes.optimize.shapes import Shapes

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.optimize.shapes import Shape


class LowerVectors(TargetPass):
    """Writes a constant along the width as 0=160 1=1 2=1 where the target takes 0=160 for channels."""

    name = "lower-vectors"

    def run(self, model: Model) -> PassResult:
        """Rewrites constants that are as long as the width of a picture, and not as its channels."""
        result = PassResult()
        if self.target.feature("vector-along-width") in FINE:
            return result
        shapes = Shapes(model.graph)
        for layer in model.graph.find(CONSTANT):
            size = layer["w"]
            if size == 1 or any(layer[name] for name in ("h", "d", "c")):
                continue
            others = [_other(use.layer, use.index) for use in layer.outputs[0].readers]
            if not any(blob is not None and _along_width(shapes[blob], size) for blob in others):
                continue
            if self.target.feature("cube-along-width") not in FINE:
                result.decline(f"{self.target} knows no constants along the width", layer.name)
            elif not all(blob is not None and _along_width(shapes[blob], size) for blob in others):
                result.decline("others read it as a vector", layer.name)
            else:
                _as_cube(layer)
                result.change(f"along the width: 0={size} 1=1 2=1", layer.name)
        return result


def _other(layer: Layer, index: int) -> Blob | None:
    """What a BinaryOp combines one of its inputs with."""
    return layer.inputs[1 - index] if layer.type == "BinaryOp" and len(layer.inputs) == 2 else None


def _along_width(shape: Shape, size: object) -> bool:
    """Whether a vector of a size can only be meant along the width of a picture."""
    return (
        isinstance(shape, tuple)
        and len(shape) == 3
        and shape[2] == size
        and isinstance(shape[0], int)
        and shape[0] != size
    )


def _as_cube(layer: Layer) -> None:
    weight = layer.weights.get("data")
    layer["h"] = layer["c"] = 1
    if weight is not None:
        layer.weights.put("data", weight.numpy("f4"), weight.storage)
