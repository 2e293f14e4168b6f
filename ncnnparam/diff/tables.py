"""A diff of weights as rows for people: what differs, what is int8 now, what stayed float, what is large."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ncnnparam.diff.size import ADDED, RAW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncnnparam.diff.arrays import ArrayDiff, WeightDiff
    from ncnnparam.diff.measure import Distance
    from ncnnparam.diff.size import Stored

ARRAYS = (
    "layer",
    "type",
    "array",
    "in A",
    "in B",
    "bytes A",
    "bytes B",
    "max error",
    "mean error",
    "cosine",
    "SQNR dB",
    "note",
)
QUANTIZED = ("layer", "type", "in A", "in B", "bytes A", "bytes B", "of B", "SQNR dB")
FLOATS = ("layer", "type", "stored", "bytes B", "of B", "why")
EXCESS = ("bytes", "of B", "why")
NUMBERS = ("bytes A", "bytes B", "bytes", "of B", "max error", "mean error", "cosine", "SQNR dB")
"""The columns that hold numbers."""


def array_rows(diff: WeightDiff) -> list[list[str]]:
    """The arrays that are not the same, in the order of the second file."""
    rows = []
    last = None
    for layer, array in diff.changed():
        head = [layer.layer.name, layer.layer.type] if layer is not last else ["", ""]
        rows.append(
            [*head, array.name, *_stored(array.old, array.new), *_numbers(array.distance), _note(array)]
        )
        last = layer
    return rows


def quantized_rows(diff: WeightDiff) -> list[list[str]]:
    """The layers that do not compute with floats in the second model, the least exact first."""
    layers = [layer for layer in diff.layers if layer.is_quantized]
    layers.sort(key=lambda layer: inf if layer.worst is None else layer.worst)
    return [
        [
            layer.layer.name,
            layer.layer.type,
            layer.old,
            layer.new,
            str(layer.old_bytes),
            str(layer.new_bytes),
            _share(layer.new_bytes, diff),
            "" if layer.worst is None else _decibels(layer.worst),
        ]
        for layer in layers
    ]


def float_rows(diff: WeightDiff) -> list[list[str]]:
    """The arrays of the second file that int8 would make smaller, the largest first."""
    found = [
        (layer, array.new)
        for layer in diff.layers
        for array in layer.arrays
        if array.new and array.new.float_because not in (None, RAW, ADDED)
    ]
    found.sort(key=lambda item: -item[1].nbytes)
    return [
        [
            layer.layer.name,
            layer.layer.type,
            str(new.storage),
            str(new.nbytes),
            _share(new.nbytes, diff),
            new.float_because or "",
        ]
        for layer, new in found
    ]


def excess_rows(diff: WeightDiff) -> list[list[str]]:
    """What the second file has beyond a byte for each weight, the most first."""
    return [[str(nbytes), _share(nbytes, diff), why] for why, nbytes in diff.new.excess.items()]


def percent(part: int, whole: int) -> str:
    """A share, ``12.3%``."""
    return f"{100 * part / whole:.1f}%" if whole else ""


def _share(nbytes: int, diff: WeightDiff) -> str:
    return percent(nbytes, diff.new.nbytes)


def _stored(*sides: Stored | None) -> list[str]:
    return [
        *["" if side is None else str(side.storage) for side in sides],
        *["" if side is None else str(side.nbytes) for side in sides],
    ]


def _numbers(distance: Distance | None) -> list[str]:
    if distance is None:
        return [""] * 4
    errors = [f"{error:.3g}" for error in (distance.max_abs, distance.mean_abs)]
    return [*errors, f"{distance.cosine:.6f}", _decibels(distance.sqnr)]


def _decibels(sqnr: float) -> str:
    return "exact" if sqnr == inf else f"{round(sqnr, 1) + 0.0:.1f}"  # no -0.0


def _note(array: ArrayDiff) -> str:
    if array.old is None or array.new is None:
        return "only in B" if array.old is None else "only in A"
    lost = array.distance.not_finite if array.distance else (0, 0)
    return ", ".join([*_lost(lost), *([array.note] if array.note else [])])


def _lost(counts: Iterable[int]) -> list[str]:
    return [f"{count} NaN or inf in {side}" for count, side in zip(counts, "AB", strict=True) if count]
