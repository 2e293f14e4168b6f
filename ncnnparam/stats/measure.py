"""The statistics of a whole model: by layer, by type, by storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ncnnparam.graph import Graph
from ncnnparam.ops import registry
from ncnnparam.ops.sizes import Shape
from ncnnparam.stats.cost import activations, macs
from ncnnparam.stats.parameters import Parameters, parameters
from ncnnparam.stats.shapes import shapes_of
from ncnnparam.stats.tally import Tally
from ncnnparam.weights import Storage


@dataclass(frozen=True)
class LayerStats:
    """One layer.

    Attributes:
        name: Its name.
        type: Its type.
        known: Whether the registry has the type.
        weights: Its weights.
        macs: Multiply-accumulates of one run, or None.
        activations: Numbers in its outputs, or None.
        outputs: Shapes of its outputs as numpy orders sizes; None where not known.
    """

    name: str
    type: str
    known: bool
    weights: Parameters
    macs: int | None
    activations: int | None
    outputs: tuple[Shape | None, ...]

    @property
    def parameters(self) -> int | None:
        """Elements of its weights, or None."""
        return self.weights.count

    @property
    def nbytes(self) -> int:
        """Bytes of its weights in the file."""
        return self.weights.nbytes


@dataclass(frozen=True)
class TypeStats:
    """Several layers together, usually those of one type; see ``LayerStats``."""

    type: str
    layers: int
    parameters: Tally
    nbytes: int
    macs: Tally
    activations: Tally

    @classmethod
    def of(cls, type: str, layers: Iterable[LayerStats]) -> TypeStats:
        """Adds layers up."""
        rows = list(layers)
        return cls(
            type,
            len(rows),
            Tally.of(row.parameters for row in rows),
            sum(row.nbytes for row in rows),
            Tally.of(row.macs for row in rows),
            Tally.of(row.activations for row in rows),
        )


@dataclass(frozen=True)
class StorageStats:
    """The arrays of one storage.

    Attributes:
        storage: How they are stored.
        arrays: Number of arrays.
        elements: Numbers in them.
        nbytes: Bytes in the file, with tags and padding.
    """

    storage: Storage
    arrays: int
    elements: int
    nbytes: int


@dataclass(frozen=True)
class Stats:
    """A model.

    Attributes:
        layers: Its layers in the order of the file.
        inputs: Shape of each input by name, None where not known.
        shaped: How many blobs have a known shape.
        blobs: How many blobs there are.
    """

    layers: list[LayerStats]
    inputs: dict[str, Shape | None]
    shaped: int
    blobs: int

    @property
    def total(self) -> TypeStats:
        """All layers together."""
        return TypeStats.of("total", self.layers)

    @cached_property
    def types(self) -> list[TypeStats]:
        """Each type, those with the most parameters first, then with the most layers, then by name."""
        groups: dict[str, list[LayerStats]] = {}
        for layer in self.layers:
            groups.setdefault(layer.type, []).append(layer)
        found = [TypeStats.of(type, layers) for type, layers in groups.items()]
        return sorted(found, key=lambda row: (-row.parameters.known, -row.layers, row.type))

    @cached_property
    def storages(self) -> list[StorageStats]:
        """Each storage in the ``.bin``, that of the most bytes first; empty without a ``.bin``."""
        arrays = [stored for layer in self.layers for stored in layer.weights.arrays]
        found = []
        for storage in dict.fromkeys(stored.storage for stored in arrays):
            of_it = [stored for stored in arrays if stored.storage is storage]
            elements, nbytes = sum(one.count for one in of_it), sum(one.nbytes for one in of_it)
            found.append(StorageStats(storage, len(of_it), elements, nbytes))
        return sorted(found, key=lambda row: -row.nbytes)

    def largest(self, key: Callable[[LayerStats], int | None], most: int) -> list[LayerStats]:
        """The layers of which there is most of something, the first ones first.

        Args:
            key: The number that counts; layers with 0 or None are left out.
            most: How many layers at most.
        """
        having = [layer for layer in self.layers if key(layer)]
        return sorted(having, key=lambda layer: key(layer) or 0, reverse=True)[:most]


def measure(graph: Graph, shapes: Mapping[str, Shape]) -> Stats:
    """Measures a graph.

    Args:
        graph: The graph; bytes are counted if its layers have their weights.
        shapes: Shapes of blobs by name, as far as they are known, as numpy orders sizes.
    """
    layers = [
        LayerStats(
            layer.name,
            layer.type,
            registry.get(layer.type) is not None,
            parameters(layer),
            macs(layer, shapes),
            activations(layer, shapes),
            tuple(shapes_of(layer.outputs, shapes)),
        )
        for layer in graph
    ]
    blobs = list(graph.blobs)
    shaped = sum(blob.name in shapes for blob in blobs)
    inputs = {blob.name: shapes.get(blob.name) for blob in graph.inputs}
    return Stats(layers, inputs, shaped, len(blobs))
