"""Attention, said with products of matrices and Softmax."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ncnnparam.passes.compat.equivalent import built

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.graph.substitute import Wire
    from ncnnparam.passes.compat.build import Build
    from ncnnparam.passes.optimize.shapes import Shapes

_HEADS = 3
"""Axes of a query, key or value: heads, length, width."""


@built("SDPA", "MatMul", "BinaryOp", "Softmax", "ExpandDims", "vector-along-width")
def attention(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Query times key, scaled and masked, through Softmax, times value; a key and value for each head."""
    if layer["kv_cache"] or layer["int8_scale_term"]:
        return "it has a cache, or computes in int8"
    query, key, value = (shapes[blob] for blob in layer.inputs[:3])
    if not (isinstance(query, tuple) and isinstance(key, tuple) and isinstance(value, tuple)):
        return f"the shapes of {', '.join(blob.name for blob in layer.inputs[:3])} are not known"
    if {len(query), len(key), len(value)} != {_HEADS} or not query[0] == key[0] == value[0]:
        return "query, key and value may have other numbers of heads"
    scale, width = float(str(layer["scale"])), query[2]
    if not scale:
        if not isinstance(width, int):
            return f"the width of {layer.inputs[0].name} is not known, and the scale is its root"
        scale = 1 / sqrt(width)
    found = build.binary("mul", build.add("MatMul", *layer.inputs[:2], transB=1), scale)
    if layer["attn_mask"]:
        rank = shapes.rank(layer.inputs[3])
        if rank not in (2, 3):
            return f"{layer.inputs[3].name} may have neither 2 nor 3 axes"
        mask: Wire = layer.inputs[3]
        found = build.binary("add", found, build.add("ExpandDims", mask, axes=(0,)) if rank == 2 else mask)
    weights = build.add("Softmax", found, axis=-1, fixbug0=1)
    return build.add("MatMul", weights, layer.inputs[2])


EQUIVALENTS = (attention,)
