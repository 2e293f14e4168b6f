"""Rules about what ncnn2int8 loses on its way through a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks import Problem, Severity, rule
from ncnnparam.checks.place import at_param, at_word
from ncnnparam.quantize.compat.model_writer import is_custom, lost_params
from ncnnparam.weights import wanted
from ncnnparam.weights.layout import describe

if TYPE_CHECKING:
    from ncnnparam.graph import Graph


@rule("NP712", "lost-weights", Severity.ERROR)
def lost_weights(graph: Graph) -> Iterator[Problem]:
    """ncnn2int8 neither reads nor writes the weights of a custom layer."""
    for layer in graph:
        if is_custom(layer) and wanted(layer):
            yield Problem(
                f"ncnn2int8 does not read the weights of {describe(layer)}, and takes them for those of the "
                "layers below",
                at_word(layer),
                "leave --compat away: then they are kept",
            )


@rule("NP713", "lost-params", Severity.WARNING)
def lost_params_of_layer(graph: Graph) -> Iterator[Problem]:
    """ncnn2int8 does not write a param."""
    for layer in graph:
        for id in lost_params(layer):
            yield Problem(
                f"ncnn2int8 does not write param {id} of {describe(layer)}: its default will count",
                at_param(layer, id),
                "leave --compat away: then it is kept",
            )


COMPAT_RULES = (lost_weights, lost_params_of_layer)
