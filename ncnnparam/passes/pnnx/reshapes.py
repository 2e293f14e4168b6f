"""``Tensor.reshape``: its shape stands in the ``.pnnx.param`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.order import from_front, to_front
from ncnnparam.passes.pnnx.base import Repair, layers_of, maker, readers
from ncnnparam.passes.pnnx.batch import INPUT_AXIS, OUTPUT_AXIS
from ncnnparam.passes.pnnx.shapes import size_params

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult
    from ncnnparam.passes.pnnx.text import Operator, PnnxGraph

RESHAPES = ("Tensor.reshape", "Tensor.view")
_PERMUTES = ("Tensor.permute", "torch.permute")


class LowerReshape(Repair):
    """Give a Reshape its sizes back (Tensor.reshape).

    A permute behind or before it that pnnx took for one of the batch axis, and left out, becomes the batch
    axis of the Reshape: ``pnnx-explicit-batch`` makes a Permute of it.
    """

    name = "pnnx-lower-reshape"

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces each by a Reshape."""
        for layer in layers_of(model.graph, *RESHAPES):
            operator = self.operator(layer)
            shape = operator.ints("shape") if operator is not None else None
            if self.pnnx is None or operator is None or shape is None:
                result.decline("its shape is only in the .pnnx.param, which has no such operator", layer.name)
                continue
            try:
                params = _params(self.pnnx, operator, shape, layer)
            except ValueError as error:
                result.decline(str(error), layer.name)
                continue
            model.graph.replace(layer, "Reshape", params=params)
            result.change(f"a Reshape for {operator.params['shape']}", layer.name)


def _params(pnnx: PnnxGraph, operator: Operator, shape: tuple[int, ...], layer: Layer) -> dict[int, int]:
    """Params of the Reshape.

    Raises:
        ValueError: The shape, or a permute that is gone, cannot be said in ncnn's terms.
    """
    before, behind = _axis_before(pnnx, operator, layer), _axis_behind(pnnx, operator, shape, layer)
    sizes = list(shape)
    if behind is None and 1 in sizes:
        sizes.remove(1)  # the batch axis, which blobs do not have
    params = size_params(sizes)
    if before is not None:
        params[INPUT_AXIS] = before
    if behind is not None:
        params[OUTPUT_AXIS] = behind
    return params


def _axis_before(pnnx: PnnxGraph, operator: Operator, layer: Layer) -> int | None:
    """Where a permute above puts the first axis, if ncnn's graph does not have that permute."""
    above = pnnx.producer(operator.inputs[0]) if operator.inputs else None
    if above is None or above.type not in _PERMUTES or _is_permute(maker(layer.inputs[0])):
        return None
    axes = above.ints("dims")
    if axes is None or 0 not in axes or axes != from_front(axes.index(0), len(axes)):
        raise ValueError(f"the permute {above.name} above it is not in ncnn's graph")
    return axes.index(0) or None


def _axis_behind(pnnx: PnnxGraph, operator: Operator, shape: tuple[int, ...], layer: Layer) -> int | None:
    """The axis that a permute below puts first, if ncnn's graph does not have that permute."""
    below = pnnx.readers(operator.outputs[0]) if operator.outputs else []
    users = readers(layer.outputs[0])
    if len(below) != 1 or below[0].type not in _PERMUTES or any(map(_is_permute, users)):
        return None
    axes = below[0].ints("dims")
    if axes is None or len(axes) != len(shape) or not _is_left(axes, users, layer):
        raise ValueError(f"the permute {below[0].name} below it is not in ncnn's graph")
    return axes[0] or None


def _is_left(axes: tuple[int, ...], users: list[Layer], layer: Layer) -> bool:
    """Whether a permute only puts an axis first, or ncnn's MatMul does what else it does."""
    front = to_front(axes[0], len(axes))
    turned = (*front[:-2], front[-1], front[-2])
    return axes == front or (axes == turned and len(users) == 1 and _turns(users[0], layer))


def _turns(user: Layer, layer: Layer) -> bool:
    second = user.inputs[-1].source is layer.outputs[0]
    return user.type == "MatMul" and len(user.inputs) == 2 and second and user["transB"] == 1


def _is_permute(layer: Layer | None) -> bool:
    return layer is not None and layer.type == "Permute"
