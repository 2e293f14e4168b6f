"""What the repairs share: a pass that knows what the model was in PyTorch's terms."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.passes.base import Pass, PassResult
from ncnnparam.passes.pnnx.text import PnnxGraph, read_pnnx

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.pnnx.text import Operator

_NCNN, _PNNX = ".ncnn.param", ".pnnx.param"


class Repair(Pass):
    """A repair of what pnnx wrote.

    Args:
        pnnx: The graph in PyTorch's terms or the ``.pnnx.param`` it is read from; by default the one beside
            the model, if there is one. Without it some repairs cannot tell what is right, and decline.

    Attributes:
        pnnx: That graph, or None, while the pass runs.
    """

    optional = False
    """Whether what it declines may be right as it is."""

    pnnx: PnnxGraph | None = None

    def __init__(self, pnnx: PnnxGraph | str | None = None) -> None:
        self._given = pnnx

    def run(self, model: Model) -> PassResult:
        """Repairs a model in place; without a graph given, the ``.pnnx.param`` beside the model is read.

        Raises:
            GraphError: A layer reads what no layer above it writes.
        """
        found = self._given
        if found is None and model.path is not None:
            found = beside(model.path)
        self.pnnx = read_pnnx(found) if isinstance(found, str) else found
        result = PassResult()
        _check_order(model.graph)
        self.repair(model, result)
        return result

    def operator(self, layer: Layer, type: str | None = None) -> Operator | None:
        """What a layer was in PyTorch: the operator of its name and of a type, by default its own."""
        return None if self.pnnx is None else self.pnnx.operator(layer.name, type or layer.type)

    def sizes(self, blob: str) -> tuple[int, ...] | None:
        """The shape of a blob in PyTorch, if it is known."""
        return None if self.pnnx is None else self.pnnx.sizes(blob)

    @abstractmethod
    def repair(self, model: Model, result: PassResult) -> None:
        """Repairs a model in place and notes what was done, and what could not be."""


def layers_of(graph: Graph, *types: str) -> list[Layer]:
    """The layers of some types, in order, but not those of broken files that lack an input or an output."""
    return [layer for layer in graph if layer.type in types and layer.inputs and layer.outputs]


def beside(path: str) -> str | None:
    """The ``.pnnx.param`` that belongs to a ``.ncnn.param`` by its name, if there is such a file."""
    if not path.endswith(_NCNN):
        return None
    other = Path(path.removesuffix(_NCNN) + _PNNX)
    return str(other) if other.is_file() else None


def readers(blob: Blob) -> list[Layer]:
    """The layers that read a value, seen through Splits."""
    return [use.layer for use in blob.readers]


def maker(blob: Blob) -> Layer | None:
    """The layer that made a value, seen through Splits."""
    return blob.source.producer


def must_stay(layer: Layer) -> str | None:
    """Why a layer that does nothing cannot go, or None: what the network gives must not be what it is fed."""
    above = maker(layer.inputs[0])
    if layer.outputs[0].uses or (above is not None and above.type != "Input"):
        return None
    return "an output of the network would be an input of it"


def _check_order(graph: Graph) -> None:
    written: set[int] = set()
    for layer in graph:
        for blob in layer.inputs:
            if id(blob) not in written:
                message = f"layer '{layer.name}' reads '{blob.name}', which no layer above it writes"
                raise GraphError(message, hint="ncnnparam check --fix mends what has one right answer")
        written.update(id(blob) for blob in layer.outputs)


def remove_unread(graph: Graph, layer: Layer, *, weights: bool) -> None:
    """Removes a layer that nobody reads, and then those above that were there for it alone.

    Args:
        graph: The graph.
        layer: The layer; it stays if somebody reads it or if it is an input.
        weights: Whether layers with weights may go too: without the ``.bin`` at hand they must stay.
    """
    pending = [layer]
    while pending:
        layer = pending.pop()
        if layer.graph is not graph or layer.type == "Input" or any(blob.uses for blob in layer.outputs):
            continue
        if layer.type == "MemoryData" and not weights:
            continue
        above = [found for blob in layer.inputs if (found := maker(blob)) is not None]
        graph.remove(layer, reconnect=False)
        pending += above
