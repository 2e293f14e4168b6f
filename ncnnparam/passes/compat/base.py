"""What the passes for a runtime share: they know which one it is, and what it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.rules.target_rule import FINE
from ncnnparam.ops import registry
from ncnnparam.ops.versions import LATEST, Target
from ncnnparam.passes.base import Pass
from ncnnparam.passes.optimize.rewrites import weights_missing
from ncnnparam.passes.pnnx.account import named_target

if TYPE_CHECKING:
    from ncnnparam.graph import Layer


class TargetPass(Pass):
    """A pass that changes what a runtime lacks or reads otherwise.

    Args:
        target: The runtime, as ``ops.versions.target`` names it; ``ncnn`` and ``sherpa-ncnn`` are the newest
            that are known.

    Attributes:
        target: That runtime.
    """

    def __init__(self, target: str = LATEST) -> None:
        self.target: Target = named_target(target)


def has(target: Target, subject: str) -> bool:
    """Whether a runtime has a type (``Swish``), a value (``UnaryOp.0=21``) or a feature (``new-array``)."""
    if "-" in subject:
        return target.feature(subject) in FINE
    type, _, value = subject.partition(".")
    if not target.has_type(type) or not value:
        return target.has_type(type)
    id, _, number = value.partition("=")
    return target.value(type, int(id), int(number)) in FINE


def type_of(subject: str) -> str:
    """The type of a subject."""
    return subject.partition(".")[0]


def without_weights(layer: Layer) -> str | None:
    """Why the numbers of a layer cannot be computed with, or None."""
    return "its weights are not loaded, or no floats" if weights_missing([layer]) is not None else None


def number_of(type: str, param: str, word: str) -> int:
    """The number of a word that a param's values have: 2 for BinaryOp's op_type "mul"."""
    layer_type = registry.get(type)
    spec = layer_type.param(param) if layer_type is not None else None
    assert spec is not None, f"{type} has a param {param}"
    return next(number for number, known in spec.values.items() if known == word)
