"""Layers in whose place another type does the same, and does it better."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isfinite

from ncnnparam.passes.optimize.groups import RewriteGroup
from ncnnparam.passes.optimize.rewrites import ShapedRewrite, is_int8, weights_missing
from ncnnparam.patterns import Match, Rewrite

_MEAN = "operation=mean reduce_all=0 coeff=1 keepdims=0"


class _MeanOfPicture(ShapedRewrite):
    """The mean over width and height of each channel."""

    message = "the mean of each channel"

    def check(self, match: Match) -> str | None:
        """Declines what is no picture: its axes are others."""
        blob = match.blobs["x"]
        rank = self.shapes.rank(blob)
        if rank == 3:
            return None
        return f"{blob.name} has {rank if rank is not None else 'an unknown number of'} axes, not 3"


class _MeanOfMean(_MeanOfPicture):
    name = "mean-of-mean"
    pattern = f"""
        Reduction first 1 1 x y  {_MEAN} axes=1|2|-1|-2
        Reduction last  1 1 y z  {_MEAN} axes=1|2|-1
    """
    replacement = "Pooling last 1 1 x z  pooling_type=1 global_pooling=1"

    def check(self, match: Match) -> str | None:
        """Declines an axis that the first Reduction has left no place for: ncnn does nothing then."""
        last = match["last"]
        if last["axes"] == (2,):
            return f"{last.name} is over axis 2, and {match['first'].name} leaves the axes 0 and 1"
        return super().check(match)


class _MeanOfBothAxes(_MeanOfPicture):
    name = "mean-of-both-axes"
    # arrays as the language of models writes them: how many axes, and which, in any order
    pattern = f"""
        Reduction last 1 1 x z  {_MEAN} -23303=2,1,2|2,2,1|2,-2,-1|2,-1,-2|2,1,-1|2,-1,1|2,-2,2|2,2,-2
    """
    replacement = "Pooling last 1 1 x z  pooling_type=1 global_pooling=1"


class ReplaceReductionWithGlobalPooling(RewriteGroup):
    """Makes a global Pooling of the mean over width and height."""

    name = "replace-reduction-with-global-pooling"

    @cached_property
    def rewrites(self) -> Sequence[Rewrite]:
        """For one Reduction or two."""
        return _MeanOfMean(), _MeanOfBothAxes()


class ReplacePReLUWithReLU(Rewrite):
    """Makes a ReLU of a PReLU with one slope for all channels."""

    name = "replace-prelu-with-relu"
    pattern = "PReLU prelu 1 1 x y  num_slope=1"
    message = "one slope for all channels"

    def check(self, match: Match) -> str | None:
        """Declines slopes that are not there, or that a param cannot say."""
        layer = match["prelu"]
        reason = weights_missing([layer])
        if reason is None and not isfinite(self._slope(match)):
            reason = f"the slope of {layer.name} is infinite or no number"
        return reason

    def rewrite(self, match: Match) -> None:
        """Writes the slope as a param."""
        match.graph.replace(match["prelu"], "ReLU", slope=self._slope(match))

    @staticmethod
    def _slope(match: Match) -> float:
        return float(match["prelu"].weights["slope_data"].numpy("f4")[0])


class ReplaceConvolutionWithInnerProduct(ShapedRewrite):
    """Makes an InnerProduct of a 1x1 Convolution of a vector."""

    name = "replace-convolution-with-innerproduct"
    pattern = """
        Convolution layer 1 1 x y  dynamic_weight=0 kernel_w=1 kernel_h=1 \
                                   bias_term=?bias weight_data_size=?size
    """
    # the two types have num_output, activation_type and activation_params under the same ids
    replacement = """
        InnerProduct layer 1 1 x y  **layer 1=?bias 2=?size 3= 4= 5= 6= 8= 11= 12= 13= 14= 15= 16= 18= 19=
    """
    message = "its input has one axis"

    def check(self, match: Match) -> str | None:
        """Declines pictures, vectors of another length, and weights that cannot be taken over."""
        layer, blob = match["layer"], match.blobs["x"]
        found = self.shapes[blob]
        if not isinstance(found, tuple) or len(found) != 1:
            return f"{blob.name} may have more than one axis"
        size, count = layer["weight_data_size"], layer["num_output"]
        if not isinstance(size, int) or not isinstance(count, int):
            return f"{layer.name} has sizes that are no whole numbers"
        if isinstance(found[0], int) and found[0] * count != size:
            return f"{blob.name} has {found[0]} numbers, and the weights are for {size // max(count, 1)}"
        if is_int8(layer):
            return f"{layer.name} computes in int8"
        return None

    def rewrite(self, match: Match) -> None:
        """Gives the weights the shape of a matrix; the numbers stay."""
        layer = match["layer"]
        if layer.weights:
            old = layer.weights["weight_data"]
            layer.weights.put("weight_data", old.numpy("f4").reshape(-1), old.storage)


PASSES = (ReplaceReductionWithGlobalPooling, ReplacePReLUWithReLU, ReplaceConvolutionWithInnerProduct)
