"""Matrices of 4, 6 or 8 bit numbers with a scale for each block of a row.

Only the weights are small; ncnn computes with floats, or with 8 bits finds the scales of the input itself. So
no table is needed. Which layers can have such weights, and where they lie, is in the registry: types with a
term ``low_bit``. The format and the search for scales are those of ncnn's ``tools/quantize/ncnnllm2int.cpp``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from ncnnparam.ops import LayerType, WeightArray, registry
from ncnnparam.quantize.blocks import blocks
from ncnnparam.quantize.int8_form import switch
from ncnnparam.quantize.int8_weights import not_finite
from ncnnparam.quantize.lower_gemm import transposed
from ncnnparam.weights import Storage, Weight
from ncnnparam.weights.layout import describe
from ncnnparam.weights.storage import padded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops.versions import Target
    from ncnnparam.syntax import Value

Clip: TypeAlias = Literal["minmax", "mse"]

BITS = (4, 6, 8)
BLOCKS = (32, 64, 128)
SINCE = "20261020"
"""The first release that knows packed weights."""
_SCALES = "_quantize_scales"
_STEPS = 20
_NARROWEST = 0.5
"""Clipping is tried in so many steps, down to this part of the largest number of a block."""
_TURNED = ("transB", "B_data")
"""The param by which a Gemm stores its matrix the other way round than packed ones have to lie."""


@dataclass(frozen=True)
class LowBit:
    """How to pack weights.

    Attributes:
        bits: Bits of a number, one of ``BITS``.
        block: Numbers that share a scale, one of ``BLOCKS``.
        clip: ``minmax``: the largest number of a block gives its scale. ``mse``: large ones are clipped where
            that makes the squared error of the block smaller.
    """

    bits: int
    block: int = 64
    clip: Clip = "mse"

    def __str__(self) -> str:
        return f"{self.bits} bit in blocks of {self.block}"

    @property
    def term(self) -> int:
        """The value of the param that says so to ncnn."""
        return 100 * self.bits + BLOCKS.index(self.block)

    @property
    def largest(self) -> int:
        """Numbers go from minus this to this."""
        return (1 << (self.bits - 1)) - 1


def pack_weights(
    graph: Graph,
    how: LowBit,
    *,
    wanted: Callable[[Layer], bool] = lambda layer: True,
    target: Target | None = None,
) -> dict[Layer, str]:
    """Gives matrices low-bit numbers, which are made when the model is saved.

    Args:
        graph: A float graph with its weights; it is changed.
        how: Bits, blocks and scales.
        wanted: Tells which layers to pack.
        target: The runtime that has to understand the result, or None for the newest.

    Returns:
        The layers with an int8 form or tagged weights, each with the reason why it stays as it is, or empty.
    """
    found: dict[Layer, str] = {}
    for layer in graph:
        if any(weight.storage.kind == Storage.FLOAT32.kind for weight in layer._weights):
            found[layer] = _obstacle(layer, how, target) if wanted(layer) else "it was not asked for"
    for layer, reason in found.items():
        if not reason:
            _pack(layer, how)
    return found


def pack(numbers: NDArray[np.int8], bits: int) -> NDArray[np.uint8]:
    """Rows of ints as ncnn packs them: one number behind the other, low bits first, in two's complement."""
    each = np.unpackbits(numbers.view(np.uint8)[..., np.newaxis], axis=-1, count=bits, bitorder="little")
    return np.packbits(each.reshape(len(numbers), -1), axis=1, bitorder="little")


