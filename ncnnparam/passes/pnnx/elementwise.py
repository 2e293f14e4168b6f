"""Leftover ``torch.*`` and ``Tensor.*`` layers that ncnn has under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, must_stay
from ncnnparam.passes.pnnx.casts import CASTS
from ncnnparam.passes.pnnx.expressions import operations
from ncnnparam.passes.pnnx.reshapes import RESHAPES

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_PREFIXES = ("torch.", "Tensor.")
_OTHERS = frozenset((*CASTS, *RESHAPES, "torch.unbind", "torch.as_strided"))
"""Leftover layers that other repairs are for."""
_NOTHING = frozenset(("clone", "contiguous", "detach", "requires_grad_", "dropout"))
"""What does nothing in a network that only computes."""
_OTHER_NAMES = {
    "maximum": "max",
    "minimum": "min",
    "true_divide": "div",
    "subtract": "sub",
    "multiply": "mul",
}


class LowerElementwise(Repair):
    """Replace leftover torch functions of single numbers by UnaryOp and BinaryOp."""

    name = "pnnx-lower-elementwise"

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces those of one or two blobs, and removes what does nothing."""
        graph = model.graph
        for layer in list(graph):
            prefix = next((prefix for prefix in _PREFIXES if layer.type.startswith(prefix)), None)
            if prefix is None or layer.type in _OTHERS or len(layer.outputs) != 1 or not layer.inputs:
                continue
            called = layer.type.removeprefix(prefix)
            name = _OTHER_NAMES.get(called, called)
            type = {1: "UnaryOp", 2: "BinaryOp"}.get(len(layer.inputs), "")
            if name in _NOTHING and len(layer.inputs) == 1:
                reason = must_stay(layer)
                if reason is None:
                    graph.remove(layer)
                    result.change("does nothing: removed", layer.name)
                else:
                    result.decline(reason, layer.name)
            elif name in operations(type):
                graph.replace(layer, type, op_type=operations(type).index(name))
                result.change(f"{type} {name}", layer.name)
            else:
                inputs = f"{len(layer.inputs)} blob{'s' if len(layer.inputs) > 1 else ''}"
                result.decline(f"ncnn has no function '{called}' of {inputs}", layer.name)
