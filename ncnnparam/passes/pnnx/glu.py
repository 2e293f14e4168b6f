"""``GLU``'s axis behind a convolution over time, which halves the channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, layers_of, maker

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_CONVOLUTIONS = {"Convolution1D": "nn.Conv1d", "ConvolutionDepthWise1D": "nn.Conv1d"}
_RANK = 3
"""Axes of what nn.Conv1d gives: batch, channels, time."""


class GluAxis(Repair):
    """Let GLU behind a convolution count its axis without the batch axis."""

    name = "pnnx-glu-axis"

    def repair(self, model: Model, result: PassResult) -> None:
        """Corrects the axis; which one PyTorch had stands in the ``.pnnx.param``, in the same order."""
        layers = layers_of(model.graph, "GLU")
        operators = self.pnnx.find("F.glu") + self.pnnx.find("nn.GLU") if self.pnnx is not None else []
        for index, layer in enumerate(layers):
            source = maker(layer.inputs[0])
            if source is None or source.type not in _CONVOLUTIONS:
                continue
            if len(operators) != len(layers):
                if layer["axis"] != 0:
                    result.decline("its axis is only in the .pnnx.param, which has other GLUs", layer.name)
                continue
            axis = operators[index].int("dim")
            above = self.pnnx.producer(operators[index].inputs[0]) if self.pnnx is not None else None
            if axis is None or above is None or above.type != _CONVOLUTIONS[source.type]:
                result.decline("the .pnnx.param has another GLU there", layer.name)
                continue
            right = axis % _RANK - 1
            if right >= 0 and layer["axis"] not in (right, right - (_RANK - 1)):
                result.change(f"axis {layer['axis']} is {right} without the batch axis", layer.name)
                layer["axis"] = right
