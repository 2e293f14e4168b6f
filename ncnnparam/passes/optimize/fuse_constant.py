"""Products and sums with a constant behind a convolution or matrix product, put into its weights."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from ncnnparam.passes.optimize.into_weights import FuseIntoWeights, floats, usual_rank
from ncnnparam.passes.optimize.rewrites import LINEAR, drop_unread, number
from ncnnparam.patterns import Match

if TYPE_CHECKING:
    from ncnnparam.passes.optimize.into_weights import Floats


class _FuseConstant(FuseIntoWeights):
    """What products and sums have in common; the constant stays as long as others read it."""

    replacement = """
        * data   0 1 m    **data
        * linear 1 1 x z  **linear
    """
    follower = "op"

    @abstractmethod
    def meaning(self, constant: Floats) -> tuple[Floats, Floats]:
        """Factor and offset, of the constant's number for each output."""

    def affine(self, match: Match) -> tuple[Floats, Floats] | str:
        """What the constant comes to."""
        constant = self._by_output(match)
        return constant if isinstance(constant, str) else self.meaning(constant)

    def rewrite(self, match: Match) -> None:
        """Changes the weights, and takes out the constant if nobody reads it now."""
        super().rewrite(match)
        drop_unread(match["data"])

    def _by_output(self, match: Match) -> Floats | str:
        """The constant's number for each output, as ncnn broadcasts them, or a reason.

        ncnn takes a vector for numbers of the first axis if it is as long as that, else of the last one.
        """
        import numpy as np

        linear, data = match["linear"], match["data"]
        count = int(number(linear, "num_output"))
        if "data" not in data.weights:
            return f"{data.name} has no numbers"
        numbers = floats(data, "data")
        shape, output = numbers.shape, self.shapes[match.blobs["y"]]
        if len(shape) > (len(output) if isinstance(output, tuple) else usual_rank(linear)):
            return f"{data.name} has more axes than the output of {linear.name}"
        if numbers.size == 1:
            return np.full(count, numbers.reshape(-1)[0])
        if not self.is_matrix(match):
            fits = shape == (count, *(1 for _ in shape[1:]))
        else:
            rows = output[0] if isinstance(output, tuple) else None
            if shape == (count,) and (rows == count or not isinstance(rows, int)):
                return f"{linear.name} may give a square matrix, and {data.name} would go to its rows then"
            fits = shape in ((count,), (1, count))
        apart = f"{data.name} does not have one number for each output of {linear.name}"
        return numbers.reshape(-1) if fits else apart


class FuseMul(_FuseConstant):
    """Puts a product with a constant into the weights of the convolution or InnerProduct above it."""

    name = "fuse-mul"
    pattern = f"""
        {LINEAR}   linear 1 1 x y
        MemoryData data   0 1 >m
        BinaryOp   op     2 1 {{y m}} z  op_type=mul with_scalar=0
    """
    message = "{op} went into the weights of {linear}"

    def meaning(self, constant: Floats) -> tuple[Floats, Floats]:
        """Factors."""
        return constant, 0 * constant


class FuseAdd(_FuseConstant):
    """Puts a sum with a constant into the bias of the convolution or InnerProduct above it."""

    name = "fuse-add"
    pattern = f"""
        {LINEAR}   linear 1 1 x y
        MemoryData data   0 1 >m
        BinaryOp   op     2 1 {{y m}} z  op_type=add with_scalar=0
    """
    message = "{op} went into the bias of {linear}"

    def meaning(self, constant: Floats) -> tuple[Floats, Floats]:
        """Offsets."""
        import numpy as np

        return np.ones_like(constant), constant


class FuseDropout(FuseIntoWeights):
    """Puts the factor of a Dropout into the weights of the convolution or InnerProduct above it."""

    name = "fuse-dropout"
    pattern = f"""
        {LINEAR} linear  1 1 x y
        Dropout  dropout 1 1 y z
    """
    message = "{dropout} went into the weights of {linear}"
    follower = "dropout"

    def check(self, match: Match) -> str | None:
        """A Dropout that changes nothing goes in any case."""
        return None if number(match["dropout"], "scale") == 1 else super().check(match)

    def rewrite(self, match: Match) -> None:
        """Scales all weights, if there is something to scale."""
        if number(match["dropout"], "scale") != 1:
            super().rewrite(match)

    def affine(self, match: Match) -> tuple[Floats, Floats] | str:
        """One factor for all outputs."""
        import numpy as np

        factor = np.full(int(number(match["linear"], "num_output")), float(number(match["dropout"], "scale")))
        return factor, 0 * factor


PASSES = (FuseMul, FuseAdd, FuseDropout)
