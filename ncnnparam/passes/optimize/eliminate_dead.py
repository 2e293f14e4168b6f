"""Layers that the outputs of the network do not need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.ops import registry
from ncnnparam.passes.base import Pass, PassResult

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model


class EliminateDead(Pass):
    """Takes out constants that nobody reads, and with outputs given all that these do not need.

    What nobody reads is an output of the network, so without ``outputs`` only constants are known to be dead.
    Inputs stay, and so do layers without outputs.

    Args:
        outputs: Names of the blobs that are wanted, with spaces or commas between them.
    """

    name = "eliminate-dead"

    def __init__(self, outputs: str = "") -> None:
        self.outputs = outputs.replace(",", " ").split()

    def run(self, model: Model) -> PassResult:
        """Takes out layers.

        Raises:
            NotFoundError: There is no blob of a name given.
        """
        graph, result = model.graph, PassResult()
        if self.outputs:
            dead, why = graph.copy().remove_dead(self.outputs), "the outputs do not need it"
        else:
            constants = graph.find("MemoryData")
            dead = [layer for layer in constants if not any(blob.uses for blob in layer.outputs)]
            why = "nobody reads it"
        reason = unloaded(dead)
        for layer in dead:
            if reason is not None:
                result.decline(reason, layer.name)
            else:
                result.change(why, layer.name)
        if result.modified and self.outputs:
            graph.remove_dead(self.outputs)
        elif result.modified:
            for layer in dead:
                graph.remove(layer, reconnect=False)
        return result


def unloaded(layers: Iterable[Layer]) -> str | None:
    """Why the ``.bin`` could not be written without some layers, or None: their part of it is not known."""
    from ncnnparam.weights import wanted

    for layer in layers:
        if registry.get(layer.type) is None:
            return f"the type '{layer.type}' is not known, and may have weights"
        if any(array.name not in layer.weights for array in wanted(layer)):
            return f"the weights of {layer.name} are not loaded"
    return None


PASSES = (EliminateDead,)
