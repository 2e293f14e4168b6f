"""What a pattern asks of a param: to be some value, to be bound to a variable, to equal a formula."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from ncnnparam.errors import OpsError
from ncnnparam.graph import Layer
from ncnnparam.ops import LayerType, ParamSpec, registry
from ncnnparam.ops.formula import Formula
from ncnnparam.syntax import Value

Values = Mapping[str, Value]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Literals:
    """Values written down; a condition holds if it holds for one of them (``!=``: for all of them)."""

    values: tuple[Value, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Bound:
    """``?n``: the value of a variable, which its first use gives it."""

    name: str

    @property
    def text(self) -> str:
        """As it is written."""
        return f"?{self.name}"


@dataclass(frozen=True, slots=True)
class Computed:
    """``{n * 2}``: a formula over variables."""

    formula: Formula

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{{{self.formula.text}}}"

    def value(self, values: Values) -> Value:
        """The value of the formula.

        Raises:
            OpsError: It divides by zero, or a variable has no int.
        """

        def look_up(name: str) -> Value:
            if name not in values:
                raise OpsError(f"?{name} has no value, for its layer is not there")
            value = values[name]
            if name in self.formula.names and not isinstance(value, int):
                raise OpsError(f"?{name} is {value}, and formulas compute with ints")
            return value

        value: Value = self.formula(look_up)
        return value


Operand = Literals | Bound | Computed


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a line, ``kernel_w=3`` or ``0>64``.

    Attributes:
        key: Id or name of a param.
        compare: ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
        operand: What the param is compared with.
    """

    key: int | str
    compare: str
    operand: Operand

    def holds(self, layer: Layer, values: MutableMapping[str, Value]) -> bool:
        """Whether a layer meets the condition; a variable without a value gets one."""
        found = param_value(layer, self.key)
        if found is None:
            return False
        operand = self.operand
        if isinstance(operand, Literals):
            spec = spec_of(layer.type, self.key)
            return _compare(self.compare, found, tuple([fit(value, spec) for value in operand.values]))
        if isinstance(operand, Bound):
            if operand.name in values:
                return _compare(self.compare, found, (values[operand.name],))
            values[operand.name] = found
            return True
        try:
            return _compare(self.compare, found, (operand.value(values),))
        except OpsError:
            return False

    def why_not(self, layer: Layer, values: Values) -> str:
        """Why a layer does not meet the condition."""
        found = param_value(layer, self.key)
        if found is None:
            return f"{layer.type} has no param {self.key}, nor does the layer state it"
        label = f"{self.key} of {layer.name}"
        wanted = self.operand.text
        try:
            if isinstance(self.operand, Bound):
                wanted = f"{_shown(values[self.operand.name])} as elsewhere"
            elif isinstance(self.operand, Computed):
                wanted = _shown(self.operand.value(values))
        except OpsError as error:
            return f"{label} cannot be compared: {error.message}"
        how = "" if self.compare == "=" else f"{self.compare} "
        spec = spec_of(layer.type, self.key)
        word = spec.word(found) if spec is not None else None
        is_now = f"{_shown(found)} ({word})" if word else _shown(found)
        return f"{label} is {is_now}, the pattern wants {how}{wanted}"


def spec_of(type: str, key: int | str) -> ParamSpec | None:
    """What the registry knows of a param of a type."""
    layer_type = registry.get(type)
    return layer_type.param(key) if layer_type else None


def param_value(layer: Layer, key: int | str) -> Value | None:
    """What ncnn works with: the stated value or the default; None where neither is known."""
    layer_type: LayerType | None = registry.get(layer.type)
    spec = layer_type.param(key) if layer_type else None
    if layer_type is None or spec is None:
        param = layer.params.find(key) if isinstance(key, int) else None
        return param.value if param else None
    param = layer.params.find(spec.id)
    if param is not None and spec.reads(param.value):
        return param.value
    try:
        return layer_type.read(spec.id, layer.params)
    except OpsError:  # a default computed from params that make no sense
        return None


def fit(value: Value, spec: ParamSpec | None) -> Value:
    """A value that was written down, as a param takes it: words of an enumeration, arrays of one, floats."""
    if spec is None:
        return value
    if spec.type == "array" and isinstance(value, (int, float)):
        return (value,)
    if spec.type == "float" and isinstance(value, int):
        return float(value)
    if spec.type == "int" and isinstance(value, str):
        return next((number for number, word in spec.values.items() if word == value), value)
    return value


def _shown(value: Value) -> str:
    """A value for a message, as it would stand in a pattern."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "[]"
    return str(value)


def _compare(how: str, found: Value, wanted: tuple[Value, ...]) -> bool:
    if how == "=":
        return any(same(found, value) for value in wanted)
    if how == "!=":
        return not any(same(found, value) for value in wanted)
    return any(
        isinstance(found, (int, float))
        and isinstance(value, (int, float))
        and _COMPARISONS[how](found, value)
        for value in wanted
    )


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same to ncnn: floats count as float32, and an int may equal a float."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        if not (isinstance(one, tuple) and isinstance(other, tuple)) or len(one) != len(other):
            return False
        return all(map(same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        if isinstance(one, str) or isinstance(other, str):
            return False
        return one == other or struct.pack("<f", one) == struct.pack("<f", other)
    return one == other
