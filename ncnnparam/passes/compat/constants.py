"""Types with a number for each channel, said with constants and BinaryOp.

BinaryOp takes a vector for numbers of the outermost axis if it is as long as that; so do these types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.compat.base import without_weights
from ncnnparam.passes.compat.build import CONSTANT
from ncnnparam.passes.compat.equivalent import built
from ncnnparam.passes.optimize.into_weights import floats

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.graph.substitute import Wire
    from ncnnparam.passes.compat.build import Build
    from ncnnparam.passes.optimize.shapes import Shapes

_NO_VARIANCE = 1e-4
"""What ncnn divides by where the variance is 0 (``BatchNorm::load_model``)."""
_FROM_INPUT = -233
"""``scale_data_size`` of a Scale whose numbers are its second input."""


@built("Scale", CONSTANT, "BinaryOp")
def scale(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """A factor for each channel, and an offset."""
    reason = without_weights(layer)
    if reason is not None:
        return reason
    from_input = layer["scale_data_size"] == _FROM_INPUT
    if from_input and (layer["bias_term"] or shapes.rank(layer.inputs[1]) != 1):
        return f"{layer.inputs[1].name}, its factors, may be no vector"
    factors = layer.inputs[1] if from_input else build.constant(floats(layer, "scale_data"))
    found = build.binary("mul", build.input, factors)
    if layer["bias_term"]:
        found = build.binary("add", found, build.constant(floats(layer, "bias_data")))
    return found


@built("Bias", CONSTANT, "BinaryOp")
def bias(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """An offset for each channel; a vector or matrix has one channel."""
    reason = without_weights(layer)
    if reason is not None:
        return reason
    numbers = floats(layer, "bias_data")
    if numbers.size > 1 and shapes.rank(layer.inputs[0]) not in (3, 4):
        return f"{layer.inputs[0].name} may have one channel"
    return build.binary("add", build.input, build.constant(numbers))


@built("BatchNorm", CONSTANT, "BinaryOp")
def batch_norm(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """By mean and variance, which comes to a factor and an offset."""
    import numpy as np

    reason = without_weights(layer)
    if reason is not None:
        return reason
    deviation = np.sqrt(floats(layer, "var_data") + float(str(layer["eps"])))
    deviation[deviation == 0] = _NO_VARIANCE
    factor = floats(layer, "slope_data") / deviation
    offset = floats(layer, "bias_data") - factor * floats(layer, "mean_data")
    scaled = build.binary("mul", build.input, build.constant(factor))
    return build.binary("add", scaled, build.constant(offset))


@built("PReLU", CONSTANT, "ReLU", "BinaryOp")
def prelu(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """A slope for each channel."""
    reason = without_weights(layer)
    if reason is not None:
        return reason
    above = build.add("ReLU", build.input)
    below = build.binary("min", build.input, 0.0)
    sloped = build.binary("mul", below, build.constant(floats(layer, "slope_data")))
    return build.binary("add", above, sloped)


@built("Log", "UnaryOp", "BinaryOp")
def log_of_base(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """A logarithm to another base than e."""
    from math import log

    base, factor, shift = (float(str(layer[name])) for name in ("base", "scale", "shift"))
    if base <= 0 or base == 1:
        return f"there is no logarithm to the base {base:g}"
    shifted = build.binary("add", build.binary("mul", build.input, factor), shift)
    return build.binary("mul", build.unary("log", shifted), float(f"{1 / log(base):.8g}"))


EQUIVALENTS = (scale, bias, batch_norm, prelu, log_of_base)
