"""Sizes and axes of ncnn's blobs, as far as the repairs need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ncnnparam.ops import registry

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

UNSTATED = -233
"""ncnn's default for a size that ``Reshape`` does not state."""
_ORDER = ("c", "d", "h", "w")
_IDS = {1: (0,), 2: (0, 1), 3: (0, 1, 2), 4: (0, 1, 11, 2)}
"""Ids of a Reshape's params for one to four sizes, the width first."""


def stated_sizes(layer: Layer) -> tuple[int, ...] | None:
    """The sizes a Reshape or MemoryData states, outermost first, or None for an expression."""
    if layer.type == "Reshape" and layer["shape_expr"]:
        return None
    sizes = [layer[name] for name in _ORDER]
    return tuple(size for size in sizes if isinstance(size, int) and size not in (UNSTATED,))


def size_params(sizes: Sequence[int]) -> dict[int, int]:
    """The params of a Reshape to these sizes, by id.

    Args:
        sizes: Outermost first.

    Raises:
        ValueError: There are no sizes, or more than a blob of ncnn can have.
    """
    if len(sizes) not in _IDS:
        raise ValueError(f"a blob of ncnn cannot have {len(sizes)} axes")
    return dict(zip(_IDS[len(sizes)], reversed(sizes), strict=True))


def axis_param(layer: Layer) -> str | None:
    """The name of the param in which a layer says an axis, or several; None if there is none."""
    layer_type = registry.get(layer.type)
    known = [spec.name for spec in layer_type.params] if layer_type is not None else []
    if "axes" in known and layer["axes"]:
        return "axes"
    return "axis" if "axis" in known else None


Rank = Callable[["Layer", Sequence["int | None"]], "int | None"]


def ranks(graph: Graph) -> dict[str, int]:
    """How many axes each blob has, by name, where the layers above settle it."""
    known: dict[str, int] = {}
    for layer in graph:
        rank = _RULES.get(layer.type, _nothing)(layer, [known.get(blob.name) for blob in layer.inputs])
        if rank is not None:
            known.update((blob.name, rank) for blob in layer.outputs)
    return known


def _always(rank: int) -> Rank:
    return lambda layer, inputs: rank


def _keeps(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    """The outcome has as many axes as each input."""
    return next((rank for rank in inputs if rank is not None), None)


def _most(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    """The outcome has as many axes as the input that has most."""
    known = [rank for rank in inputs if rank is not None]
    return max(known) if known and len(known) == len(inputs) else None


def _rows(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    """A matrix stays one; everything else is flattened."""
    return None if inputs[0] is None else 2 if inputs[0] == 2 else 1


def _sized(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    sizes = stated_sizes(layer)
    if sizes is None:
        return str(layer["shape_expr"]).count(",") + 1
    return len(sizes) or None


def _dimensions(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    sizes = stated_sizes(layer)
    return len([size for size in sizes if size]) if sizes else None


def _more(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    return inputs[0] + _axes(layer) if inputs[0] is not None and _axes(layer) else None


def _fewer(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    return inputs[0] - _axes(layer) if inputs[0] is not None and _axes(layer) else None


def _reduced(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    if layer["keepdims"]:
        return inputs[0]
    return 1 if layer["reduce_all"] else _fewer(layer, inputs)


def _axes(layer: Layer) -> int:
    axes = layer["axes"]
    return len(axes) if isinstance(axes, tuple) else 0


def _nothing(layer: Layer, inputs: Sequence[int | None]) -> int | None:
    return None


_KEEPING = """
    Split Concat Slice Crop Permute Softmax GLU CumulativeSum Tile Eltwise UnaryOp Dropout Sigmoid TanH ReLU
    PReLU ELU SELU GELU Swish Mish Clip HardSigmoid HardSwish BatchNorm LayerNorm Scale Bias Padding Pooling
"""
_RULES: Mapping[str, Rank] = {
    **dict.fromkeys(_KEEPING.split(), _keeps),
    **dict.fromkeys(("Convolution", "ConvolutionDepthWise"), _always(3)),
    **dict.fromkeys(("Convolution1D", "ConvolutionDepthWise1D"), _always(2)),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "Gemm"), _always(2)),
    **dict.fromkeys(("BinaryOp", "MatMul"), _most),
    "InnerProduct": _rows,
    "MemoryData": _dimensions,
    "Reshape": _sized,
    "Flatten": _always(1),
    "ExpandDims": _more,
    "Squeeze": _fewer,
    "Reduction": _reduced,
}
"""How the axes of the outcome follow from those of the inputs; of other types nothing is known."""
