"""What a layer costs to run: multiply-accumulates, and the numbers that it gives out."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ncnnparam.graph import SPLIT, Layer
from ncnnparam.ops import registry
from ncnnparam.ops.sizes import Shape
from ncnnparam.stats.shapes import shapes_of


def macs(layer: Layer, shapes: Mapping[str, Shape]) -> int | None:
    """Multiply-accumulates of a layer by the formula of its type, or None where they are not known."""
    layer_type = registry.get(layer.type)
    if layer_type is None:
        return None
    inputs, outputs = shapes_of(layer.inputs, shapes), shapes_of(layer.outputs, shapes)
    return layer_type.count_macs(layer.params, inputs, outputs)


def activations(layer: Layer, shapes: Mapping[str, Shape]) -> int | None:
    """Numbers in the outputs of a layer, or None where a shape is not known.

    Outputs of a Split count nothing: they are its input, by other names.
    """
    if layer.type == SPLIT:
        return 0
    total = 0
    for sizes in shapes_of(layer.outputs, shapes):
        if sizes is None:
            return None
        total += prod(sizes)
    return total
