"""Convolutions in groups of channels, said with one of all channels."""

from __future__ import annotations

from typing import cast

from ncnnparam.passes.compat.base import without_weights
from ncnnparam.patterns import Match, Rewrite

MOST_WEIGHTS = 1 << 22
"""Numbers that the weights of the Convolution may have: 16 MB of float32."""


class WithoutGroups(Rewrite):
    """Makes a Convolution of all channels, with zeros for those of other groups."""

    name = "convolution-without-groups"
    of = "ConvolutionDepthWise"
    needs = frozenset(("Convolution",))
    pattern = """
        ConvolutionDepthWise conv 1 1 x y  group=?group dynamic_weight=0 int8_scale_term=0
    """
    replacement = """
        Convolution          conv 1 1 x y  **conv 7=
    """
    message = "{conv} is a Convolution of all channels, with zeros for those of other groups"

    def check(self, match: Match) -> str | None:
        """Declines weights that are not there, or that would be too many."""
        layer, group = match["conv"], cast("int", match.params["group"])
        reason = without_weights(layer)
        if reason is not None:
            return reason
        count = layer.weights["weight_data"].count * group
        if count > MOST_WEIGHTS:
            return f"without groups it would have {count} weights, more than {MOST_WEIGHTS}"
        return None

    def rewrite(self, match: Match) -> None:
        """Spreads the weights of each group over all channels."""
        import numpy as np

        layer, group = match["conv"], cast("int", match.params["group"])
        taps = cast("int", layer["kernel_w"]) * cast("int", layer["kernel_h"])
        old = layer.weights["weight_data"].numpy(np.float32)
        outputs = cast("int", layer["num_output"]) // group
        parts = old.reshape(group, outputs, -1, taps)
        dense = np.zeros((group, outputs, group, parts.shape[2], taps), np.float32)
        for index, part in enumerate(parts):
            dense[index, :, index] = part
        layer["weight_data_size"] = dense.size
        layer.weights["weight_data"] = dense.ravel()


EQUIVALENTS = (WithoutGroups,)
