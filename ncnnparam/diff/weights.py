"""Compares two models with their weights: layer by layer, array by array, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ncnnparam.diff.align import Alignment
from ncnnparam.diff.arrays import ArrayDiff, LayerArrays, WeightDiff
from ncnnparam.diff.compare import align_graphs, compare_aligned
from ncnnparam.diff.measure import measure
from ncnnparam.diff.quantized import Simplifier, is_quantized, is_transposed
from ncnnparam.diff.size import Stored, is_scale, size_of, why_float
from ncnnparam.diff.view import layer_ref
from ncnnparam.weights import Storage, in_order
from ncnnparam.weights.packed import matrix_shape
from ncnnparam.weights.values import Reader, reader

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model
    from ncnnparam.weights import Weight

Arrays: TypeAlias = "Mapping[str, Weight]"

_ENOUGH = 1 << 25  # bytes to look at before the pages of the files are given back
_PIECE = 1 << 20  # bytes to compare at once

PACKED = "packed, not compared"
OTHER_SIZE = "of another size, not compared"


def compare_weights(
    a: Model,
    b: Model,
    *,
    strict_names: bool = False,
    textual: bool = False,
    progress: Callable[[int], object] | None = None,
) -> WeightDiff:
    """Says what is different between two models, their weights included.

    Layers are aligned as ``compare`` does it. Arrays are compared as the numbers that ncnn computes with:
    int8 and packed numbers divided by their scales. A model that was only quantised differs by one
    ``LayerQuantized`` for each such layer, and in its arrays.

    Args:
        a: The first model, with weights.
        b: The second model, with weights.
        strict_names: Other names of layers and blobs are differences too.
        textual: Params that say the same and are written differently are differences too.
        progress: Called with a number of bytes, of both files together, when they have been looked at.

    Raises:
        WeightsError: A layer lacks weights, or has some that its params do not ask for.
    """
    for model in (a, b):
        if model.file is None:  # the arrays of a file fit, or it would not have been loaded
            in_order(model.graph)
    found = align_graphs(a.graph, b.graph)
    simplifier = Simplifier()
    graph = compare_aligned(
        found, a.graph, b.graph, strict_names=strict_names, textual=textual, simplify=simplifier
    )
    looked_at = 0
    layers = []
    for one, two in _pairs(found):
        old, new = (_by_name(layer) if layer else {} for layer in (one, two))
        arrays = []
        for name in dict.fromkeys((*new, *old)):
            array = ArrayDiff(name, _stored(one, old.get(name)), _stored(two, new.get(name)))
            if one and two and name in old and name in new:
                array = _compared(array, one, two, old, new)
            arrays.append(array)
            size = sum(side.nbytes for side in (array.old, array.new) if side)
            looked_at += size
            if progress is not None:
                progress(size)
            if looked_at > _ENOUGH:
                _release(a, b)
                looked_at = 0
        if arrays:
            layers.append(_layer(one, two, arrays, simplifier))
    every = [array for layer in layers for array in layer.arrays]
    sizes = (
        size_of(array.old for array in every if array.old),
        size_of(array.new for array in every if array.new),
    )
    return WeightDiff(graph, simplifier.rounded, tuple(layers), *sizes)


def _pairs(found: Alignment) -> Iterable[tuple[Layer | None, Layer | None]]:
    """All layers in the order of the second graph; those that only the first has come last."""
    for two, one in enumerate(found.to_a):
        yield (found.a.layers[one] if one >= 0 else None), found.b.layers[two]
    for one in found.left()[0]:
        yield found.a.layers[one], None


def _by_name(layer: Layer) -> dict[str, Weight]:
    return {weight.name: weight for weight in layer.weights.values()}


def _layer(
    one: Layer | None, two: Layer | None, arrays: list[ArrayDiff], simplifier: Simplifier
) -> LayerArrays:
    return LayerArrays(
        layer_ref(one) if one else None,
        layer_ref(two) if two else None,
        simplifier.mode(one) if one else "",
        simplifier.mode(two) if two else "",
        two is not None and is_quantized(two),
        tuple(arrays),
    )


def _stored(layer: Layer | None, weight: Weight | None) -> Stored | None:
    if layer is None or weight is None:
        return None
    return Stored(weight.storage, weight.nbytes, weight.count, why_float(layer, weight))


def _compared(array: ArrayDiff, one: Layer, two: Layer, old: Arrays, new: Arrays) -> ArrayDiff:
    """What is to be said of an array that both layers have."""
    transposed = is_transposed(one, two, array.name)
    if not transposed and _is_same(array.name, old, new):
        return replace(array, same=True)
    readers = _readers(one, two, old[array.name], new[array.name], transposed)
    if isinstance(readers, str):
        return replace(array, note=readers)
    return replace(array, distance=measure(*readers))


def _readers(
    one: Layer, two: Layer, old: Weight, new: Weight, transposed: bool
) -> tuple[Reader, Reader, int] | str:
    """What reads the numbers of both arrays in the same order, and how many there are; or why none does."""
    name = old.name
    if Storage.BYTES not in (old.storage, new.storage):
        if old.count != new.count:
            return OTHER_SIZE
        return _both(reader(one, name, transposed=transposed), reader(two, name), old.count)
    # packed numbers are read as they lie, so it is the others that are turned
    turn_old = transposed and old.storage is not Storage.BYTES
    turn_new = transposed and not turn_old
    shape, other_shape = matrix_shape(one, old, turn_old), matrix_shape(two, new, turn_new)
    if shape is None or other_shape is None:
        return PACKED
    (rows, columns), (other_rows, other_columns) = shape, other_shape
    # the bytes of a packed row may have room for one number more
    if rows != other_rows or abs(columns - other_columns) > 1:
        return OTHER_SIZE
    columns = min(columns, other_columns)
    first = reader(one, name, columns=columns, transposed=turn_old)
    second = reader(two, name, columns=columns, transposed=turn_new)
    return _both(first, second, rows * columns)


def _both(first: Reader | None, second: Reader | None, count: int) -> tuple[Reader, Reader, int] | str:
    return PACKED if first is None or second is None else (first, second, count)


def _is_same(name: str, old: Arrays, new: Arrays) -> bool:
    """Whether an array has the same bytes and, by its scales, means the same by them."""
    scales = {other for other in (*old, *new) if other.startswith(f"{name}_") and is_scale(other)}
    return all(
        other in old and other in new and _same_bytes(old[other], new[other]) for other in (name, *scales)
    )


def _same_bytes(one: Weight, two: Weight) -> bool:
    """Whether two arrays are stored alike, padding aside."""
    if one.storage is not two.storage or one.array.shape != two.array.shape:
        return False
    size = one.storage.head_size + len(one.data)
    first, second = (np.frombuffer(weight.raw[:size], np.uint8) for weight in (one, two))
    return all(
        np.array_equal(first[start : start + _PIECE], second[start : start + _PIECE])
        for start in range(0, size, _PIECE)
    )


def _release(*models: Model) -> None:
    for model in models:
        if model.file is not None:
            model.file.release()
