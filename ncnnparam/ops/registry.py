"""The registry of layer types: look one up by name, and its params by id or name.

The facts come from ncnn 1.0.20261020 (``load_param``, ``load_model`` and ``forward`` of each layer in
``src/layer``) and from sherpa-ncnn's ``csrc``. They are data in ``types/*.json`` beside this module, read at
the first question, and a type is put together when it is asked for: importing the registry costs nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ncnnparam.errors import ConfigError, did_you_mean
from ncnnparam.ops import declare
from ncnnparam.ops.layer_type import LayerType
from ncnnparam.ops.params import COMMON_PARAMS, ParamSpec

if TYPE_CHECKING:
    import os

__all__ = ["COMMON_PARAMS", "LayerType", "ParamSpec", "get", "load_ops", "names", "register", "suggest"]

_FOLDER = Path(__file__).with_name("types")
_COMMON = "common"  # fields of params that mean the same in many types
_CUSTOM = "sherpa"  # types that are not ncnn's own

_registered: dict[str, LayerType] = {}


def get(name: str) -> LayerType | None:
    """The layer type of this name, or None for one that nobody has declared."""
    if name in _registered:
        return _registered[name]
    return _declared(name) if name in _tables() else None


def names() -> tuple[str, ...]:
    """All known layer types: ncnn's own, then sherpa-ncnn's, then the users', each in alphabetical order."""
    return (*_tables(), *sorted(_registered))


def suggest(name: str) -> str | None:
    """A hint with the names of layer types that look like ``name``, or None when none does."""
    return did_you_mean(name, names())


def register(layer_type: LayerType) -> LayerType:
    """Makes a custom layer type known everywhere, with its params and weights.

    Args:
        layer_type: The type; it counts as ``custom``, whatever it says.

    Returns:
        The type as it was registered.

    Raises:
        ConfigError: Its declaration makes no sense, or another type has the name.
    """
    layer_type = replace(layer_type, custom=True)
    try:
        declare.check(layer_type)
    except declare.DeclarationError as error:
        raise ConfigError(f"layer type {layer_type.name}: {error.message}", hint=error.hint) from None
    known = get(layer_type.name)
    if known is not None and known != layer_type:
        raise ConfigError(f"there is a layer type '{layer_type.name}' already")
    _registered[layer_type.name] = layer_type
    return layer_type


def load_ops(path: str | os.PathLike[str]) -> tuple[LayerType, ...]:
    """Registers the layer types that a TOML file declares; ``docs/custom-ops.md`` tells how.

    Either all types of the file are registered or none.

    Returns:
        The types.

    Raises:
        FileError: The file cannot be read.
        ConfigError: It cannot be understood; the error names the line.
    """
    from ncnnparam.ops.custom import read_ops

    known = {name: get(name) for name in names()}
    types = read_ops(path, known)
    _registered.update((layer_type.name, layer_type) for layer_type in types)
    return types


@cache
def _tables() -> dict[str, dict[str, Any]]:
    """The declarations as they stand in the files, ncnn's own types first."""
    files = sorted(path.stem for path in _FOLDER.glob("*.json"))
    own = [item for file in files if file not in (_COMMON, _CUSTOM) for item in _read(file).items()]
    return {**dict(sorted(own)), **dict(sorted(_read(_CUSTOM).items()))}


@cache
def _declared(name: str) -> LayerType:
    return declare.layer_type(name, _tables()[name], custom=name in _read(_CUSTOM), common=_read(_COMMON))


@cache
def _read(file: str) -> dict[str, dict[str, Any]]:
    text = (_FOLDER / f"{file}.json").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, Any]]", json.loads(text))
