"""The registry of layer types: look one up by name, and its params by id or name.

The facts come from ncnn 1.0.20261020 (``load_param`` of each layer in ``src/layer``) and from sherpa-ncnn's
``csrc``. They are data in the json files beside this module, read at the first question, so that importing
the registry costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from ncnnparam.errors import did_you_mean

if TYPE_CHECKING:
    from ncnnparam.syntax.values import Value

ParamType: TypeAlias = Literal["int", "float", "array", "string"]

_FLT_MAX = (2.0 - 2.0**-23) * 2.0**127
_CONSTANTS = {"FLT_MAX": _FLT_MAX, "-FLT_MAX": -_FLT_MAX}


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One param that a layer type reads.

    Attributes:
        id: The key in the text, 0 to 31.
        name: The member's name in the C++ source, for example ``kernel_w``.
        type: How ncnn reads the value.
        default: The value of an absent param. For a type other than ``string`` a ``str`` names the param
            whose value is taken, or is a formula over such names; ``LayerType.value`` resolves both.
    """

    id: int
    name: str
    type: ParamType
    default: Value


COMMON_PARAMS = (ParamSpec(30, "shape_hints", "array", ()), ParamSpec(31, "featmask", "int", 0))
"""Params that ncnn itself reads on every layer: shapes of the outputs, and features switched off."""


@dataclass(frozen=True)
class LayerType:
    """A layer type as ncnn or sherpa-ncnn implements it.

    Attributes:
        name: The word at the start of a layer line.
        params: What the type reads, by ascending id, without ``COMMON_PARAMS``.
        one_blob_only: It takes exactly one input and gives exactly one output.
        inplace: It may overwrite its input.
        custom: It is not part of ncnn: a net must register it before it loads a file that has one.
    """

    name: str
    params: tuple[ParamSpec, ...]
    one_blob_only: bool = False
    inplace: bool = False
    custom: bool = False

    def param(self, key: str | int) -> ParamSpec | None:
        """The param of this name or id, also one of ``COMMON_PARAMS``; None if the type has no such param."""
        return self._specs.get(key)

    def value(self, key: str | int, params: Mapping[int, Value]) -> Value:
        """What ncnn works with for a param of a layer: the value given, or else the default.

        Args:
            key: Name or id of a param of this type.
            params: The params the layer's line gives, by id.

        Raises:
            KeyError: The type has no such param.
        """
        spec = self._specs[key]
        if spec.id in params:
            return params[spec.id]
        if isinstance(spec.default, str) and spec.type != "string":
            return self._derived(spec.default, params)
        return spec.default

    def suggest(self, name: str) -> str | None:
        """A hint with the names of this type's params that look like ``name``, or None when none does."""
        return did_you_mean(name, (spec.name for spec in (*self.params, *COMMON_PARAMS)))

    def _derived(self, source: str, params: Mapping[int, Value]) -> Value:
        formula = _FORMULAS.get(source)
        if formula is None:
            return self.value(source, params)

        def number(name: str) -> int:
            value = self.value(name, params)
            return value if isinstance(value, int) else 0  # a file may say anything, 0="x" too

        return formula(number)

    @cached_property
    def _specs(self) -> dict[str | int, ParamSpec]:
        specs: dict[str | int, ParamSpec] = {}
        for spec in (*self.params, *COMMON_PARAMS):
            specs[spec.id] = specs[spec.name] = spec
        return specs


def get(name: str) -> LayerType | None:
    """The layer type of this name, or None for one that neither ncnn nor sherpa-ncnn has."""
    return _types().get(name)


def names() -> tuple[str, ...]:
    """The names of all known layer types, ncnn's own first, each group in alphabetical order."""
    return tuple(_types())


def suggest(name: str) -> str | None:
    """A hint with the names of layer types that look like ``name``, or None when none does."""
    return did_you_mean(name, _types())


@cache
def _types() -> dict[str, LayerType]:
    return {
        name: _layer_type(name, fields, custom)
        for file, custom in (("builtin.json", False), ("sherpa.json", True))
        for name, fields in _read(file).items()
    }


def _read(file: str) -> dict[str, dict[str, Any]]:
    import json

    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    return cast("dict[str, dict[str, Any]]", json.loads(text))


def _layer_type(name: str, fields: dict[str, Any], custom: bool) -> LayerType:
    return LayerType(
        name=name,
        params=tuple(_param_spec(*row) for row in fields["params"]),
        one_blob_only=fields.get("one_blob_only", False),
        inplace=fields.get("inplace", False),
        custom=custom,
    )


def _param_spec(id: int, name: str, type: ParamType, default: Any) -> ParamSpec:
    """A row of the data with its default as a Python value: arrays are tuples, C's constants are numbers."""
    if isinstance(default, list):
        default = tuple(default)
    return ParamSpec(id, name, type, _CONSTANTS.get(default, default))


def _attention_scale(of: Callable[[str], int]) -> float:
    """``1 / sqrt(embed_dim / num_heads)`` with C's integer division; a division by zero gives inf."""
    head_dim = of("embed_dim") // of("num_heads") if of("num_heads") else 0
    return 1 / math.sqrt(head_dim) if head_dim > 0 else math.inf


_FORMULAS: dict[str, Callable[[Callable[[str], int]], Value]] = {
    "n_fft / 4": lambda of: int(of("n_fft") / 4),
    "1 / sqrt(embed_dim / num_heads)": _attention_scale,
}
"""Defaults that are computed from other params: the text in the data -> the function."""
