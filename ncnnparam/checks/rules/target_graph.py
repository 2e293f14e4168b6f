"""Rules about layers, params and weights that one runtime does not have, and faults that make it crash."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.place import at_input, at_param, at_word
from ncnnparam.checks.rule import Problem, Rule
from ncnnparam.checks.rules import counts, links, params
from ncnnparam.checks.rules.target_rule import DOES, FINE, target_rule
from ncnnparam.errors import OpsError
from ncnnparam.ops import registry, versions

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops import LayerType
    from ncnnparam.ops.versions import Target

_Key = TypeVar("_Key", bound=Hashable)

INSTEAD = {
    "AbsVal": "UnaryOp 0=0",
    "Bias": "MemoryData and BinaryOp 0=0",
    "Clip": "BinaryOp 0=4 1=1 2=MINIMUM and BinaryOp 0=5 1=1 2=MAXIMUM",
    "DeepCopy": "Split",
    "Exp": "UnaryOp 0=7",
    "Log": "UnaryOp 0=8",
    "Power": "BinaryOp 0=6 1=1 2=POWER",
    "Scale": "MemoryData and BinaryOp 0=2",
    "Swish": "Sigmoid and BinaryOp 0=2",
    "Tile": "Concat",
}
"""Layers that do the work of a type with the usual params, where a runtime lacks it."""


@target_rule("NP501", "target-type", Severity.ERROR)
def target_type(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not have a layer type."""
    known = ((layer, registry.get(layer.type)) for layer in graph.layers)
    lacking = [
        (type.name, layer)
        for layer, type in known
        if type is not None and not type.custom and not target.has_type(type.name)
    ]
    does = DOES[target.feature("unknown-type")]
    for type, layer, more in _first_of_each(lacking):
        yield Problem(
            f"{target} has no layer type {type}, of '{layer.name}'{more}: it {does}",
            at_word(layer),
            _instead(type, target),
        )


def _instead(type: str, target: Target) -> str | None:
    since = versions.type_since(type)
    if since is not None and since > target.release:
        return f"ncnn has it since {since}"
    return f"{INSTEAD[type]} can do the same" if type in INSTEAD else None