class PackedWeights:
    """A matrix of a layer, on its way to low-bit numbers.

    Attributes:
        layer: Name and type of the layer, for messages.
        array: The packed matrix.
        scale_array: Its scales.
        how: Bits, blocks and scales.
    """

    def __init__(
        self, layer: str, floats: Weight, array: WeightArray, scale_array: WeightArray, how: LowBit
    ) -> None:
        self.layer = layer
        self.array = array
        self.scale_array = scale_array
        self.how = how
        self._floats = floats

    @cached_property
    def scales(self) -> NDArray[np.float32]:
        """What the numbers of each block are multiplied by; 1 where all are 0."""
        parts = [self._choose(self._split(values)) for _, values in self._rows()]
        return np.concatenate(parts)

    def weights(self) -> Weight:
        """The packed numbers, as an array of the layer."""
        return Weight(self.array, Storage.BYTES, self._pieces)

    def scale_weights(self) -> Weight:
        """The scales, as an array of the layer."""
        return Weight(self.scale_array, Storage.RAW, lambda: iter([self.scales.astype("<f4").tobytes()]))

    def _rows(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        weight = replace(self._floats, content=self._floats.raw)
        rows, columns = weight.shape
        for block in blocks(
            lambda start, out: np.copyto(out, weight.part(start, start + len(out))), rows, columns, whole=True
        ):
            yield block.rows, block.values

    def _pieces(self) -> Iterator[bytes]:
        for rows, values in self._rows():
            numbers = _rounded(self._split(values), self.scales[rows], self.how.largest)
            flat = numbers.astype(np.int8).reshape(len(values), -1)[:, : values.shape[1]]
            yield pack(np.ascontiguousarray(flat), self.how.bits).tobytes()
        yield bytes(padded(self.array.count) - self.array.count)

    def _split(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows in blocks, the last one filled up with zeros."""
        count = -(-values.shape[1] // self.how.block)
        filled = np.pad(values, ((0, 0), (0, count * self.how.block - values.shape[1])))
        return filled.reshape(len(values), count, self.how.block)

    def _choose(self, split: NDArray[np.float32]) -> NDArray[np.float32]:
        peaks = np.abs(split).max(axis=2)
        if not np.all(np.isfinite(peaks)):
            raise not_finite(self.layer, self.array.name)
        peaks[peaks == 0] = self.how.largest  # any scale would do, and this makes it 1
        best: NDArray[np.float32] = np.float32(self.how.largest) / peaks
        if self.how.clip == "minmax":
            return best
        least = _error(split, best, self.how.largest)
        for step in range(1, _STEPS + 1):
            tried = np.float32(self.how.largest) / (peaks * np.float32(1 - _NARROWEST * step / _STEPS))
            error = _error(split, tried, self.how.largest)
            best = np.where(error < least, tried, best)
            least = np.minimum(least, error)
        return best


def _obstacle(layer: Layer, how: LowBit, target: Target | None) -> str:
    layer_type, param = registry.get(layer.type), switch(layer.type)
    if layer_type is None or param is None or "low_bit" not in layer_type.terms:
        return f"ncnn has no packed weights for {layer.type}"
    if target is not None and target.release < SINCE:
        return f"{target} knows no packed weights"
    if layer_type.read(param, layer.params):
        return "it is quantised already"
    params = _packed_params(layer, param, how)
    refused = next((one.message for one in layer_type.violations(params) if one.refused), None)
    if refused is not None:
        return refused
    if not any(array.kind == "bytes" for array in layer_type.weight_layout(params)):
        return "it has no constant matrix"
    return ""


def _packed_params(layer: Layer, param: int, how: LowBit) -> dict[int, Value]:
    """The params of a layer once it is packed; a constant B lies row by row then."""
    params = {**layer.params, param: how.term}
    turned, name = _TURNED
    layer_type = registry.get(layer.type)
    spec = None if layer_type is None else layer_type.param(turned)
    if spec is not None and name in layer.weights:
        params[spec.id] = 1
    return params


def _pack(layer: Layer, how: LowBit) -> None:
    layer_type, param = registry.get(layer.type), switch(layer.type)
    assert layer_type is not None
    assert param is not None
    old = {weight.name: weight for weight in layer._weights}
    turned, name = _TURNED
    if layer_type.param(turned) and not layer[turned]:
        old[name] = transposed(old[name])
    layer.params.update(_packed_params(layer, param, how))
    layer._weights = tuple(_arrays(layer, layer_type, old, how))


def _arrays(layer: Layer, layer_type: LayerType, old: Mapping[str, Weight], how: LowBit) -> Iterator[Weight]:
    arrays = {array.name: array for array in layer_type.weight_layout(layer.params)}
    packed = {
        name: PackedWeights(describe(layer), old[name], array, arrays[name + _SCALES], how)
        for name, array in arrays.items()
        if array.kind == "bytes"
    }
    for name in arrays:
        if name in packed:
            yield packed[name].weights()
        elif name.removesuffix(_SCALES) in packed:
            yield packed[name.removesuffix(_SCALES)].scale_weights()
        else:
            yield old[name]


def _rounded(split: NDArray[np.float32], scales: NDArray[np.float32], largest: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.clip(np.rint(split * scales[..., np.newaxis]), -largest, largest)
    return found


def _error(split: NDArray[np.float32], scales: NDArray[np.float32], largest: int) -> NDArray[np.float32]:
    """The squared error of each block."""
    off = split - _rounded(split, scales, largest) / scales[..., np.newaxis]
    found: NDArray[np.float32] = np.square(off).sum(axis=2)
    return found
