"""Rules about single layers: is the type known, do its numbers of blobs and its shape hint fit?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import layers_and_reach
from ncnnparam.checks.place import N_INPUTS, N_OUTPUTS, at_param, at_word
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.checks.rules.arity import takes_one_blob
from ncnnparam.checks.rules.shape_hint import SHAPE_HINTS, fault_of_hint
from ncnnparam.ops import registry

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

_FOREIGN = re.compile(r"(?:pnnx|Tensor|torch|torchvision|nn|F)\.|(?:aten|prim|onnx|quantized)::")


@rule("NP211", "arity", Severity.ERROR, refused=True)
def arity(graph: Graph) -> Iterator[Problem]:
    """A layer that takes one blob has more or fewer."""
    for layer, reached in layers_and_reach(graph):
        known = registry.get(layer.type)
        if known is None or not takes_one_blob(layer, known):
            continue
        inputs, outputs = len(layer.inputs), len(layer.outputs)
        if (inputs, outputs) != (1, 1):
            yield Problem(
                f"{layer.type} '{layer.name}' should read one blob and make one, "
                f"and it reads {inputs} and makes {outputs}",
                at_word(layer, N_OUTPUTS if inputs == 1 else N_INPUTS),
                refused=reached and not known.custom,
            )


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


@rule("NP215", "outdated-layer", Severity.ERROR, refused=True)
def outdated_layer(graph: Graph) -> Iterator[Problem]:
    """An old converter wrote the layer; ncnn asks for a new one."""
    for layer, reached in layers_and_reach(graph):
        if layer.type == "Softmax":
            # axis, fixbug0
            outdated = _int(layer.params.get(1, 0)) == 0 and _int(layer.params.get(0, 0)) != 0
            key = 1
        elif layer.type == "Reduction":
            # axes, fixbug0
            outdated = _int(layer.params.get(5, 0)) == 0 and layer.params.get(3, ()) not in ((), "")
            key = 5
        else:
            continue
        if outdated:
            yield Problem(
                f"{layer.type} '{layer.name}' lacks {key}=1: an old converter wrote it, with other axes",
                at_word(layer),
                f"convert the network again, or check the axes and add {key}=1",
                refused=reached,
            )


def _int(value: object) -> int:
    """What ncnn takes a param for that it wants as an int: 0, the default here, for anything else."""
    return value if isinstance(value, int) else 0
