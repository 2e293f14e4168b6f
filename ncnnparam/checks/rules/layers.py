"""Rules about single layers: is the type known, do its numbers of blobs and its shape hint fit?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import known_layers, layers_and_reach
from ncnnparam.checks.place import N_INPUTS, N_OUTPUTS, at_param, at_word
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.checks.rules.arity import takes_one_blob
from ncnnparam.checks.rules.shape_hint import SHAPE_HINTS, fault_of_hint
from ncnnparam.ops import Arity, registry
from ncnnparam.ops.layer_type import ONE

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

_FOREIGN = re.compile(r"(?:pnnx|Tensor|torch|torchvision|nn|F)\.|(?:aten|prim|onnx|quantized)::")


@rule("NP211", "arity", Severity.ERROR, refused=True)
def arity(graph: Graph) -> Iterator[Problem]:
    """A layer has more or fewer inputs or outputs than its type."""
    for layer, known, refused in known_layers(graph):
        one_blob = takes_one_blob(layer, known)
        takes, makes = (ONE, ONE) if one_blob else known.arity(layer.params)
        inputs, outputs = len(layer.inputs), len(layer.outputs)
        if inputs not in takes or outputs not in makes:
            wanted = f"{_count(takes, 'input')} and {_count(makes, 'output')}"
            yield Problem(
                f"{layer.type} '{layer.name}' should have {wanted}, and it has {inputs} and {outputs}",
                at_word(layer, N_OUTPUTS if inputs in takes else N_INPUTS),
                refused=one_blob and refused,
            )


def _count(arity: Arity, what: str) -> str:
    return f"{arity} {what}" if arity == ONE else f"{arity} {what}s"


@rule("NP212", "shape-hint", Severity.ERROR, fixable=True, refused=True)
def shape_hint(graph: Graph) -> Iterator[Problem]:
    """A shape hint (id 30) has a wrong form."""
    for layer, reached in layers_and_reach(graph):
        fault = fault_of_hint(layer)
        if fault is not None:
            yield Problem(
                f"the shape hint of '{layer.name}' {fault}",
                at_param(layer, SHAPE_HINTS),
                "delete it; ncnn finds the shapes out by itself",
                refused=reached,
            )


@rule("NP213", "leftover-op", Severity.ERROR)
def leftover_op(graph: Graph) -> Iterator[Problem]:
    """The converter left an operator that ncnn does not have."""
    for layer in graph.layers:
        if is_foreign(layer.type):
            yield Problem(
                f"'{layer.type}' is an operator that the converter did not translate; ncnn has no such layer",
                at_word(layer),
                "change the network so that it is not needed, convert again, or replace it by ncnn's layers",
            )


def is_foreign(type: str) -> bool:
    """Whether a type is a name of PyTorch, pnnx or ONNX and not of ncnn."""
    return _FOREIGN.match(type) is not None


@rule("NP214", "unknown-type", Severity.INFO)
def unknown_type(graph: Graph) -> Iterator[Problem]:
    """The layer type is not one of ncnn's."""
    for layer in graph.layers:
        if registry.get(layer.type) is not None or is_foreign(layer.type):
            continue
        hint = registry.suggest(layer.type)
        yield Problem(
            f"ncnn has no layer type '{layer.type}': it loads only in a program that registers one",
            at_word(layer),
            hint,
            severity=Severity.WARNING if hint else Severity.INFO,
        )
