"""``Tensor.to``: ncnn computes in floats, so a change of type is nothing, or cuts off decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, layers_of, maker, must_stay

if TYPE_CHECKING:
    from ncnnparam.graph import Blob
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult
    from ncnnparam.passes.pnnx.text import Operator

CASTS = ("Tensor.to", "Tensor.type_as")
_FLOATS = ("torch.float", "torch.half", "torch.bfloat16", "torch.double", "torch.float32", "torch.float16")
_TRUNC = 19
"""``trunc`` among the functions of UnaryOp."""
_WHOLE = (2, 3, 18, 19)
"""Functions of UnaryOp that give whole numbers: floor, ceil, round, trunc."""


class DropCasts(Repair):
    """Remove changes of a tensor's type (``Tensor.to``)."""

    name = "pnnx-drop-casts"

    def repair(self, model: Model, result: PassResult) -> None:
        """Removes each cast; one to integers becomes ``trunc`` unless the numbers are whole already."""
        graph = model.graph
        for layer in layers_of(graph, *CASTS):
            operator = self.operator(layer)
            if len(layer.outputs) != 1 or (operator is None and not _is_whole(layer.inputs[0])):
                result.decline("its type is only in the .pnnx.param, which has no such operator", layer.name)
            elif not _is_whole(layer.inputs[0]) and _cuts(operator) and len(layer.inputs) == 1:
                graph.replace(layer, "UnaryOp", op_type=_TRUNC)
                result.change("a cast to integers: UnaryOp trunc", layer.name)
            elif (reason := must_stay(layer)) is not None:
                result.decline(reason, layer.name)
            else:
                graph.remove(layer, keep=0)
                result.change("a cast that changes no number: removed", layer.name)


def _cuts(operator: Operator | None) -> bool:
    return operator is not None and operator.params.get("dtype", _FLOATS[0]) not in _FLOATS


def _is_whole(blob: Blob) -> bool:
    layer = maker(blob)
    return layer is not None and layer.type == "UnaryOp" and layer["op_type"] in _WHOLE
