"""The arrays of one layer, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.errors import NotFoundError, WeightsError, did_you_mean
from ncnnparam.ops import WeightArray
from ncnnparam.weights.arrays import Weight, encode
from ncnnparam.weights.declared import are_of_columns
from ncnnparam.weights.layout import describe, wanted
from ncnnparam.weights.storage import Storage

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ncnnparam.graph import Layer


class LayerWeights(Mapping[str, Weight]):
    """``layer.weights``: a view of the layer, in the order of the file.

    ``layer.weights["bias_data"] = numbers`` stores new numbers as the old ones were stored, ``put`` in a
    storage of choice. Params come first: they say which arrays a layer has, and how large these are.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __getitem__(self, name: str) -> Weight:
        """An array.

        Raises:
            NotFoundError: The layer has none of that name.
        """
        weight = self._find(name)
        if weight is None:
            hint = did_you_mean(name, self) or f"it has: {', '.join(self) or 'no arrays'}"
            raise NotFoundError(f"{describe(self._layer)} has no array '{name}'", hint=hint)
        return self._with_scales(weight, self._asked())

    def values(self) -> ValuesView[Weight]:
        """All arrays; what the params ask for is worked out once."""
        asked = self._asked()
        return {weight.name: self._with_scales(weight, asked) for weight in self._layer._weights}.values()

    def _with_scales(self, weight: Weight, asked: Mapping[str, WeightArray]) -> Weight:
        """An array with the shape that the params ask for now, and its scales."""
        name = weight.name
        scales = self._find(f"{name}_int8_scales") or self._find(f"{name}_int8_scale")
        array = asked.get(name, weight.array)
        if (array.kind, array.count) != (weight.array.kind, weight.count):
            array = weight.array  # params were changed without the weights: saving will say so
        if scales is None and array == weight.array:
            return weight
        by_column = scales is not None and are_of_columns(self._layer, name, scales.name)
        return replace(weight, array=array, scales=scales, by_column=by_column)

    def __setitem__(self, name: str, numbers: ArrayLike) -> None:
        """Stores new numbers as the old ones were stored; see ``put``."""
        self.put(name, numbers)

    def __delitem__(self, name: str) -> None:
        """Drops an array that the params no longer ask for.

        Raises:
            NotFoundError: The layer has none of that name.
        """
        dropped = self[name].name
        self._layer._weights = tuple(weight for weight in self._layer._weights if weight.name != dropped)

    def __iter__(self) -> Iterator[str]:
        return (weight.name for weight in self._layer._weights)

    def __len__(self) -> int:
        return len(self._layer._weights)

    def put(self, name: str, numbers: ArrayLike, storage: Storage | None = None) -> Weight:
        """Gives the layer an array, in place of the one of that name if there is one.

        Args:
            name: A name that the layer type declares and the layer's params ask for.
            numbers: As many as the params say, in the array's shape or flat.
            storage: How to store them; by default as the old ones, or as float32.

        Raises:
            WeightsError: The layer has no such array, the numbers do not fit it or cannot be stored so.
        """
        arrays = {array.name: array for array in wanted(self._layer)}
        if name not in arrays:
            hint = did_you_mean(name, arrays) or f"they ask for: {', '.join(arrays) or 'none'}"
            message = f"the params of {describe(self._layer)} ask for no array '{name}'"
            raise WeightsError(message, layer=self._layer.name, array=name, hint=hint)
        array, old = arrays[name], self._find(name)
        if storage is None:
            storage = _usual(array.kind) if old is None or old.storage is Storage.TABLE else old.storage
        try:
            new = encode(array, numbers, storage)
        except WeightsError as error:
            message = f"{describe(self._layer)}: {error.message}"
            raise WeightsError(message, layer=self._layer.name, array=name, hint=error.hint) from None
        kept = {weight.name: weight for weight in self._layer._weights} | {name: new}
        order = [*arrays, *(other for other in kept if other not in arrays)]
        self._layer._weights = tuple(kept[other] for other in order if other in kept)
        return self[name]

    def _asked(self) -> dict[str, WeightArray]:
        """The arrays that the params ask for now, which say the shapes; none if the params make no sense."""
        try:
            return {array.name: array for array in wanted(self._layer)}
        except WeightsError:
            return {}

    def _find(self, name: str) -> Weight | None:
        return next((weight for weight in self._layer._weights if weight.name == name), None)

    def __repr__(self) -> str:
        return f"<weights of {self._layer!r}: {', '.join(self)}>"


def _usual(kind: str) -> Storage:
    return next(storage for storage in Storage if storage.kind == kind)
