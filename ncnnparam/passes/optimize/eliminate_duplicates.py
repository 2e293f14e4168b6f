"""Layers that compute what another one has computed already."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.graph import INPUT, SPLIT
from ncnnparam.graph.substitute import substitute
from ncnnparam.ops import registry
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.passes.optimize.eliminate_dead import unloaded
from ncnnparam.views.shapes import SHAPE_HINTS

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model


class EliminateDuplicates(Pass):
    """Makes one layer of those that compute the same: type, params, inputs and weights are equal.

    Equal constants become one too. Layers of unknown and custom types are left alone: nobody knows whether
    they give the same numbers twice.
    """

    name = "eliminate-duplicates"

    def run(self, model: Model) -> PassResult:
        """Lets who reads a duplicate read the first of its kind; inputs become equal on the way down."""
        result = PassResult()
        seen: dict[Hashable, Layer] = {}
        for layer in model.graph:
            if not _may_repeat(layer):
                continue
            first = _first_of_kind(layer, seen)
            if first is not layer:
                self._merge(model.graph, layer, first, result)
        return result

    @staticmethod
    def _merge(graph: Graph, layer: Layer, first: Layer, result: PassResult) -> None:
        reason = unloaded([layer])
        if reason is None:
            try:
                substitute(graph, [layer], [], dict(zip(layer.outputs, first.outputs, strict=True)))
            except GraphError as error:
                reason = error.message
        if reason is not None:
            result.decline(reason, first.name, layer.name)
        else:
            result.change(f"it computes what {first.name} does", layer.name)


def _may_repeat(layer: Layer) -> bool:
    """Whether a layer gives the same numbers for the same inputs."""
    layer_type = registry.get(layer.type)
    known = layer_type is not None and not layer_type.custom
    return known and bool(layer.outputs) and layer.type not in (INPUT, SPLIT)


def _first_of_kind(layer: Layer, seen: dict[Hashable, Layer]) -> Layer:
    """The first layer that is equal to this one, which may be this one; weights are read only if need be."""
    kind = _kind(layer)
    first = seen.setdefault(kind, layer)
    if first is layer or not layer.weights:
        return first
    seen.setdefault((kind, _digest(first)), first)
    return seen.setdefault((kind, _digest(layer)), layer)


def _kind(layer: Layer) -> Hashable:
    """All that makes a layer what it is but its weights."""
    params = {param.id: param.meaning for param in layer.params.raw if param.id != SHAPE_HINTS}
    inputs = tuple(id(blob.source) for blob in layer.inputs)
    return layer.type, inputs, len(layer.outputs), tuple(sorted(params.items()))


def _digest(layer: Layer) -> tuple[Hashable, ...]:
    """The arrays of a layer, for comparison."""
    found: list[Hashable] = []
    for name, weight in layer.weights.items():
        state = blake2b()
        for piece in weight.pieces():
            state.update(piece)
        found += [name, weight.storage, state.digest()]
    return tuple(found)


PASSES = (EliminateDuplicates,)
