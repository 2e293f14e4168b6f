"""The rows of a calibration table: which ones a graph wants, and the scales of its weights."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.ops import registry
from ncnnparam.quantize.int8_form import Int8Form, int8_form
from ncnnparam.quantize.table import Table, weight_key
from ncnnparam.quantize.thresholds import LARGEST, gaussian_clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer

SIX_BITS = {
    "Convolution": "kernel_w == 3 and kernel_h == 3 and dilation_w == 1 and dilation_h == 1 "
    "and stride_w == 1 and stride_h == 1"
}
"""Which layers get weights of 6 bits: ncnn computes these with Winograd's F(4,3), which needs the room."""
LARGEST_OF_SIX_BITS = 31
_ORDER = ("Embed", "MultiHeadAttention", "RNN", "LSTM", "GRU")
"""Types without an input scale, in the order in which ncnn2table writes them."""


def calibrated_layers(graph: Graph) -> list[Layer]:
    """The layers that need the scale of their input, in the order of the graph."""
    return [layer for layer, form in _forms(graph) if form.needs_input_scale]


def make_table(
    graph: Graph,
    input_scales: Mapping[str, np.float32] | None,
    method: str = "minmax",
    *,
    compat: bool = False,
    without: Container[str] = (),
) -> Table:
    """A table for a graph, its rows in the order of ncnn2table.

    Args:
        graph: A graph with its weights.
        input_scales: By name of the ``calibrated_layers``. One that has none gets no row for its input, and
            so stays float. With None there are rows only for layers that need no input scale.
        method: How the scales were found: ``aciq`` also clips weights.
        compat: Write ``inf`` for weights that are all 0, as the C++ tools do, and not 1.
        without: Names of layers that get no rows.
    """
    table = Table()
    forms = [(layer, form) for layer, form in _forms(graph) if layer.name not in without]
    if input_scales is not None:
        fixed = [(layer, form) for layer, form in forms if form.needs_input_scale]
        for layer, form in fixed:
            _put(table, layer, form, method, compat)
        for layer, _ in fixed:
            if layer.name in input_scales:
                table[layer.name] = [input_scales[layer.name]]
    others = [(layer, form) for layer, form in forms if not form.needs_input_scale]
    others.sort(key=lambda one: _ORDER.index(one[0].type) if one[0].type in _ORDER else len(_ORDER))
    for layer, form in others:
        _put(table, layer, form, "minmax", False)
    return table


def weight_scales(
    layer: Layer, weights: str, rows: int, method: str = "minmax", *, compat: bool = False
) -> NDArray[np.float32]:
    """The scales of an array of weights.

    Args:
        layer: The layer.
        weights: Name of the array.
        rows: How many runs of equal length it has; each gets a scale.
        method: ``aciq``, or any other name for what makes the largest weight the largest int8 number.
        compat: Give infinity for a run that is about 0, and 0 for a single number with ``aciq``, as
            ncnn2table does; otherwise these get 1, and what makes them the largest number.
    """
    numbers = layer.weights[weights].numpy(np.float32).reshape(rows, -1)
    absmax: NDArray[np.float32] = np.abs(numbers).max(axis=1)
    six = _has_six_bits(layer)
    largest = np.float32(LARGEST_OF_SIX_BITS if six else LARGEST)
    if method == "aciq" and (compat or numbers.shape[1] > 1):
        bits = 6 if six else 8
        clips = [gaussian_clip(float(one), numbers.shape[1], bits) for one in absmax]
        absmax = np.array(clips, np.float32)
    with np.errstate(divide="ignore", over="ignore"):
        scales: NDArray[np.float32] = largest / absmax
    return scales if compat else np.where(np.isposinf(scales), np.float32(1), scales)


def _put(table: Table, layer: Layer, form: Int8Form, method: str, compat: bool) -> None:
    for one in form.scaled:
        key = weight_key(layer.name, one.number)
        table[key] = weight_scales(layer, one.weights.name, one.scales.count, method, compat=compat)


def _forms(graph: Graph) -> Iterator[tuple[Layer, Int8Form]]:
    """The layers of which a table has rows. Gemm has none: ncnn finds its scales when it quantises."""
    for layer in graph:
        layer_type = registry.get(layer.type)
        if layer_type is None or layer_type.is_int8(layer.params):
            continue
        form = int8_form(layer)
        if form is not None and form.scaled and all("weight" in one.weights.name for one in form.scaled):
            yield layer, form


def _has_six_bits(layer: Layer) -> bool:
    layer_type = registry.get(layer.type)
    return (
        layer_type is not None
        and layer.type in SIX_BITS
        and bool(layer_type.evaluate(SIX_BITS[layer.type], layer.params))
    )
