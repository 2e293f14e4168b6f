"""What the rewrites of this package have in common: shapes to ask for, and reasons to leave weights alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.errors import WeightsError
from ncnnparam.ops import registry
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.optimize.shapes import Shapes
from ncnnparam.patterns import Rewrite

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

LINEAR = (
    "Convolution|Convolution1D|Convolution3D|"
    "ConvolutionDepthWise|ConvolutionDepthWise1D|ConvolutionDepthWise3D|"
    "Deconvolution|Deconvolution1D|Deconvolution3D|"
    "DeconvolutionDepthWise|DeconvolutionDepthWise1D|DeconvolutionDepthWise3D|"
    "InnerProduct"
)
"""The types that multiply by ``weight_data``, whose first axis are the outputs, add ``bias_data`` to each
output, and apply an activation in the end."""


class ShapedRewrite(Rewrite):
    """A rewrite that asks for shapes; it must not change the shape of a blob that stays."""

    _graph: Graph | None = None
    _shapes: Shapes | None = None

    def apply(self, graph: Graph, *, explain: bool = False) -> PassResult:
        """``run`` for a graph."""
        self._graph, self._shapes = graph, None
        try:
            return super().apply(graph, explain=explain)
        finally:
            self._graph = self._shapes = None

    @property
    def shapes(self) -> Shapes:
        """The shapes of the graph's blobs, found when they are first asked for."""
        if self._shapes is None:
            assert self._graph is not None, "shapes are known while the rewrite is applied"
            self._shapes = Shapes(self._graph)
        return self._shapes


def number(layer: Layer, name: str) -> int | float:
    """A param as ncnn reads it: where it is of another kind than it should be, the default counts."""
    layer_type = registry.get(layer.type)
    assert layer_type is not None, f"{layer.type} is no type of a pattern"
    value = layer_type.read(name, dict(layer.params))
    assert isinstance(value, (int, float)), f"{name} is no number"
    return value


def weights_missing(layers: Iterable[Layer]) -> str | None:
    """Why the numbers of layers cannot be computed with, or None: they are not there, or are not floats."""
    from ncnnparam.weights import Storage, wanted

    for layer in layers:
        try:
            arrays = wanted(layer)
        except WeightsError as error:
            return error.message
        for array in arrays:
            if array.name not in layer.weights:
                return f"the weights of {layer.name} are not loaded"
            storage = layer.weights[array.name].storage
            if storage in (Storage.INT8, Storage.BYTES):
                return f"{array.name} of {layer.name} is stored as {storage}"
    return None


def is_int8(layer: Layer) -> bool:
    """Whether a layer computes in int8."""
    layer_type = registry.get(layer.type)
    return layer_type is not None and layer_type.is_int8(dict(layer.params))


def has_activation(layer: Layer) -> str | None:
    """A reason to leave alone a layer that applies an activation, or None."""
    return f"{layer.name} applies an activation already" if number(layer, "activation_type") else None


def drop_unread(constant: Layer) -> None:
    """Takes out a constant whose last reader has gone."""
    if constant.graph is not None and not any(blob.uses for blob in constant.outputs):
        constant.graph.remove(constant, reconnect=False)
