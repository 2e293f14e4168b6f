"""Shapes behind what moves numbers about: cuts, joins, other axes, the same numbers in other sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from ncnnparam.passes.optimize.sizes import (
    Rule,
    Shape,
    Size,
    Symbol,
    Unknown,
    listed,
    place,
    symbols,
    whole,
    wholes,
)
from ncnnparam.passes.order import permuted_axes

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

UNSTATED = -233
"""ncnn's default for a size that ``Reshape`` does not state, and an equal share or an end elsewhere."""
NO_AXIS = 233
"""ncnn's default for the batch axes of ``Reshape``."""
_REST = -1
"""The size of a ``Reshape`` that takes what is left."""
_LETTERS = {1: "w", 2: "hw", 3: "chw", 4: "cdhw"}
"""What ncnn calls the axes, by their number."""
_SIZE_OF_INPUT, _NUMBER = re.compile(r"([0-9]{1,4})([whdc])"), re.compile(r"-?[0-9]{1,9}")
"""What an expression may be made of, as far as it is understood here."""


def _of_other_sizes(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """As many axes as there were."""
    found = inputs[0]
    return Unknown() if isinstance(found, Unknown) else symbols(len(found))


def _flat(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found = inputs[0]
    if isinstance(found, Unknown):
        return (Symbol(),)
    return found if len(found) == 1 else (_product(found),)


def _reshaped(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    text = layer["shape_expr"]
    batches = wholes(layer, "input_batch_axis", "output_batch_axis")
    sizes: Sequence[Size] = [size for size in wholes(layer, *_LETTERS[4]) if size != UNSTATED]
    if isinstance(text, str) and text:
        sizes = _evaluated(text, inputs)
    if len(sizes) not in _LETTERS or batches != [NO_AXIS, NO_AXIS]:
        return Unknown()
    letters = _LETTERS[len(sizes)]
    found = [_named(inputs[0], letters[index]) if size == 0 else size for index, size in enumerate(sizes)]
    if _REST in found:
        rest = found.index(_REST)
        found[rest] = _share(inputs[0], [size for index, size in enumerate(found) if index != rest])
    return tuple(found)


def _evaluated(text: str, inputs: Sequence[Shape]) -> Sequence[Size]:
    """The sizes of an expression such as ``0w,1h,-1``, the width last; none if it computes with them."""
    found: list[Size] = []
    for word in text.split(","):
        match = _SIZE_OF_INPUT.fullmatch(word)
        if match is not None and int(match[1]) < len(inputs):
            found.append(_named(inputs[int(match[1])], match[2]))
        elif _NUMBER.fullmatch(word):
            found.append(int(word))
        else:
            return []
    return found[::-1]


def _named(shape: Shape, letter: str) -> Size:
    """The width, height, depth or number of channels; 1 where there is no such axis."""
    if isinstance(shape, Unknown):
        return Symbol()
    index = _LETTERS[len(shape)].find(letter)
    return shape[index] if index >= 0 else 1


def _share(before: Shape, others: Sequence[Size]) -> Size:
    """What is left for one size."""
    total, known = _product(before), _product(tuple(others))
    if isinstance(total, Symbol) or isinstance(known, Symbol):
        return Symbol()
    return total // known if known else Symbol()


def _product(shape: Shape) -> Size:
    """How many numbers there are."""
    sizes = [size for size in shape if isinstance(size, int)] if isinstance(shape, tuple) else []
    return prod(sizes) if isinstance(shape, tuple) and len(sizes) == len(shape) else Symbol()


def _permuted(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found = inputs[0]
    if isinstance(found, Unknown):
        return Unknown()
    axes = permuted_axes(whole(layer, "order_type"), len(found))
    return symbols(len(found)) if axes is None else tuple(found[axis] for axis in axes)


def _cut(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """Crop along axes that it lists, to ends that it states."""
    found = inputs[0]
    if isinstance(found, Unknown):
        return Unknown()
    starts, ends = listed(layer, "starts"), listed(layer, "ends")
    axes = listed(layer, "axes") or tuple(range(len(found)))
    if not starts or not len(starts) == len(ends) == len(axes) or any(_expressions(layer)):
        return symbols(len(found))
    sizes = list(found)
    for axis, start, end in zip(axes, starts, ends, strict=True):
        index = place(axis, len(found))
        if index is None:
            return symbols(len(found))
        sizes[index] = _between(start, end, sizes[index])
    return tuple(sizes)


def _expressions(layer: Layer) -> list[object]:
    return [layer[name] for name in ("starts_expr", "ends_expr", "axes_expr")]


def _between(start: int, end: int, size: Size) -> Size:
    """How much is left of an axis: ``Crop::resolve_crop_roi`` in ncnn's ``crop.cpp``."""
    if start in (0, UNSTATED) and end in (0, UNSTATED):
        return size
    if isinstance(size, Symbol):
        return Symbol()
    first = 0 if start == UNSTATED else start if start >= 0 else size + start
    last = size if end == UNSTATED else end if end > 0 else size + end
    return min(size, last) - first


def pieces(layer: Layer, inputs: Sequence[Shape]) -> Sequence[Shape]:
    """Slice: the shape of each output."""
    found, count = inputs[0], len(layer.outputs)
    if isinstance(found, Unknown):
        return [Unknown() for _ in range(count)]
    axis = place(whole(layer, "axis"), len(found))
    if axis is None:
        return [symbols(len(found)) for _ in range(count)]
    sizes = _pieces(layer, found[axis], count)
    return [(*found[:axis], size, *found[axis + 1 :]) for size in sizes]


def _pieces(layer: Layer, size: Size, count: int) -> Sequence[Size]:
    stated, left = listed(layer, "slices"), size
    if layer["indices"] or len(stated) != count:
        return symbols(count)
    found: list[Size] = []
    for index, piece in enumerate(stated):
        share = left // (count - index) if isinstance(left, int) else Symbol()
        found.append(piece if piece != UNSTATED else share)
        left = left - found[-1] if isinstance(left, int) and isinstance(found[-1], int) else Symbol()
    return found


def _joined(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """Concat: the sizes along an axis add up; along the others they are those of the first input."""
    first = inputs[0]
    if isinstance(first, Unknown):
        return Unknown()
    axis = place(whole(layer, "axis"), len(first))
    if axis is None:
        return symbols(len(first))
    lengths = [shape[axis] for shape in inputs if isinstance(shape, tuple) and len(shape) == len(first)]
    known = [size for size in lengths if isinstance(size, int)]
    total = sum(known) if len(known) == len(inputs) else Symbol()
    return (*first[:axis], total, *first[axis + 1 :])


def _halved(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """GLU."""
    found = inputs[0]
    axis = None if isinstance(found, Unknown) else place(whole(layer, "axis"), len(found))
    if isinstance(found, Unknown) or axis is None or len(found) == 1:
        return Unknown()
    size = found[axis]
    return (*found[:axis], size // 2 if isinstance(size, int) else Symbol(), *found[axis + 1 :])


def _expanded(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    found, axes = inputs[0], listed(layer, "axes")
    if isinstance(found, Unknown) or not axes:
        return Unknown()
    rank = len(found) + len(axes)
    new = {place(axis, rank) for axis in axes}
    if None in new or len(new) != len(axes):
        return Unknown()
    sizes = iter(found)
    return tuple(1 if axis in new else next(sizes) for axis in range(rank))


def _stacked(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """sherpa-ncnn's Stack: a new first axis."""
    return (len(inputs), *inputs[0]) if isinstance(inputs[0], tuple) else Unknown()


def _repeated(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """sherpa-ncnn's SimpleUpsample: each row several times."""
    found, times = inputs[0], whole(layer, "upsample")
    if isinstance(found, Unknown) or len(found) != 2:
        return Unknown()
    return (found[0] * times if isinstance(found[0], int) else Symbol(), found[1])


def _strided(layer: Layer, inputs: Sequence[Shape]) -> Shape:
    """sherpa-ncnn's TensorAsStrided states the sizes."""
    return listed(layer, "sizes") or Unknown()


MOVE_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Padding", "ShuffleChannel"), _of_other_sizes),
    "Crop": _cut,
    "Permute": _permuted,
    "Flatten": _flat,
    "Reshape": _reshaped,
    "Concat": _joined,
    "GLU": _halved,
    "ExpandDims": _expanded,
    "Stack": _stacked,
    "SimpleUpsample": _repeated,
    "TensorAsStrided": _strided,
}
