"""How the type of a layer declares the arrays that the layer has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.ops import registry

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.ops import WeightSpec


def spec_of(layer: Layer, name: str) -> WeightSpec | None:
    """How the type of a layer declares one of the arrays that it has."""
    layer_type = registry.get(layer.type)
    if layer_type is None:
        return None
    specs = [spec for spec in layer_type.weights if spec.name == name]
    if len(specs) == 1:
        return specs[0]
    params = dict(layer.params)
    return next((spec for spec in specs if not spec.when or layer_type.evaluate(spec.when, params)), None)


def are_of_columns(layer: Layer, matrix: str, scales: str) -> bool:
    """Whether scales are those of a matrix' columns: the registry gives both sizes by the same formula."""
    whole, vector = spec_of(layer, matrix), spec_of(layer, scales)
    if whole is None or vector is None or len(whole.shape) != 2:
        return False
    return vector.shape == whole.shape[1:] != whole.shape[:1]
