"""Constants that ncnn computes once and for all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import GraphError
from ncnnparam.graph import SPLIT
from ncnnparam.graph.substitute import Draft, substitute
from ncnnparam.model import save
from ncnnparam.ops import registry
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.passes.optimize.eliminate_dead import unloaded
from ncnnparam.runtime.net import Outcome, run_net
from ncnnparam.syntax import Param

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

MOST = 1 << 20
"""Numbers that a constant may have, if those it is computed from have fewer."""

_CONSTANT = "MemoryData"
_AXES = {1: ("w",), 2: ("h", "w"), 3: ("c", "h", "w"), 4: ("c", "d", "h", "w")}


class FoldConstants(Pass):
    """Computes on the real ncnn what depends on constants only, and keeps the outcome as constants.

    It needs the ``ncnn`` package. What nobody reads stays, for it is an output of the network.

    Args:
        most: See ``MOST``.
    """

    name = "fold-constants"

    def __init__(self, most: int = MOST) -> None:
        self.most = most

    def run(self, model: Model) -> PassResult:
        """Folds what can be folded.

        Raises:
            NcnnParamError: There is something to fold, and the ``ncnn`` package is not installed.
        """
        graph, result = model.graph, PassResult()
        constant = _constant_layers(graph)
        edge = [layer for layer in constant.values() if layer.type != _CONSTANT and _is_edge(layer, constant)]
        reason = unloaded(constant.values())
        if not edge:
            return result
        if reason is None:
            outcome = _compute(graph, edge)
            reason = None if outcome.ok else f"ncnn cannot compute it: {outcome.problem}"
        if reason is not None:
            result.decline(reason, *(layer.name for layer in edge))
            return result
        for layer in edge:
            self._fold(graph, layer, outcome.outputs, result)
        return result

    def _fold(
        self, graph: Graph, layer: Layer, found: Mapping[str, NDArray[Any]], result: PassResult
    ) -> None:
        name, arrays = layer.name, [found[blob.name] for blob in layer.outputs]
        reason = self._why_not(arrays)
        if reason is None:
            try:
                made = substitute(graph, [layer], _drafts(layer, arrays))
            except GraphError as error:
                reason = error.message
        if reason is not None:
            result.decline(reason, name)
            return
        made[0].name = name
        for constant, array in zip(made, arrays, strict=True):
            constant.weights.put("data", array)
        result.change("it is a constant now", name)

    def _why_not(self, arrays: list[NDArray[Any]]) -> str | None:
        for array in arrays:
            if array.dtype != "f4":
                return f"it gives {array.dtype}, and a constant is float32"
            if not array.size:
                return "it gives nothing"
            if array.size > self.most:
                return f"it gives {array.size} numbers, and a constant may have {self.most}"
        return None


def _constant_layers(graph: Graph) -> dict[int, Layer]:
    """Constants, and layers of which all inputs are constant and all outputs read, by ``id``; no Splits."""
    found: dict[int, Layer] = {}
    for layer in graph:
        if layer.type == _CONSTANT and layer["w"]:
            found[id(layer)] = layer
        elif layer.inputs and all(blob.readers for blob in layer.outputs) and _computes(layer):
            makers = [blob.source.producer for blob in layer.inputs]
            if all(id(maker) in found for maker in makers):
                found[id(layer)] = layer
    return found


def _computes(layer: Layer) -> bool:
    """Whether a layer gives the same numbers for the same inputs; nobody knows of custom types."""
    layer_type = registry.get(layer.type)
    return layer_type is not None and not layer_type.custom and layer.type != SPLIT


def _is_edge(layer: Layer, constant: Mapping[int, Layer]) -> bool:
    """Whether layers that are not constant read what a layer writes."""
    return any(id(use.layer) not in constant for blob in layer.outputs for use in blob.readers)


def _compute(graph: Graph, layers: list[Layer]) -> Outcome:
    """What some layers write."""
    names = [blob.name for layer in layers for blob in layer.outputs]
    with tempfile.TemporaryDirectory(prefix="ncnnparam-") as folder:
        param, weights = Path(folder, "constants.param"), Path(folder, "constants.bin")
        save(graph.extract([], names), param, weights)
        return run_net(param, weights, {}, names)


def _drafts(layer: Layer, arrays: list[NDArray[Any]]) -> list[Draft]:
    """Constants in the place of a layer, one for each of its outputs."""
    layer_type = registry.get(_CONSTANT)
    assert layer_type is not None
    drafts = []
    for blob, array in zip(layer.outputs, arrays, strict=True):
        specs = [layer_type.param(name) for name in reversed(_AXES[array.ndim])]
        sizes = zip(specs, reversed(array.shape), strict=True)
        params = tuple(Param.make(spec.id, size) for spec, size in sizes if spec is not None)
        drafts.append(Draft(_CONSTANT, layer.name, params, (), (blob,)))
    return drafts