@target_rule("NP502", "target-param", Severity.ERROR)
def target_param(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not read a param."""
    knows_strings = target.feature("bare-string") in FINE  # if not, NP509 speaks of all strings
    unread = [
        ((known, id), layer)
        for layer, known in _layers_of(graph, target)
        for id, value in layer.params.items()
        if target.param(known.name, id) not in FINE
        and not _says_nothing(layer, known, id)
        and (knows_strings or not isinstance(value, str))
    ]
    for (known, id), layer, more in _first_of_each(unread):
        verdict, since = target.param(known.name, id), versions.param_since(known.name, id)
        spec, stated = known.param(id), layer.params.find(id)
        assert stated is not None
        name = f" ({spec.name})" if spec else ""
        does = "crashes on" if verdict == "crashes" else verdict
        yield Problem(
            f"{target} {does} '{stated.text}'{name} of {known.name} '{layer.name}'{more}",
            at_param(layer, id),
            f"ncnn reads it since {since}" if since and since > target.release else None,
        )


def _says_nothing(layer: Layer, known: LayerType, id: int) -> bool:
    """Whether a param says what holds without it too."""
    if known.param(id) is None:
        return layer.params[id] == 0
    others = {other: value for other, value in layer.params.items() if other != id}
    try:
        return known.read(id, others) == known.read(id, layer.params)
    except OpsError:
        return False


@target_rule("NP503", "target-value", Severity.ERROR)
def target_value(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not know a value of a param."""
    unknown = [
        ((known, spec, value), layer)
        for layer, known in _layers_of(graph, target)
        for spec in known.params
        if spec.values
        and isinstance(value := layer.params.get(spec.id), int)
        and target.value(known.name, spec.id, value) not in FINE
    ]
    for (known, spec, value), layer, more in _first_of_each(unknown):
        verdict, word = target.value(known.name, spec.id, value), spec.word(value)
        does = "computes something else" if verdict == "misreads" else DOES[verdict]
        what = f"{spec.name} {value}" + (f" ({word})" if word else "")
        yield Problem(
            f"{target} does not know {what} of {known.name} '{layer.name}'{more}: it {does}",
            at_param(layer, spec.id),
        )


def _layers_of(graph: Graph, target: Target) -> Iterator[tuple[Layer, LayerType]]:
    """The layers of ncnn's own types that the target has."""
    for layer in graph.layers:
        known = registry.get(layer.type)
        if known is not None and target.has_type(known.name):
            yield layer, known


def _first_of_each(found: Iterable[tuple[_Key, Layer]]) -> Iterator[tuple[_Key, Layer, str]]:
    """The first layer with each fault, and in words how many have it: a model has hundreds of layers."""
    layers: dict[_Key, list[Layer]] = {}
    for key, layer in found:
        layers.setdefault(key, []).append(layer)
    for key, same in layers.items():
        yield key, same[0], f", the first of {len(same)}" if len(same) > 1 else ""


@target_rule("NP504", "target-crash", Severity.ERROR)
def target_crash(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target crashes on a fault that newer releases refuse."""
    for rule, features, what in _CRASHES:
        if "crashes" not in map(target.feature, features):
            continue
        for problem in rule.find(graph):
            if problem.refused is not False or rule is not counts.blob_count:
                yield Problem(f"{target} crashes on {what}, newer releases refuse the file", problem.place)
                break


_CRASHES: tuple[tuple[Rule, tuple[str, ...], str], ...] = (
    (params.param_id, ("id-over-31", "id-over-31-in-last-layer"), "a param id over 31"),
    (counts.blob_count, ("blob-count-too-small",), "a blob count that is too small"),
    (links.undefined_input, ("undefined-input",), "an input that no layer makes"),
    (links.input_order, ("input-order",), "an input that is made further down"),
)
"""Rules whose faults the newest release refuses, and the features that tell what a target does."""


@target_rule("NP505", "target-storage", Severity.ERROR)
def target_storage(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not read how weights are stored."""
    if target.feature("bf16-weights") in FINE or not any(layer._weights for layer in graph.layers):
        return
    from ncnnparam.weights import Storage

    stored = [
        (layer, name)
        for layer in graph.layers
        for name, weight in layer.weights.items()
        if weight.storage is Storage.BFLOAT16
    ]
    if stored:
        layer, name = stored[0]
        more = f", as are {len(stored) - 1} more arrays" if len(stored) > 1 else ""
        yield Problem(
            f"{name} of '{layer.name}' is stored as bf16{more}: {target} takes it for a lookup table",
            at_word(layer),
            "store the weights as fp16",
        )


@target_rule("NP506", "target-vector", Severity.WARNING)
def target_vector(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target takes a constant vector for one along the channels."""
    if target.feature("vector-along-width") in FINE:
        return
    hint = "if it is meant along the width, "
    for layer in graph.find("BinaryOp"):
        for index, blob in enumerate(layer.inputs):
            size = _vector_size(blob.source.producer)
            if size > 1 and len(layer.inputs) == 2:
                cube = target.feature("cube-along-width") in FINE
                yield Problem(
                    f"'{layer.name}' combines a blob with the vector '{blob.name}': {target} does so "
                    "along the channels (or the rows) only, newer releases along the width too",
                    at_input(layer, index),
                    hint + (f"write its MemoryData as 0={size} 1=1 2=1" if cube else "take a newer release"),
                )


def _vector_size(layer: Layer | None) -> int:
    """How many numbers the vector of a MemoryData has; 0 for anything else."""
    if layer is None or layer.type != "MemoryData" or any(layer[name] for name in ("h", "d", "c")):
        return 0
    size = layer["w"]
    return size if isinstance(size, int) else 0


RULES = (target_type, target_param, target_value, target_crash, target_storage, target_vector)
