"""``torch.as_strided``: the shift by which icefall's attention makes relative positions absolute.

Row i of a matrix of T rows begins T - 1 - i numbers later: read as one run of numbers, each row begins a row
less one number further on, and the first one T - 1 numbers in. PyTorch's offset of the first number is lost
even in the ``.pnnx.param``; for this shift, and only for it, the strides tell it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.passes.pnnx.base import Repair, layers_of
from ncnnparam.passes.pnnx.shapes import ranks, size_params

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult
    from ncnnparam.passes.pnnx.text import Operator

Sizes: TypeAlias = tuple[int, ...]


class LowerAsStrided(Repair):
    """Replace torch.as_strided, where it shifts rows, by Reshape and Crop."""

    name = "pnnx-lower-as-strided"

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces each that is such a shift."""
        known = ranks(model.graph)
        for layer in layers_of(model.graph, "torch.as_strided"):
            operator = self.operator(layer)
            if operator is None:
                result.decline(
                    "its sizes are only in the .pnnx.param, which has no such operator", layer.name
                )
                continue
            sizes, strides = operator.ints("size"), operator.ints("stride")
            if sizes is None or strides is None or not _is_shift(sizes, strides, operator):
                result.decline("where it begins is not in the .pnnx.param, and it is no shift", layer.name)
                continue
            if known.get(layer.inputs[0].name) == 2:  # a single head is a matrix
                _make_head(model.graph, layer, sizes, strides)
            self.lower(model.graph, layer, sizes, strides)
            result.change(f"a shift of the rows of {sizes[0]} x {sizes[1]} x {strides[1] + 1}", layer.name)

    def lower(self, graph: Graph, layer: Layer, sizes: Sizes, strides: Sizes) -> None:
        """Puts ncnn's layers in the place of one."""
        heads, rows, width = sizes
        run = strides[1]
        if rows == 1:  # nothing to shift
            graph.replace(layer, "Crop", starts=[0], ends=[width], axes=[2])
            return
        graph.replace(layer, "Reshape", params=size_params((heads, rows * (run + 1))))
        # a Crop to its end, 0 or -1 for the last number, is read in different ways: the ends are stated
        cut = graph.insert_on(
            layer.outputs[0], "Crop", starts=[rows - 1], ends=[rows - 1 + rows * run], axes=[1]
        )
        back = graph.insert_on(cut.outputs[0], "Reshape", params=size_params((heads, rows, run)))
        graph.insert_on(back.outputs[0], "Crop", starts=[0], ends=[width], axes=[2])


class SherpaAsStrided(LowerAsStrided):
    """Replace torch.as_strided, where it shifts rows, by sherpa-ncnn's TensorAsStrided."""

    name = "pnnx-sherpa-as-strided"

    def lower(self, graph: Graph, layer: Layer, sizes: Sizes, strides: Sizes) -> None:
        """Puts sherpa-ncnn's layer in the place of one."""
        params: dict[int, int | Sizes] = {0: sizes, 1: strides, 2: sizes[1] - 1}
        graph.replace(layer, "TensorAsStrided", params=params)


def _make_head(graph: Graph, layer: Layer, sizes: Sizes, strides: Sizes) -> None:
    """Gives a layer between matrices an axis of one head."""
    graph.insert_before(layer, "Reshape", params=size_params((1, sizes[1], strides[1] + 1)))
    graph.insert_after(layer, "Reshape", params=size_params(sizes[1:]))


def _is_shift(sizes: Sizes, strides: Sizes, operator: Operator) -> bool:
    """Whether each row begins a number before the end of the one above, and all of it is there."""
    if len(sizes) != 3 or len(strides) != 3 or min(*sizes, *strides) < 1 or strides[2] != 1:
        return False
    offset = operator.int("storage_offset")
    rows, width, run = sizes[1], sizes[2], strides[1]
    return strides[0] == rows * (run + 1) and width <= run + (rows == 1) and offset in (None, rows - 1)
