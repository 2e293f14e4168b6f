"""The weights of one layer: how many numbers, stored how, in how many bytes."""

from __future__ import annotations

from dataclasses import dataclass

from ncnnparam.errors import WeightsError
from ncnnparam.graph import Layer
from ncnnparam.ops import registry
from ncnnparam.weights import Storage, wanted


@dataclass(frozen=True, slots=True)
class Stored:
    """An array of a layer.

    Attributes:
        storage: How it is stored.
        count: Number of elements.
        nbytes: Bytes in the file, with tag and padding.
    """

    storage: Storage
    count: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """The weights of a layer.

    Attributes:
        count: Elements of all arrays; None where nobody knows.
        arrays: The arrays, if the layer has its weights from a ``.bin`` file.
        problem: Why the count is not known.
    """

    count: int | None
    arrays: tuple[Stored, ...] = ()
    problem: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in the file."""
        return sum(stored.nbytes for stored in self.arrays)


def parameters(layer: Layer) -> Parameters:
    """The weights of a layer: those it has, or else those that its params ask for."""
    arrays = tuple(Stored(weight.storage, weight.count, weight.nbytes) for weight in layer.weights.values())
    if arrays:
        return Parameters(sum(stored.count for stored in arrays), arrays)
    if registry.get(layer.type) is None:
        return Parameters(None, problem=f"layer '{layer.name}': nobody has declared the type {layer.type}")
    try:
        return Parameters(sum(array.count for array in wanted(layer)))
    except WeightsError as error:
        return Parameters(None, problem=error.message)
