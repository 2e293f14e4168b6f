"""What a layer type is, and what a layer says: params with names, types, defaults and meanings; weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ncnnparam.errors import NotFoundError, OpsError
from ncnnparam.graph import Layer
from ncnnparam.ops import LayerType, ParamSpec, registry, versions
from ncnnparam.ops.formula import formula
from ncnnparam.ops.registry import COMMON_PARAMS
from ncnnparam.syntax import Param, Value
from ncnnparam.views.layers import shown, value_text


@dataclass(frozen=True)
class ParamRow:
    """One param of a type, or of a layer.

    Attributes:
        id: Its id.
        name: Its name in ncnn's source, or None where the type reads no such param.
        spec: What the registry knows of it, or None.
        stated: The param as the layer states it, or None.
        value: What counts in this layer; None for a type by itself, and where it cannot be told.
    """

    id: int
    name: str | None
    spec: ParamSpec | None
    stated: Param | None = None
    value: Value | None = None

    @property
    def value_text(self) -> str:
        """The value as the file, or else the language, spells it; one of an enumeration with its word."""
        if self.value is None:
            return ""
        text = value_text(self.stated) if self.stated else shown(self.value)
        word = self.spec.word(self.value) if self.spec else None
        return f"{text} ({word})" if word else text

    @property
    def default_text(self) -> str:
        """The default in the spelling of the language, or the params it is taken from."""
        return shown(self.spec.default) if self.spec else ""

    @property
    def meaning_text(self) -> str:
        """What the param is for, and the words for its values."""
        if self.spec is None:
            return ""
        words = ", ".join(f"{value} {word}" for value, word in self.spec.values.items())
        return f"{self.spec.meaning} ({words})" if words else self.spec.meaning


def known_type(name: str) -> LayerType:
    """A layer type by name.

    Raises:
        NotFoundError: There is no such type; the error names near ones.
    """
    found = registry.get(name)
    if found is None:
        raise NotFoundError(f"there is no layer type '{name}'", hint=registry.suggest(name))
    return found


def since_text(layer_type: LayerType) -> str:
    """Since which release ncnn has a type, where not all that are known have it."""
    since = versions.type_since(layer_type.name)
    if layer_type.custom or since == versions.releases()[0]:
        return ""
    return f"in ncnn since {since}" if since else f"in no ncnn since {versions.releases()[0]}"


def type_params(layer_type: LayerType) -> list[ParamRow]:
    """The params that a type reads, then those that every layer may have."""
    return [ParamRow(spec.id, spec.name, spec) for spec in (*layer_type.params, *COMMON_PARAMS)]


def layer_params(layer: Layer, names: Mapping[int, str] | None = None) -> list[ParamRow]:
    """The params of a layer: what its type reads, and whatever else it states, by ascending id.

    Args:
        layer: The layer.
        names: Better names for some ids; then other ids are left out unless the layer states them.
    """
    layer_type = registry.get(layer.type)
    known = layer_type.params if layer_type else ()
    specs = {spec.id: spec for spec in (*known, *COMMON_PARAMS)}
    names = names or {}
    rows = []
    for id in sorted({*(names or (spec.id for spec in known)), *layer.params}):
        spec, stated = specs.get(id), layer.params.find(id)
        name = names.get(id) or (spec.name if spec else None)
        rows.append(ParamRow(id, name, spec, stated, stated.value if stated else _default(layer, id)))
    return rows


def weight_terms(layer_type: LayerType) -> dict[str, str]:
    """The named formulas that the weights of a type use, and those that these use: name -> formula."""
    found: dict[str, str] = {}

    def look(text: str) -> None:
        for name in sorted(formula(text).names & layer_type.terms.keys() - found.keys()):
            found[name] = layer_type.terms[name]
            look(found[name])

    for spec in layer_type.weights:
        for text in spec.formulas:
            look(text)
    return found


def _default(layer: Layer, id: int) -> Value | None:
    layer_type = registry.get(layer.type)
    try:
        return layer_type.value(id, layer.params) if layer_type else None
    except OpsError:  # computed from params that make no sense
        return None
