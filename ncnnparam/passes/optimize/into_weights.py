"""What follows a convolution or matrix product and comes to ``factor y + offset`` for each output.

With ``y = w x + b`` and ``z = factor y + offset``, it is ``z = (factor w) x + (factor b + offset)``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ncnnparam.passes.optimize.rewrites import (
    ShapedRewrite,
    has_activation,
    is_int8,
    number,
    weights_missing,
)
from ncnnparam.patterns import Match

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.graph import Layer

    Floats = NDArray[np.float64]

_MOST_LOST = 2.0**-10
"""How far weights may be off by their storage, relative to the largest of their output. float16 rounds by
half of that at most, unless the numbers are too small or too large for it."""


class FuseIntoWeights(ShapedRewrite):
    """A rewrite that puts what follows a convolution or matrix product into its weights.

    The pattern calls the layer whose weights change ``linear``, and its output ``y``.

    Attributes:
        follower: The variable of the layer that goes.
    """

    replacement = """
        * linear 1 1 x z  **linear
    """
    follower: ClassVar[str]

    @abstractmethod
    def affine(self, match: Match) -> tuple[Floats, Floats] | str:
        """Factor and offset of each output, or a reason to leave the match alone."""

    def is_matrix(self, match: Match) -> bool:
        """Whether ``linear`` takes a matrix row by row, or may do so: its outputs are the last axis then."""
        rank, usual = self.shapes.rank(match.blobs["y"]), usual_rank(match["linear"])
        if rank is None:  # a matrix of unknown width may be a matrix to an InnerProduct, or one long vector
            return usual == 1 and self.shapes.rank(match.blobs["x"]) == 2
        return rank > usual

    def check(self, match: Match) -> str | None:
        """Declines what is no factor and offset, and weights that cannot be changed."""
        import numpy as np

        linear, follower = match["linear"], match[self.follower]
        if is_int8(linear):
            return f"{linear.name} computes in int8, so its weights stay as they are"
        reason = has_activation(linear) or weights_missing(match.layers)
        if reason is not None:
            return reason
        if "weight_data" not in linear.weights:
            return f"{linear.name} has no weights of its own"
        found = self.affine(match)
        if isinstance(found, str):
            return found
        if not all(np.isfinite(numbers).all() for numbers in found):
            return f"{follower.name} has numbers that are infinite or none"
        return _loss(linear, found[0])

    def rewrite(self, match: Match) -> None:
        """Changes weights and bias; a bias is made where there is something to add."""
        linear, found = match["linear"], self.affine(match)
        assert not isinstance(found, str), "it was checked"
        factor, offset = found
        bias = floats(linear, "bias_data") if number(linear, "bias_term") else 0.0
        if offset.any():
            linear["bias_term"] = 1
        if (factor != 1).any():
            linear.weights["weight_data"] = _by_output(linear, factor)
        if number(linear, "bias_term"):
            linear.weights["bias_data"] = bias * factor + offset


def floats(layer: Layer, name: str) -> Floats:
    """The values of an array."""
    import numpy as np

    return layer.weights[name].numpy(np.float64)


def usual_rank(linear: Layer) -> int:
    """The axes of an output where nothing else is known: the outputs, and those of the kernel."""
    return len(linear.weights["weight_data"].shape) - 1


def _by_output(linear: Layer, factor: Floats) -> Floats:
    """The weights, those of each output times its factor."""
    weights = floats(linear, "weight_data")
    return (weights.reshape(len(factor), -1) * factor[:, None]).reshape(weights.shape)


def _loss(linear: Layer, factor: Floats) -> str | None:
    """A reason if weights would be too large or too small for the way in which they are stored."""
    import numpy as np

    from ncnnparam.weights import Storage

    if (factor == 1).all():
        return None
    storage = linear.weights["weight_data"].storage
    exact = _by_output(linear, factor).reshape(len(factor), -1)
    with np.errstate(over="ignore", invalid="ignore"):
        stored = exact.astype(np.float16 if storage is Storage.FLOAT16 else np.float32)
        lost = np.abs(stored - exact).max(axis=1) > _MOST_LOST * np.abs(exact).max(axis=1)
    if lost.any():
        return f"{storage} cannot hold the new weights of {linear.name}: they are too large or too small"
    return None
