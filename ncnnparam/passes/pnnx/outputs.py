"""Outputs that stack the states of several layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, layers_of
from ncnnparam.passes.pnnx.shapes import size_params, stated_sizes
from ncnnparam.passes.pnnx.text import numbered_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ncnnparam.graph import Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

NO_AXIS = -233
"""What pnnx writes for an axis that it takes for the batch axis."""
_MOST = 3
"""Axes of a state at most, as sherpa-ncnn feeds it back."""


class StackedOutputs(Repair):
    """Lay out stacked states as the network takes them."""

    name = "pnnx-stacked-outputs"

    def repair(self, model: Model, result: PassResult) -> None:
        """Joins along the first axis, and takes the batch axis out of what has four."""
        shapes = dict(numbered_outputs(self.pnnx)) if self.pnnx is not None else {}
        for layer in layers_of(model.graph, "Concat"):
            if layer["axis"] == NO_AXIS:
                self._stack(model, layer, shapes.get(layer.outputs[0].name), result)
        for layer in layers_of(model.graph, "Reshape"):
            sizes = stated_sizes(layer)
            if not layer.outputs[0].uses and sizes is not None and len(sizes) > _MOST:
                _flatten(model, layer, sizes, shapes.get(layer.outputs[0].name), result)

    def _stack(self, model: Model, layer: Layer, shape: tuple[int, ...] | None, result: PassResult) -> None:
        sizes = _without_batch(shape) if shape is not None else None
        if not sizes:
            message = "joins along no axis; the shape it should give is not in the .pnnx.param"
            result.decline(message, layer.name)
            return
        layer["axis"] = 0
        model.graph.insert_after(layer, "Reshape", params=size_params(sizes))
        result.change(f"joins along axis 0 to {_text(sizes)}", layer.name)


def _flatten(
    model: Model,
    layer: Layer,
    sizes: Sequence[int],
    shape: tuple[int, ...] | None,
    result: PassResult,
) -> None:
    left = _without_batch(sizes)
    if left is None:
        if shape != tuple(sizes):
            result.decline(f"cannot tell which axis of {_text(sizes)} is the batch axis", layer.name)
    else:
        model.graph.replace(layer, "Reshape", params=size_params(left))
        result.change(f"{_text(sizes)} without the batch axis is {_text(left)}", layer.name)


def _without_batch(sizes: Sequence[int]) -> tuple[int, ...] | None:
    """Sizes of at most three axes: of four, the first of size one behind the stacked axis goes."""
    if len(sizes) <= _MOST:
        return tuple(sizes)
    left = list(sizes)
    if 1 not in left[1:] or len(left) > _MOST + 1:
        return None
    del left[left.index(1, 1)]
    return tuple(left)


def _text(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
