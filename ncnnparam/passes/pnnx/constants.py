"""Constants of integers: pnnx writes their bits, and ncnn reads them as floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncnnparam.passes.pnnx.base import Repair, readers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_INTEGERS = ("i8", "u8", "i16", "i32", "i64")
_READS_INTEGERS = ("Embed",)


class FloatConstants(Repair):
    """Write the integers of a MemoryData as floats."""

    name = "pnnx-float-constants"

    def repair(self, model: Model, result: PassResult) -> None:
        """Changes weights: the ``.bin`` has to be at hand."""
        for layer in model.graph.find("MemoryData"):
            attribute = self.operator(layer, "pnnx.Attribute")
            tensor = attribute.arrays.get("data") if attribute is not None else None
            if tensor is None and not _wants_integers(layer) and _may_be_integers(layer):
                result.decline("may be integers, and its type is only in the .pnnx.param", layer.name)
            if tensor is None or tensor.dtype not in _INTEGERS or _wants_integers(layer):
                continue
            if not layer.weights:
                result.decline("integers that ncnn reads as floats: to mend them takes the .bin", layer.name)
                continue
            floats = _as_floats(layer)
            if floats is not None:
                layer.weights.put("data", floats)
                result.change("integers, written as floats", layer.name)


def _wants_integers(layer: Layer) -> bool:
    users = readers(layer.outputs[0]) if layer.outputs else []
    return not users or any(user.type in _READS_INTEGERS for user in users)


def _may_be_integers(layer: Layer) -> bool:
    """Whether all numbers are such as the bits of small integers give: smaller than floats are."""
    import numpy as np

    if "data" not in layer.weights:
        return False
    found = layer.weights["data"].numpy()
    return (
        found.dtype == np.float32
        and bool(np.any(found))
        and bool(np.all(np.abs(found) < np.finfo(np.float32).tiny))
    )


def _as_floats(layer: Layer) -> NDArray[Any] | None:
    """The numbers of a layer whose bits are integers; None if they are whole numbers as floats already."""
    import numpy as np

    found = layer.weights["data"].numpy()
    if found.dtype != np.float32 or bool(np.all(np.isfinite(found) & (np.rint(found) == found))):
        return None
    return np.ascontiguousarray(found).view(np.int32).astype(np.float32)
