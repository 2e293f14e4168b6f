"""Weights stored in a way that a runtime does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.rules.target_rule import FINE
from ncnnparam.errors import ConfigError
from ncnnparam.ops.versions import LATEST
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import TargetPass
from ncnnparam.passes.compat.build import CONSTANT

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

_CHOICES = ("fp32", "fp16")
_LOAD_TYPE, _TAGGED, _FLOATS = 21, 0, 1


class LowerStorage(TargetPass):
    """Stores bf16 weights in a way that the target reads.

    Args:
        target: The runtime.
        storage: ``fp32`` keeps every number; ``fp16`` keeps the size of the file, but not numbers beyond
            65504, and none below 6e-5 with all its digits.
    """

    name = "lower-storage"

    def __init__(self, target: str = LATEST, storage: str = "fp32") -> None:
        super().__init__(target)
        if storage not in _CHOICES:
            raise ConfigError(
                f"weights cannot be stored as '{storage}'", hint=f"one of {', '.join(_CHOICES)}"
            )
        self.storage = storage

    def run(self, model: Model) -> PassResult:
        """Stores anew what the target does not read; the bytes are made when they are saved."""
        result = PassResult()
        if self.target.param(CONSTANT, _LOAD_TYPE) not in FINE:
            for layer in model.graph.find(CONSTANT):
                _without_tag(layer, result)
        if self.target.feature("bf16-weights") not in FINE:
            self._widen(model.graph, result)
        return result

    def _widen(self, graph: Graph, result: PassResult) -> None:
        from ncnnparam.weights import Storage
        from ncnnparam.weights.convert import convert

        if not any(weight.storage is Storage.BFLOAT16 for layer in graph for weight in layer._weights):
            return
        converted = graph.copy()
        convert(converted, Storage(self.storage))
        for layer, other in zip(graph, converted, strict=True):
            pairs = list(zip(layer._weights, other._weights, strict=True))
            names = [old.name for old, _ in pairs if old.storage is Storage.BFLOAT16]
            if names:
                layer._weights = tuple(new if old.storage is Storage.BFLOAT16 else old for old, new in pairs)
                result.change(f"{', '.join(names)} is stored as {self.storage}", layer.name)


def _without_tag(layer: Layer, result: PassResult) -> None:
    """Stores a constant as plain float32: so reads it who does not know ``load_type``."""
    kind = layer["load_type"]
    if kind == _FLOATS:
        return
    if kind != _TAGGED or "data" not in layer.weights:
        reason = "the weights are not loaded" if kind == _TAGGED else "its numbers are no floats"
        result.decline(f"the target reads float32 here: {reason}", layer.name)
        return
    numbers = layer.weights["data"].numpy("f4")
    del layer["load_type"]
    layer._weights = ()
    layer.weights.put("data", numbers)
    result.change("its numbers are stored as float32", layer.name)
