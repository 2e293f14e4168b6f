"""BatchNorm and Scale, which come to a factor and an offset for each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.optimize.into_weights import FuseIntoWeights, floats
from ncnnparam.passes.optimize.rewrites import LINEAR, number, weights_missing
from ncnnparam.patterns import Match, Rewrite

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.passes.optimize.into_weights import Floats

_SMALLEST_DEVIATION = 0.0001
"""What BatchNorm divides by where the deviation is 0: ``BatchNorm::load_model``, ncnn's ``batchnorm.cpp``."""


class FuseBatchNormScale(Rewrite):
    """Puts a Scale into the BatchNorm above it."""

    name = "fuse-batchnorm-scale"
    pattern = """
        BatchNorm norm  1 1 x y
        Scale     scale 1 1 y z
    """
    replacement = """
        BatchNorm norm  1 1 x z  **norm
    """
    message = "{scale} went into {norm}"

    def check(self, match: Match) -> str | None:
        """Declines weights that are not there or do not fit."""
        norm, scale = match["norm"], match["scale"]
        channels, size = number(norm, "channels"), number(scale, "scale_data_size")
        if channels != size:
            return f"{norm.name} has {channels} channels, {scale.name} has {size}"
        return weights_missing(match.layers)

    def rewrite(self, match: Match) -> None:
        """Scales slope and bias."""
        norm, (factor, offset) = match["norm"], _scaled(match["scale"])
        norm.weights["slope_data"] = floats(norm, "slope_data") * factor
        norm.weights["bias_data"] = floats(norm, "bias_data") * factor + offset


class FuseBatchNorm(FuseIntoWeights):
    """Puts a BatchNorm into the weights of the convolution or InnerProduct above it."""

    name = "fuse-batchnorm"
    pattern = f"""
        {LINEAR}  linear 1 1 x y
        BatchNorm norm   1 1 y z
    """
    message = "{norm} went into the weights of {linear}"
    follower = "norm"

    def affine(self, match: Match) -> tuple[Floats, Floats] | str:
        """What the normalisation comes to."""
        linear, norm = match["linear"], match["norm"]
        channels, count = number(norm, "channels"), number(linear, "num_output")
        if channels != count:
            return f"{norm.name} has {channels} channels, {linear.name} gives {count}"
        if self.is_matrix(match):
            return f"{linear.name} gives a matrix, and {norm.name} normalises its rows"
        return _normalised(norm)


class FuseScale(FuseIntoWeights):
    """Puts a Scale into the weights of the convolution or InnerProduct above it."""

    name = "fuse-scale"
    pattern = f"""
        {LINEAR} linear 1 1 x y
        Scale    scale  1 1 y z
    """
    message = "{scale} went into the weights of {linear}"
    follower = "scale"

    def affine(self, match: Match) -> tuple[Floats, Floats] | str:
        """The numbers of the Scale."""
        linear, scale = match["linear"], match["scale"]
        size, count = number(scale, "scale_data_size"), number(linear, "num_output")
        if size != count:
            return f"{scale.name} has {size} channels, {linear.name} gives {count}"
        if self.is_matrix(match):
            return f"{linear.name} gives a matrix, and {scale.name} scales its rows"
        return _scaled(scale)


def _scaled(scale: Layer) -> tuple[Floats, Floats]:
    """Factor and offset of each channel."""
    factor = floats(scale, "scale_data")
    return factor, floats(scale, "bias_data") if number(scale, "bias_term") else 0 * factor


def _normalised(norm: Layer) -> tuple[Floats, Floats]:
    """Factor and offset of each channel; not numbers where a variance is negative."""
    import numpy as np

    slope, mean, variance, bias = (
        floats(norm, name) for name in ("slope_data", "mean_data", "var_data", "bias_data")
    )
    with np.errstate(invalid="ignore"):
        deviation = np.sqrt(variance + number(norm, "eps"))
    deviation[deviation == 0] = _SMALLEST_DEVIATION
    factor = slope / deviation
    return factor, bias - factor * mean


PASSES = (FuseBatchNormScale, FuseBatchNorm, FuseScale)
