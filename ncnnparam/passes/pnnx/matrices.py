"""Axes that pnnx gave to matrices: in PyTorch these have a batch axis more than in ncnn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.order import Axes, order_type, permuted_axes, without
from ncnnparam.passes.pnnx.base import Repair, layers_of, must_stay, readers
from ncnnparam.passes.pnnx.shapes import axis_param, ranks

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_CHANNELS_FIRST = frozenset(("Convolution1D", "ConvolutionDepthWise1D", "Deconvolution1D", "Pooling1D"))
_MATRIX_READERS = _CHANNELS_FIRST | {"InnerProduct", "LSTM", "GRU", "RNN"}
"""Types that take a matrix; of more axes they make something else, or take them apart."""
_RANK = 3
"""Axes in PyTorch of what is a matrix in ncnn."""
_NEW_AXES = frozenset(("ExpandDims",))
"""Types whose axes are those of their outcome."""
_LAST_OF_MATRICES = 1
"""The last order of Permute that there is for a matrix; ncnn gives an empty blob for others."""


class DropMatrixUnsqueezes(Repair):
    """Remove an ExpandDims that gives a batch axis back to a matrix."""

    name = "pnnx-drop-matrix-unsqueezes"
    optional = True

    def repair(self, model: Model, result: PassResult) -> None:
        """Removes those that are read by layers for matrices alone."""
        known = ranks(model.graph)
        for layer in layers_of(model.graph, "ExpandDims"):
            users = {user.type for user in readers(layer.outputs[0])}
            if not users or not users <= _MATRIX_READERS:
                continue
            rank, takes = known.get(layer.inputs[0].name), " and ".join(sorted(users))
            if rank == _RANK - 1:
                model.graph.remove(layer)
                result.change(f"removed: {takes} takes a matrix", layer.name)
            elif rank is None:
                result.decline(f"{takes} takes a matrix, and cannot tell whether this was one", layer.name)


class MatrixPermutes(Repair):
    """Give a Permute of a matrix the order of two axes."""

    name = "pnnx-matrix-permutes"

    def repair(self, model: Model, result: PassResult) -> None:
        """Takes the batch axis out of each order of three axes."""
        known = ranks(model.graph)
        for layer in layers_of(model.graph, "Permute"):
            order = layer["order_type"]
            if known.get(layer.inputs[0].name) != 2 or not isinstance(order, int):
                continue
            if order <= _LAST_OF_MATRICES:
                continue
            left = _without_batch(order, readers(layer.outputs[0]))
            if left is None:
                result.decline(f"cannot tell which of the axes of order {order} is the batch", layer.name)
            elif order_type(left):
                layer["order_type"] = order_type(left)
                result.change(f"order {order} of three axes is a transposition of a matrix", layer.name)
            elif (reason := must_stay(layer)) is not None:
                result.decline(reason, layer.name)
            else:
                model.graph.remove(layer)
                result.change(f"order {order} of three axes does nothing to a matrix: removed", layer.name)


class MatrixAxes(Repair):
    """Count an axis that a blob does not have without the batch axis."""

    name = "pnnx-matrix-axes"

    def repair(self, model: Model, result: PassResult) -> None:
        """Takes one off each axis that is beyond the last: the batch axis stood before it."""
        known = ranks(model.graph)
        for layer in model.graph:
            rank = known.get(layer.inputs[0].name) if layer.inputs else None
            name = axis_param(layer)
            if rank is None or name is None or layer.type in _NEW_AXES:
                continue
            value = layer[name]
            if isinstance(value, int) and value == rank:
                layer[name] = rank - 1
            elif isinstance(value, tuple) and rank in value:
                layer[name] = [int(axis) - (axis == rank) for axis in value]
            else:
                continue
            result.change(f"axis {rank} of a blob with {rank} axes is {rank - 1}", layer.name)


def _without_batch(order: int, users: list[Layer]) -> Axes | None:
    """What an order of three axes does to the two that are no batch axis.

    The last axis holds numbers of one thing, so the batch is one of the others. What convolutions read has
    the batch first.
    """
    axes = permuted_axes(order, _RANK)
    if axes is None:
        return None
    if any(user.type in _CHANNELS_FIRST for user in users):
        return without(axes, axes[0])
    left = {without(axes, batch) for batch in range(_RANK - 1)}
    return left.pop() if len(left) == 1 else None
