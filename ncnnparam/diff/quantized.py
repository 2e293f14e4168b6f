"""What quantising does to a graph, said in one record for each layer.

The C++ tools that write int8 files also transpose constant matrices and print floats with 7 digits. Neither
is a difference of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ncnnparam.diff.records import LayerQuantized, ParamChanged, Record
from ncnnparam.diff.view import layer_ref
from ncnnparam.graph import Layer
from ncnnparam.ops import registry
from ncnnparam.syntax import Value
from ncnnparam.weights import Storage
from ncnnparam.weights.declared import spec_of
from ncnnparam.weights.packed import packing


class Simplifier:
    """Takes the records of a pair of layers and leaves those that are not about how weights are stored.

    Attributes:
        rounded: How many params it left out because they differ only beyond the 7 digits of ``%e``.
    """

    def __init__(self) -> None:
        self.rounded = 0
        self._modes: dict[Layer, str] = {}

    def mode(self, layer: Layer) -> str:
        """``mode`` of a layer, looked up once."""
        if layer not in self._modes:
            self._modes[layer] = mode(layer)
        return self._modes[layer]

    def __call__(self, one: Layer, two: Layer, records: Iterable[Record]) -> list[Record]:
        """The records that stay, and one that says how the layer was quantised."""
        records = list(records)
        if not records:
            return records
        modes = self.mode(one), self.mode(two)
        switches = _switches(one.type) if modes[0] != modes[1] else frozenset[str]()
        layout = _layout_params(one, two)
        found: list[Record] = []
        for record in records:
            if isinstance(record, ParamChanged):
                if record.name in switches:
                    found.append(LayerQuantized(layer_ref(one), layer_ref(two), *modes))
                    continue
                if record.name in layout:
                    continue
                if _printed(record.old) == _printed(record.new):
                    self.rounded += 1
                    continue
            found.append(record)
        return found


def is_quantized(layer: Layer) -> bool:
    """Whether the params of a layer make it compute with int8 or packed numbers."""
    layer_type = registry.get(layer.type)
    return packing(layer) is not None or bool(layer_type and layer_type.is_int8(dict(layer.params)))


def mode(layer: Layer) -> str:
    """What a layer computes with: ``fp32``, ``int8``, ``int8, int8 output``, ``4 bit in blocks of 64``."""
    layer_type = registry.get(layer.type)
    packed = packing(layer)
    if packed is not None:
        return f"{packed[0]} bit in blocks of {packed[1]}"
    params = dict(layer.params)
    if layer_type is None or not layer_type.is_int8(params):
        return _floats(layer)
    specs = [spec for spec in layer_type.params if spec.name in _switches(layer.type)]
    words = [spec.word(layer_type.read(spec.id, params)) for spec in specs]
    return next((word for word in words if word), "int8")


def is_transposed(one: Layer, two: Layer, name: str) -> bool:
    """Whether a matrix has rows in one layer where it has columns in the other."""
    first, second = spec_of(one, name), spec_of(two, name)
    if first is None or second is None or not len(first.shape) == len(second.shape) == 2:
        return False
    (rows, columns), (other_rows, other_columns) = first.shape, second.shape
    return rows != other_rows and (rows == other_columns or columns == other_rows)


def _layout_params(one: Layer, two: Layer) -> set[str]:
    """Names of the params that only say which of two transposed matrices a layer stores."""
    layer_type = registry.get(one.type)
    if layer_type is None or one.type != two.type:
        return set()
    conditions = [
        spec.when
        for layer in (one, two)
        for name in set(one.weights) & set(two.weights)
        if is_transposed(one, two, name) and (spec := spec_of(layer, name))
    ]
    names = {name for text in conditions if text for name in layer_type.parsed(text).names}
    return names - _switches(one.type)


def _switches(type: str) -> frozenset[str]:
    """Names of the params that make a layer of this type int8."""
    layer_type = registry.get(type)
    return layer_type.parsed(layer_type.int8).names if layer_type and layer_type.int8 else frozenset()


def _floats(layer: Layer) -> str:
    """How a layer that is not int8 stores its largest array that a tag describes."""
    tagged = [weight for weight in layer._weights if weight.storage.kind == Storage.FLOAT32.kind]
    return max(tagged, key=lambda weight: weight.count).storage.value if tagged else "float"


def _printed(value: Value | None) -> object:
    """A value as the C++ tools print it."""
    if isinstance(value, tuple):
        return tuple(map(_printed, value))
    if isinstance(value, float):
        try:
            return f"{struct.unpack('<f', struct.pack('<f', value))[0]:e}"
        except OverflowError:  # no float32, and no reason to call it rounded
            return value
    return value
