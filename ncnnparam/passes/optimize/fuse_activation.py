"""Activations that the layer above applies itself."""

from __future__ import annotations

from ncnnparam.passes.optimize.rewrites import LINEAR, has_activation, is_int8, number
from ncnnparam.patterns import Match, Rewrite

_KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "ReLU": (2, ("slope",)),
    "Clip": (3, ("min", "max")),
    "Sigmoid": (4, ()),
    "Mish": (5, ()),
    "HardSwish": (6, ("alpha", "beta")),
}
"""``activation_type`` of each type, and which of its params become ``activation_params``
(``activation_ss`` in ncnn's ``fused_activation.h``)."""
_PLAIN_RELU = 1
_REQUANTIZED = 100
"""Above this ``int8_scale_term`` a layer gives int8 numbers."""


class FuseActivation(Rewrite):
    """Lets a convolution or InnerProduct apply the activation that follows it."""

    name = "fuse-activation"
    pattern = f"""
        {LINEAR}|DeformableConv2D linear     * 1 xs y
        {"|".join(_KINDS)}        activation 1 1 y  z
    """
    replacement = """
        * linear * 1 xs z  **linear
    """
    message = "{linear} applies {activation} itself"

    def check(self, match: Match) -> str | None:
        """Declines a layer that applies an activation already, or that gives int8 numbers."""
        linear = match["linear"]
        if is_int8(linear) and number(linear, "int8_scale_term") > _REQUANTIZED:
            return f"{linear.name} gives int8 numbers"
        return has_activation(linear)

    def rewrite(self, match: Match) -> None:
        """States the activation."""
        linear, activation = match["linear"], match["activation"]
        kind, names = _KINDS[activation.type]
        values = tuple(float(number(activation, name)) for name in names)
        if activation.type == "ReLU" and values == (0.0,):
            kind, values = _PLAIN_RELU, ()
        linear["activation_type"] = kind
        if values:
            linear["activation_params"] = values


PASSES = (FuseActivation,)
