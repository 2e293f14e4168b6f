"""Layers that take the place of one, built from the top down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncnnparam.graph.fanout import SHAPE_HINTS
from ncnnparam.graph.substitute import Draft, NewBlob, Wire, substitute
from ncnnparam.ops import registry
from ncnnparam.passes.compat.base import number_of
from ncnnparam.syntax import Param, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ncnnparam.graph import Layer

CONSTANT = "MemoryData"
_SIZES = {1: ("w",), 2: ("w", "h"), 3: ("w", "h", "c"), 4: ("w", "h", "d", "c")}
"""The params of a constant by its number of axes, the width first."""


class Build:
    """What a layer becomes. Nothing changes before ``finish``.

    Attributes:
        layer: The layer.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._drafts: list[Draft] = []
        self._numbers: list[tuple[int, NDArray[Any]]] = []

    @property
    def input(self) -> Wire:
        """The first input of the layer."""
        return self.layer.inputs[0]

    def add(self, type: str, *inputs: Wire, **params: Value) -> Wire:
        """Adds a layer; params by their names in ncnn's source."""
        return self.add_split(type, *inputs, outputs=1, **params)[0]

    def add_split(self, type: str, *inputs: Wire, outputs: int, **params: Value) -> list[Wire]:
        """Adds a layer with several outputs."""
        wires: list[Wire] = [NewBlob() for _ in range(outputs)]
        name = f"{self.layer.name}_{type.lower()}"
        stated = tuple(_stated(type, params))
        self._drafts.append(Draft(type, name, stated, inputs, tuple(wires)))
        return wires

    def unary(self, word: str, wire: Wire) -> Wire:
        """Adds a UnaryOp, ``exp`` for example."""
        return self.add("UnaryOp", wire, op_type=number_of("UnaryOp", "op_type", word))

    def binary(self, word: str, wire: Wire, other: Wire | float) -> Wire:
        """Adds a BinaryOp of two blobs, or of a blob and a number."""
        kind = number_of("BinaryOp", "op_type", word)
        if isinstance(other, float):
            return self.add("BinaryOp", wire, op_type=kind, with_scalar=1, b=other)
        return self.add("BinaryOp", wire, other, op_type=kind)

    def reduce(self, word: str, wire: Wire, axes: Iterable[int], *, keep: bool = True) -> Wire:
        """Adds a Reduction over axes; with ``keep`` they stay, with size 1."""
        kind = number_of("Reduction", "operation", word)
        return self.add(
            "Reduction", wire, operation=kind, reduce_all=0, axes=tuple(axes), keepdims=int(keep), fixbug0=1
        )

    def constant(self, numbers: NDArray[Any]) -> Wire:
        """Adds a constant."""
        sizes = dict(zip(_SIZES[numbers.ndim], reversed(numbers.shape), strict=True))
        self._numbers.append((len(self._drafts), numbers))
        return self.add(CONSTANT, **sizes)

    def finish(self, wire: Wire) -> list[Layer]:
        """Puts the layers in the place of the old one; the last gets its name.

        Args:
            wire: What the output of the old layer becomes.

        Returns:
            The layers.

        Raises:
            GraphError: It cannot be done here.
        """
        graph, old = self.layer.graph, self.layer
        assert graph is not None
        last = self._drafts[-1]
        assert wire in last.outputs, "the last layer gives the outcome"
        params = (*last.params, *(param for param in old.params.raw if param.id == SHAPE_HINTS))
        drafts = [*self._drafts[:-1], Draft(last.type, last.name, params, last.inputs, old.outputs)]
        layers = substitute(graph, [old], drafts)
        layers[-1].name = old.name
        for index, numbers in self._numbers:
            layers[index].weights.put("data", numbers.astype("f4"))
        return layers


def _stated(type: str, params: dict[str, Value]) -> Iterable[Param]:
    layer_type = registry.get(type)
    assert layer_type is not None, f"{type} is one of ncnn's types"
    for name, value in params.items():
        spec = layer_type.param(name)
        assert spec is not None, f"{type} has a param {name}"
        yield Param.make(spec.id, value)
