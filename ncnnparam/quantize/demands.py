"""What layers of fixed weights demand of their inputs. ncnn does not look, and reads past the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.errors import BadItemError
from ncnnparam.ops import registry
from ncnnparam.weights.layout import describe, wanted

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

Shape: TypeAlias = tuple[int, ...]
_MATRIX, _IMAGE, _VOLUME = 2, 3, 4
"""Axes of inputs."""
_BOTH = 2
"""Directions of a layer that goes both ways."""
_PACKED = 4
"""ncnn packs numbers whose count is a multiple of this."""


@dataclass(frozen=True)
class Form:
    """How a layer sees its input.

    Attributes:
        text: What it takes, with ``{}`` for how many of what.
        unit: Of what.
        counts: How many it would find in an input of some shape; none if it cannot read such a shape.
    """

    text: str
    unit: str
    counts: Callable[[Shape], set[int]]

    def __call__(self, size: int) -> str:
        """What a layer takes, in words."""
        return self.text.format(f"{size} {self.unit}{'s' if size != 1 else ''}")


def _line(shape: Shape) -> set[int]:
    if len(shape) == 1:
        return {1}
    return {shape[-2]} if prod(shape[:-_MATRIX]) == 1 else set()


def _image(shape: Shape) -> set[int]:
    return {shape[0]} if len(shape) >= _IMAGE and prod(shape[1:-_MATRIX]) == 1 else set()


def _image_or_row(shape: Shape) -> set[int]:
    return set(shape) if len(shape) == 1 else _image(shape)


def _volume(shape: Shape) -> set[int]:
    return {shape[0]} if len(shape) in (_IMAGE, _VOLUME) else set()


def _flat(shape: Shape) -> set[int]:
    return {prod(shape), shape[-1]} if len(shape) == _MATRIX else {prod(shape)}


def _sequence(shape: Shape) -> set[int]:
    return {shape[-1]} if prod(shape[:-_MATRIX]) == 1 else set()


def _one_row(shape: Shape) -> set[int]:
    return {shape[-1]} if prod(shape[:-1]) == 1 else set()


def _two_rows(shape: Shape) -> set[int]:
    return _sequence(shape) if shape[-_MATRIX:-1] == (_BOTH,) else set()


def _matrix(shape: Shape) -> set[int]:
    return {shape[-1]} if len(shape) == _MATRIX else set()


def _rows(shape: Shape) -> set[int]:
    """Of a Gemm, to which each channel of an image is a row, and each number of a packed row too."""
    if len(shape) == 1:
        return {shape[0]} if shape[0] % _PACKED else set()
    is_row_a_channel = len(shape) == _IMAGE and shape[1] == 1
    return {shape[-1]} if len(shape) == _MATRIX or is_row_a_channel else set()


def _columns(shape: Shape) -> set[int]:
    """Of a Gemm that transposes its input."""
    return {shape[0]} if len(shape) > 1 and _rows(shape) else set()


_ROWS = "rows of {}"
LINE = Form("{}", "channel", _line)
"""What a convolution of one axis takes."""
IMAGE = Form("an image of {}", "channel", _image)
"""A matrix is none of one channel: ncnn packs its rows, as many as there are channels in a pack."""
IMAGE_OR_ROW = Form("an image of {}", "channel", _image_or_row)
"""What a float Convolution with a kernel of 1x1 takes; on a row it does as InnerProduct."""
VOLUME = Form("a volume of {}", "channel", _volume)
FLAT = Form(_ROWS, "number", _flat)
"""What an InnerProduct takes: rows, or what is one row when laid flat."""
SEQUENCE = Form(_ROWS, "number", _sequence)
"""What LSTM, GRU and RNN take."""
ONE_ROW = Form("a row of {}", "number", _one_row)
TWO_ROWS = Form("two rows of {}", "number", _two_rows)
MATRIX = Form("a matrix of rows of {}", "number", _matrix)
"""What MultiHeadAttention takes."""
ROWS = Form(_ROWS, "number", _rows)
COLUMNS = Form("columns of {}", "number", _columns)

_BY_KERNEL = {1: LINE, 2: IMAGE, 3: VOLUME}
"""By how many axes a kernel has."""


@dataclass(frozen=True)
class Demand:
    """What one layer demands of one of its inputs.

    Attributes:
        blob: The input.
        layer: The layer, as messages name it.
        size: How many channels the input has to have, or how many numbers a row.
        form: Which shapes have them.
    """

    blob: str
    layer: str
    size: int
    form: Form

    def require(self, shape: Shape) -> None:
        """Makes sure that the layer can be computed of an input of some shape.

        Raises:
            BadItemError: It cannot.
        """
        if self.size not in self.form.counts(shape):
            raise BadItemError(
                f"blob '{self.blob}' has the shape {shape}, and {self.layer} takes {self.form(self.size)}"
            )


def demands(layer: Layer) -> Iterator[Demand]:
    """The demands of a layer, float or int8: none if it has no weights of which the size of an input follows.

    Raises:
        WeightsError: The layer's params make no sense.
    """
    arrays = {array.name: array.shape for array in wanted(layer)}
    for index, size, form in _sizes(layer, arrays):
        if index < len(layer.inputs):
            yield Demand(layer.inputs[index].source.name, describe(layer), size, form)


def _sizes(layer: Layer, arrays: dict[str, Shape]) -> Iterator[tuple[int, int, Form]]:
    """For inputs by their index, the size that the layer demands, and in which form."""
    known = registry.get(layer.type)
    if known is None or known.custom:
        return
    weights = arrays.get("weight_data", ())
    if layer.type == "InnerProduct":
        yield 0, weights[1], FLAT
    elif len(weights) > _MATRIX:
        groups = _int(layer, "group") if known.param("group") else 1
        yield 0, weights[1] * groups, _kernel_form(layer, weights)
    elif "weight_xc_data" in arrays:
        yield from _recurrent(layer, arrays["weight_xc_data"])
    elif layer.type == "MultiHeadAttention":
        yield from _attention(layer)
    elif ("A_data" in arrays) != ("B_data" in arrays):
        has_columns = _int(layer, "transA") if "B_data" in arrays else not _int(layer, "transB")
        yield 0, _int(layer, "constantK"), COLUMNS if has_columns else ROWS


def _kernel_form(layer: Layer, weights: Shape) -> Form:
    form = _BY_KERNEL[len(weights) - 2]
    takes_row = layer.type == "Convolution" and weights[2:] == (1, 1) and not _int(layer, "int8_scale_term")
    return IMAGE_OR_ROW if takes_row else form


def _recurrent(layer: Layer, weights: Shape) -> Iterator[tuple[int, int, Form]]:
    directions, _, size = weights
    state = TWO_ROWS if directions == _BOTH else ONE_ROW
    yield 0, size, SEQUENCE
    yield 1, _int(layer, "num_output"), state
    if layer.type == "LSTM":
        yield 2, _int(layer, "hidden_size"), state


def _attention(layer: Layer) -> Iterator[tuple[int, int, Form]]:
    """Of query, key and value; without a blob of their own, the value is the key, and the key the query."""
    others = bool(_int(layer, "attn_mask")) + 2 * bool(_int(layer, "kv_cache"))
    last = max(len(layer.inputs) - others, 1) - 1
    for index, size in ((0, "qdim"), (min(last, 1), "kdim"), (last, "vdim")):
        yield index, _int(layer, size), MATRIX


def _int(layer: Layer, name: str) -> int:
    """A param or term of a layer, as ncnn reads it."""
    known = registry.get(layer.type)
    assert known is not None
    return known.evaluate(name, layer.params)
