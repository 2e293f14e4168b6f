"""What becomes of a layer in int8: which param says so, and which arrays get scales; from the registry alone.

The registry tells the arrays of a layer for any params. Those that it tells for int8 and not for float are
scales: ``X_int8_scales`` belong to the weights ``X``, ``bottom_blob_int8_scales`` to the input, and
``top_blob_int8_scales`` to an output that stays int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.ops import LayerType, WeightArray, registry
from ncnnparam.weights.declared import are_of_columns

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.syntax import Value

INPUT_SCALES = "bottom_blob_int8_scales"
OUTPUT_SCALES = "top_blob_int8_scales"
INT8_OUTPUT = 100
"""What ncnn adds to the param of a convolution whose output stays int8."""
_ENDINGS = ("_int8_scales", "_int8_scale")
_INT8, _INT8_BY_GROUP = 2, 1
"""What ncnn's own tools write; the latter where the param also tells how many scales there are."""


@dataclass(frozen=True)
class Scaled:
    """An array of weights that becomes int8, and its scales.

    Attributes:
        weights: The array as float.
        scales: Its scales: one for each run of elements, or for each column.
        by_column: A scale counts for a column of the matrix.
        number: Which row of a table has the scales: that of ``LAYER_param_NUMBER``.
    """

    weights: WeightArray
    scales: WeightArray
    by_column: bool
    number: int


@dataclass(frozen=True)
class Int8Form:
    """A layer in int8.

    Attributes:
        param: Id of the param that says so.
        value: What it says.
        arrays: All arrays of the layer then, in the order of the file.
        scaled: Those that become int8.
        needs_input_scale: The scale of the input is fixed. Otherwise ncnn finds it when it runs.
    """

    param: int
    value: int
    arrays: tuple[WeightArray, ...]
    scaled: tuple[Scaled, ...]
    needs_input_scale: bool


def has_int8(type: str) -> bool:
    """Whether ncnn can compute layers of a type in int8."""
    layer_type = registry.get(type)
    return layer_type is not None and bool(layer_type.int8)


def switch(type: str) -> int | None:
    """Id of the param that makes a layer of a type compute in int8, or None."""
    layer_type = registry.get(type)
    if layer_type is None or not layer_type.int8:
        return None
    (name,) = layer_type.parsed(layer_type.int8).names
    spec = layer_type.param(name)
    assert spec is not None
    return spec.id


def int8_form(layer: Layer) -> Int8Form | None:
    """A float layer in int8, or None if ncnn has no int8 for it: its type has none, or its weights come in.

    Raises:
        OpsError: The layer's params make no sense.
    """
    layer_type, param = registry.get(layer.type), switch(layer.type)
    if layer_type is None or param is None:
        return None
    form = _form(layer, layer_type, param)
    fixed = any(spec.name == INPUT_SCALES for spec in layer_type.weights)
    return None if fixed and not form.needs_input_scale else form


def _form(layer: Layer, layer_type: LayerType, param: int) -> Int8Form:
    value = _INT8_BY_GROUP if _tells_count(layer_type, param) else _INT8
    params: Mapping[int, Value] = {**layer.params, param: value}
    arrays = {array.name: array for array in layer_type.weight_layout(params)}
    pairs = [
        (arrays[name.removesuffix(ending)], scales)
        for name, scales in arrays.items()
        for ending in _ENDINGS
        if name.endswith(ending) and name.removesuffix(ending) in arrays
    ]
    scaled = [
        Scaled(weights, scales, are_of_columns(layer, weights.name, scales.name), number)
        for number, (weights, scales) in enumerate(pairs)
    ]
    return Int8Form(param, value, tuple(arrays.values()), tuple(scaled), INPUT_SCALES in arrays)


def _tells_count(layer_type: LayerType, param: int) -> bool:
    """Whether the number of scales depends on the param."""
    name = layer_type.param(param)
    sizes = [size for spec in layer_type.weights if spec.name.endswith(_ENDINGS) for size in spec.shape]
    return name is not None and any(name.name in layer_type.parsed(size).names for size in sizes)
