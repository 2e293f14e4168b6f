"""Activations that a layer applies itself, and that a runtime does not know, as layers of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ncnnparam.ops import registry
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import TargetPass, has
from ncnnparam.passes.optimize.rewrites import is_int8

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model

_LAYERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("ReLU", ()),
    "leakyrelu": ("ReLU", ("slope",)),
    "clip": ("Clip", ("min", "max")),
    "sigmoid": ("Sigmoid", ()),
    "mish": ("Mish", ()),
    "hardswish": ("HardSwish", ("alpha", "beta")),
}
"""The type of each activation, and which of its params ``activation_params`` holds
(``activation_ss`` in ncnn's ``fused_activation.h``)."""
_REQUANTIZED = 100
"""Above this ``int8_scale_term`` a layer gives int8 numbers."""
_KIND, _NUMBERS = "activation_type", "activation_params"


class LowerActivations(TargetPass):
    """Puts activations that the target's layers cannot apply into layers of their own."""

    name = "lower-activations"

    def run(self, model: Model) -> PassResult:
        """Takes out each activation that the target does not know of the layer's type."""
        result = PassResult()
        for layer in model.graph:
            layer_type = registry.get(layer.type)
            spec = layer_type.param(_KIND) if layer_type is not None else None
            if spec is None or not self.target.has_type(layer.type):
                continue
            kind = layer[_KIND]
            word = spec.word(kind)
            if word not in _LAYERS or has(self.target, f"{layer.type}.{spec.id}={kind}"):
                continue
            reason = _why_not(layer, word)
            if reason is not None:
                result.decline(reason, layer.name)
                continue
            type, names = _LAYERS[word]
            numbers = cast("tuple[float, ...]", layer[_NUMBERS])
            made = model.graph.insert_after(layer, type, f"{layer.name}_{word}")
            for name, number in zip(names, numbers, strict=False):
                made[name] = float(number)
            del layer[_KIND]
            if numbers:
                del layer[_NUMBERS]
            result.change(f"its {word} is a {type} behind it", layer.name)
        return result


def _why_not(layer: Layer, word: str) -> str | None:
    if is_int8(layer) and (
        layer.type == "Requantize" or cast("int", layer["int8_scale_term"]) > _REQUANTIZED
    ):
        return f"it gives int8 numbers, and {word} comes before that"
    if len(cast("tuple[float, ...]", layer[_NUMBERS])) < len(_LAYERS[word][1]):
        return f"its activation_params lack numbers for {word}"
    return None
