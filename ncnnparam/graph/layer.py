"""Layers and blobs: the nodes and edges of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from ncnnparam.errors import GraphError, NotFoundError
from ncnnparam.graph.params import Params
from ncnnparam.syntax import LayerLine, Param, Value

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph
    from ncnnparam.graph.order import Link
    from ncnnparam.ops import LayerType, ParamSpec
    from ncnnparam.weights import LayerWeights, Weight

SPLIT = "Split"
INPUT = "Input"


@dataclass(frozen=True)
class Use:
    """One place where a blob is read: input number ``index`` of ``layer``."""

    layer: Layer
    index: int


class Blob:
    """What flows from one layer to another. In a sound file at most one layer reads it.

    Attributes:
        shape: Its sizes as numpy orders them, the width last, where somebody knows them better than the file
            says, or None. Copies of the graph have it too; it is never written.
    """

    __slots__ = ("_graph", "_name", "_producer", "_uses", "shape")

    def __init__(self, graph: Graph, name: str, producer: Layer | None) -> None:
        self._graph: Graph | None = graph
        self._name = name
        self._producer = producer
        self._uses: list[tuple[Layer, int]] = []
        self.shape: tuple[int, ...] | None = None

    @property
    def graph(self) -> Graph | None:
        """The graph that has the blob, or None once it was removed."""
        return self._graph

    @property
    def name(self) -> str:
        """The name; setting it renames the blob wherever it stands.

        Raises:
            GraphError: Another blob has that name, or it is no word.
        """
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        _alive(self)._rename_blob(self, name)

    @property
    def producer(self) -> Layer | None:
        """The layer that writes the blob, or None in a file where no layer does."""
        return self._producer

    @property
    def uses(self) -> tuple[Use, ...]:
        """Where the blob is read: at most one place in a sound graph, maybe a Split."""
        return tuple(Use(*use) for use in self._uses)

    @property
    def consumers(self) -> tuple[Layer, ...]:
        """The layers that read the blob, Splits among them."""
        return tuple(layer for layer, _ in self._uses)

    @property
    def source(self) -> Blob:
        """The blob whose value this one carries: itself, or the blob behind the Splits it comes out of."""
        blob = self
        while is_split(blob._producer):
            blob = blob._producer._inputs[0]
        return blob

    @property
    def readers(self) -> tuple[Use, ...]:
        """Where the value is read in the end, seen through Splits."""
        found: list[Use] = []
        pending = [Use(*use) for use in reversed(self._uses)]
        while pending:
            use = pending.pop()
            if is_split(use.layer):
                pending += [Use(*u) for out in reversed(use.layer.outputs) for u in reversed(out._uses)]
            else:
                found.append(use)
        return tuple(found)

    def __repr__(self) -> str:
        return f"<Blob {self._name}>"


class Layer:
    """One layer of a graph.

    ``layer["num_output"]`` is a param by its name in ncnn's source, ``layer.params[0]`` by its id.
    """

    __slots__ = ("_graph", "_inputs", "_link", "_name", "_origin", "_outputs", "_params", "_type", "_weights")
    _link: Link
    _weights: tuple[Weight, ...]  # kept for the floor above: this one copies and drops it, and never looks in

    def __init__(
        self, graph: Graph, type: str, name: str, params: tuple[Param, ...], origin: LayerLine | None = None
    ) -> None:
        self._graph: Graph | None = graph
        self._type = type
        self._name = name
        self._params = params
        self._origin = origin
        self._inputs: tuple[Blob, ...] = ()
        self._outputs: tuple[Blob, ...] = ()
        self._weights = ()

    @property
    def graph(self) -> Graph | None:
        """The graph that has the layer, or None once it was removed."""
        return self._graph

    @property
    def type(self) -> str:
        """The layer type, ``Convolution`` for example; ``graph.replace`` changes it."""
        return self._type

    @property
    def name(self) -> str:
        """The name; setting it renames the layer.

        Raises:
            GraphError: Another layer has that name, or it is no word.
        """
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        _alive(self)._rename_layer(self, name)

    @property
    def inputs(self) -> tuple[Blob, ...]:
        """The blobs the layer reads."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Blob, ...]:
        """The blobs the layer writes."""
        return self._outputs

    @property
    def params(self) -> Params:
        """The params that the layer states, by id; it may be changed."""
        return Params(self)

    @property
    def weights(self) -> LayerWeights:
        """The layer's arrays in the ``.bin`` file, by name: ``layer.weights["weight_data"]``."""
        from ncnnparam.weights import LayerWeights

        return LayerWeights(self)

    @property
    def line(self) -> int | None:
        """The line of the file where the layer begins, from 1, or None for a layer made in memory."""
        return self._origin.line if self._origin else None

    @property
    def origin(self) -> LayerLine | None:
        """The record that the layer was read from, or None."""
        return self._origin

    @property
    def previous(self) -> Layer | None:
        """The layer above, or None."""
        return self._link.prev.layer

    @property
    def next(self) -> Layer | None:
        """The layer below, or None."""
        return self._link.next.layer

    def __getitem__(self, name: str) -> Value:
        """A param by name: what the line states, else ncnn's default.

        Raises:
            NotFoundError: The type is unknown or has no such param.
        """
        layer_type, spec = self._spec(name)
        return layer_type.value(spec.id, self.params)

    def __setitem__(self, name: str, value: Value | list[int | float]) -> None:
        """States a param by name; an int for a float param is written as a float."""
        _, spec = self._spec(name)
        self.params[spec.id] = _fitting(self, spec, value)

    def __delitem__(self, name: str) -> None:
        """States a param no longer, so that ncnn's default counts."""
        del self.params[self._spec(name)[1].id]

    def _spec(self, name: str) -> tuple[LayerType, ParamSpec]:
        from ncnnparam.ops import registry

        layer_type = registry.get(self._type)
        if layer_type is None:
            hint = registry.suggest(self._type) or "use the id: layer.params[...]"
            raise NotFoundError(f"the type '{self._type}' and its params are not known", hint=hint)
        spec = layer_type.param(name)
        if spec is None:
            known = ", ".join(spec.name for spec in layer_type.params) or "none"
            hint = layer_type.suggest(name) or f"its params are: {known}"
            raise NotFoundError(f"'{self._type}' has no param '{name}'", hint=hint)
        return layer_type, spec

    def __repr__(self) -> str:
        return f"<{self._type} {self._name}>"


def is_split(layer: Layer | None) -> TypeGuard[Layer]:
    """Whether a layer is a Split as it should be: one input, written above it.

    A Split of a broken file that is none counts as an ordinary layer, so every chain of Splits has an end.
    """
    if layer is None or layer._type != SPLIT or len(layer._inputs) != 1:
        return False
    producer = layer._inputs[0]._producer
    return producer is None or producer._link.label < layer._link.label


def _alive(item: Layer | Blob) -> Graph:
    if item.graph is None:
        raise GraphError(f"{item!r} was removed from its graph")
    return item.graph


def _fitting(layer: Layer, spec: ParamSpec, value: Value | list[int | float]) -> Value | list[int | float]:
    """The value as the registry wants it, or an error that names both kinds."""
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "array": (tuple, list),
        "string": (str,),
    }
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, kinds[spec.type]):
        message = f"param '{spec.name}' of layer '{layer.name}' is of type {spec.type}, not {value!r}"
        raise GraphError(message)
    if spec.type != "float" or not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        raise GraphError(f"param '{spec.name}' of layer '{layer.name}': the number is too large") from None
