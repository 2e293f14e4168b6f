"""Rules about what the params of a layer mean to its type, as the registry of layer types tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import known_layers
from ncnnparam.checks.place import at_param, at_word
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.syntax import Param
from ncnnparam.syntax.values import ID_RANGE

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops import LayerType, ParamSpec, Violation
    from ncnnparam.syntax import Value

_AGE_MARK = "fixbug0"
"""The param by which a Softmax or a Reduction says that its axes are counted as today."""


@rule("NP215", "outdated-layer", Severity.ERROR, refused=True)
def outdated_layer(graph: Graph) -> Iterator[Problem]:
    """An old converter wrote the layer; ncnn asks for a new one."""
    for layer, known, refused in known_layers(graph):
        for violation in _demands(layer, known):
            if violation.param.name == _AGE_MARK:
                key = violation.param.id
                yield Problem(
                    f"{layer.type} '{layer.name}' lacks {key}=1: an old converter wrote it, with other axes",
                    at_word(layer),
                    f"convert the network again, or check the axes and add {key}=1",
                    refused=refused,
                )


@rule("NP401", "unknown-param", Severity.INFO)
def unknown_param(graph: Graph) -> Iterator[Problem]:
    """The layer type does not read the param."""
    for layer, known, _ in known_layers(graph):
        for id in layer.params:
            if id in ID_RANGE and known.param(id) is None:
                stated = layer.params.find(id)
                assert stated is not None
                yield Problem(
                    f"'{stated.text}' has no effect: {layer.type} reads no param {id}",
                    at_param(layer, id),
                    _see(layer),
                )


@rule("NP402", "param-type", Severity.ERROR)
def param_type(graph: Graph) -> Iterator[Problem]:
    """A param is of another type than the layer reads."""
    for layer, known, refused in known_layers(graph):
        for violation in _kind_violations(layer, known):
            spec = violation.param
            right = _of_right_kind(spec, layer.params[spec.id])
            yield Problem(
                f"{layer.type} '{layer.name}': {violation.message}",
                at_param(layer, spec.id),
                _see(layer) if right is None else f"write {Param.make(spec.id, right).text}",
                refused=refused and violation.refused,
            )


@rule("NP403", "param-demand", Severity.ERROR, refused=True)
def param_demand(graph: Graph) -> Iterator[Problem]:
    """A param has a value that the layer refuses."""
    for layer, known, refused in known_layers(graph):
        for violation in _demands(layer, known):
            if violation.param.name != _AGE_MARK:
                yield Problem(
                    f"{layer.type} '{layer.name}': {violation.message}",
                    at_param(layer, violation.param.id),
                    _see(layer),
                    refused=refused,
                )


def _kind_violations(layer: Layer, known: LayerType) -> list[Violation]:
    """What is wrong with the types of a layer's params; ids 30 and 31 have rules of their own."""
    stated = [spec for spec in known.params if spec.id in layer.params]
    found = [spec.kind_violation(layer.params[spec.id]) for spec in stated]
    return [violation for violation in found if violation is not None]


def _demands(layer: Layer, known: LayerType) -> list[Violation]:
    """What else ncnn would refuse of a layer's params."""
    kinds = _kind_violations(layer, known)
    return [
        violation
        for violation in known.violations(layer.params)
        if violation not in kinds and violation.param in known.params
    ]


def _of_right_kind(spec: ParamSpec, value: Value) -> Value | None:
    """The value that says the same and is of the type that is read, or None."""
    if spec.type == "array" and isinstance(value, (int, float)):
        value = (value,)
    if isinstance(value, tuple):
        value = tuple(map(_whole, value)) if spec.items == "int" else value
    elif spec.type == "int" and isinstance(value, float):
        value = _whole(value)
    return value if spec.reads(value) else None


def _whole(value: int | float) -> int | float:
    """The int of a float that is one."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**31 else value


def _see(layer: Layer) -> str:
    return f"ncnnparam explain {layer.type} tells what it reads"
