"""Gemm layers with a constant matrix as InnerProduct layers, which ncnn quantises better.

Of a constant B, ncnn's int8 Gemm has one scale for the whole matrix. An InnerProduct has one for each output,
and the scale of its input comes from calibration. Both compute the same, if the layer is nothing but
``A B + C`` with a row C, or none, and A is a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.ops import WeightArray
from ncnnparam.ops.params import COMMON_PARAMS
from ncnnparam.quantize.thresholds import LARGEST, noise
from ncnnparam.weights import Storage, Weight, encode
from ncnnparam.weights.storage import padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer
    from ncnnparam.passes.optimize.shapes import Shapes
    from ncnnparam.quantize.histogram import Histogram

GEMM = "Gemm"
_MATRIX = 2
_SHAPES_OF_C = {-1: "no C", 0: "a number", 4: "a row"}
_ROWS_AT_ONCE = 256


def lower_gemm(graph: Graph, wanted: Callable[[Layer], bool] = lambda layer: True) -> list[Layer]:
    """Makes InnerProduct layers of the Gemm layers for which that is exact; names and blobs stay.

    Args:
        graph: A graph with its weights.
        wanted: Tells which Gemm layers to look at.

    Returns:
        The layers that are InnerProduct now.
    """
    reasons = obstacles(graph)
    found = [layer for layer, reason in reasons.items() if reason is None and wanted(layer)]
    for layer in found:
        _lower(graph, layer)
    return found


def obstacles(graph: Graph) -> dict[Layer, str | None]:
    """The Gemm layers of a graph, each with the reason why it cannot become an InnerProduct, or None."""
    layers = graph.find(GEMM)
    if not layers:
        return {}
    from ncnnparam.passes.optimize.shapes import Shapes  # with all the passes, which takes a while

    shapes = Shapes(graph)
    return {layer: obstacle(layer, shapes) for layer in layers}


def obstacle(layer: Layer, shapes: Shapes) -> str | None:
    """Why a Gemm cannot become an InnerProduct, or None.

    Args:
        layer: The layer, with its weights.
        shapes: The shapes of its graph.
    """
    if not layer["constantB"] or layer["constantA"] or "B_data" not in layer.weights:
        return "its B is no constant, or its A is one"
    if layer.weights["B_data"].storage in (Storage.INT8, Storage.BYTES) or layer["quantize_term"]:
        return "it is quantised already"
    stated = [name for name in ("transA", "output_N1M", "output_transpose", "output_elemtype") if layer[name]]
    if stated:
        return f"{' and '.join(stated)} would be lost"
    if layer["alpha"] != 1:
        return "alpha is not 1"
    if len(layer.inputs) != 1 or (
        layer["constantC"] and layer["constant_broadcast_type_C"] not in _SHAPES_OF_C
    ):
        return "C is no constant row"
    rank = shapes.rank(layer.inputs[0])
    if rank not in (None, _MATRIX):
        return f"its input has {rank} axes"
    return None


def gains(layer: Layer, histogram: Histogram, threshold: float) -> bool:
    """Whether a lowered Gemm is expected to be nearer to float in int8 than it was as a Gemm.

    Rounding to steps of a size adds noise of a twelfth of its square. The weights' noise counts by the
    input's power, the input's by that of the weights. A Gemm has one step for all weights and finds a step
    for each row of its input; an InnerProduct has a step for each output and one for all inputs.

    Args:
        layer: The InnerProduct layer that it became.
        histogram: What its input held.
        threshold: By which the input would be clipped.
    """
    weights = layer.weights["weight_data"].numpy(np.float32).reshape(_int(layer, "num_output"), -1)
    peaks = np.square(np.abs(weights).max(axis=1).astype(np.float64))
    inputs = weights.shape[1] * histogram.power
    power = float(np.square(weights, dtype=np.float64).sum())
    gemm = inputs * len(peaks) * _rounding(peaks.max()) + power * _rounding(histogram.row_power)
    inner_product = inputs * _rounding(peaks.sum()) + power * noise(histogram, threshold)
    return bool(inner_product < gemm)


def _rounding(square: float) -> float:
    """Noise of rounding to int8, from the square of the largest number."""
    return square / LARGEST**2 / 12


def _lower(graph: Graph, layer: Layer) -> None:
    count, width = _int(layer, "constantN"), _int(layer, "constantK")
    old, bias = layer.weights["B_data"], _bias(layer, count)
    array = WeightArray("weight_data", "tagged", (count, width))
    weight = replace(old if layer["transB"] else transposed(old), array=array)
    common = {spec.id: layer.params[spec.id] for spec in COMMON_PARAMS if spec.id in layer.params}
    graph.replace(
        layer,
        "InnerProduct",
        params=common,
        num_output=count,
        bias_term=int(bias is not None),
        weight_data_size=count * width,
    )
    layer._weights = (weight,)
    if bias is not None:
        layer._weights += (encode(WeightArray("bias_data", "raw", (count,)), bias, Storage.RAW),)


def _bias(layer: Layer, count: int) -> NDArray[np.float32] | None:
    """What the layer adds to each row, or None."""
    if not layer["constantC"] or "C_data" not in layer.weights:
        return None
    numbers: NDArray[np.float32] = layer.weights["C_data"].numpy(np.float32).reshape(-1)
    beta = layer["beta"]
    assert isinstance(beta, float)
    return np.broadcast_to(numbers * np.float32(beta), (count,))


def transposed(weight: Weight) -> Weight:
    """A matrix whose rows are the columns of another one, in the same storage."""
    array = replace(weight.array, shape=weight.shape[::-1])
    return Weight(array, weight.storage, partial(_turned, weight))


def _turned(weight: Weight) -> Iterator[bytes]:
    yield bytes(weight.raw[: weight.storage.head_size])
    stored = weight.numpy()
    for start in range(0, stored.shape[1], _ROWS_AT_ONCE):
        yield stored[:, start : start + _ROWS_AT_ONCE].T.tobytes()
    size = weight.storage.data_size(weight.count)
    yield bytes(padded(size) - size)


def _int(layer: Layer, name: str) -> int:
    value = layer[name]
    assert isinstance(value, int)
    return value
