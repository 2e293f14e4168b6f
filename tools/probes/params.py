"""Params and values that came, or went, with some release: a layer with and without them, run on both.

A release reads a param if the layer does the same as in a release that is known to read it, and something
else without the param. Where a param changes no number but the weights that are read, the ``.bin`` is one
that only fits the layer without the param: who reads the param then refuses the ``.bin``.

Not asked: params whose effect cannot be seen from outside, such as the tiles of Gemm or an ``impl_type``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from probes.features import Model, same

from ncnnparam.ops import registry

NEWEST = "20261020"
_INT8 = 0x000D4B38
_VOLUME = [[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]
_PICTURE = [[[1.0, 2.0], [3.0, 4.0]]]
_FOUR = [1.0, 2.0, 3.0, 4.0]
_ROWS = [[1.0, 2.0], [3.0, 4.0]]


@dataclass(frozen=True)
class ParamProbe:
    """A question about params of a type.

    Attributes:
        type: The layer type.
        ids: The params that are asked about; more than one where they only make sense together.
        added: The params as text.
        base: The other params of the line.
        inputs: What to feed; the layer reads these blobs.
        weights: The ``.bin``.
        outputs: Number of outputs, the first of which is compared.
        reference: A release that is known to read the params.
        run: Whether to run the layer, or only to load it.
    """

    type: str
    ids: tuple[int, ...]
    added: str
    base: str = ""
    inputs: Mapping[str, Any] = field(default_factory=lambda: {"in0": _FOUR})
    weights: bytes | None = None
    outputs: int = 1
    reference: str = NEWEST
    run: bool = True

    def model(self, *, stated: bool) -> Model:
        """The model with or without the params."""
        names = [f"out{number}" for number in range(self.outputs)]
        words = [self.type, "x", len(self.inputs), self.outputs, *self.inputs, *names, self.base]
        line = " ".join(map(str, [*words, self.added] if stated else words))
        return Model((line,), self.inputs, self.weights, names[:1] if self.run else ())

    def verdict(self, stated: Any, absent: Any, reference: Any) -> str:
        """Whether a release reads the params, in a word: reads, ignores, refuses or crashes.

        Args:
            stated: Its answer about the model with the params.
            absent: Its answer about the model without them.
            reference: The answer of the reference about the model with them.
        """
        if not self.run:
            return "reads" if _loaded(stated) == _loaded(reference) != _loaded(absent) else "ignores"
        if same(stated, reference) and not same(absent, reference):
            return "reads"
        if "signal" in stated:
            return "crashes"
        return "refuses" if stated.get("load") else "ignores"


def _loaded(said: Any) -> bool:
    """Whether a model was loaded; a ``.bin`` that is too short is refused, or ncnn crashes."""
    return said.get("load") == 0 and said["model"] == 0


def _floats(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def _stored(type: str, params: dict[int, Any], *, int8: bool = False) -> bytes:
    """The arrays that a layer reads, all ones."""
    layer_type = registry.get(type)
    assert layer_type is not None
    parts = []
    for array in layer_type.weight_layout(params):
        if int8 and array.kind == "tagged" and not array.name.startswith("bias"):
            parts.append(struct.pack("<I", _INT8) + b"\1" * array.count + bytes(-array.count % 4))
        else:
            parts.append(bytes(4 * (array.kind == "tagged")) + _floats(*[1.0] * array.count))
    return b"".join(parts)


def _int8(type: str, id: int, base: str) -> ParamProbe:
    """int8 weights without the scales for them: who knows int8 misses the scales."""
    params = {int(key): int(value) for key, value in (word.split("=") for word in base.split())}
    return _loads(type, id, f"{id}=2", base, _stored(type, params, int8=True))


def _loads(type: str, ids: tuple[int, ...] | int, added: str, base: str, weights: bytes) -> ParamProbe:
    ids = ids if isinstance(ids, tuple) else (ids,)
    return ParamProbe(type, ids, added, base, weights=weights, run=False)


_ONE_TAP = "0=1 1=1 6=1"
_DYNAMIC = [
    _loads(f"{stem}{group}{axes}", id, f"{id}=1", _ONE_TAP + (" 7=1" if group else ""), b"")
    for stem, id in (("Convolution", 19), ("Deconvolution", 28))
    for group in ("", "DepthWise")
    for axes in ("", "1D")
]
_ATTENTION = "0=1 1=1 2=1"
_ATTENTION_WEIGHTS = b"".join(_floats(0.0, 1.0, 0.5) for _ in range(4))  # tag, weight, bias

PARAMS: tuple[ParamProbe, ...] = (
    *_DYNAMIC,
    ParamProbe("Crop", (14, 15), "14=1 15=0", "3=-233 4=-233 5=-233", {"in0": _VOLUME}),
    ParamProbe("Crop", (13,), "13=1", "3=-233 4=-233 5=-233 14=1", {"in0": _VOLUME}),
    ParamProbe("Crop", (19, 20, 21), '19="+(+(0,0),+(0,1))" 20="+(+(0,0),+(0,3))" 21="+(+(0,0),+(0,0))"'),
    ParamProbe(
        "Embed", (18,), "18=2", "0=1 1=4 3=4", {"in0": [2]}, struct.pack("<I4bf", _INT8, 1, 2, 3, 4, 0.5)
    ),
    *(
        ParamProbe(
            type,
            (8,),
            "8=2",
            f"0=1 1={gates} 2=0",
            {"in0": [[1.0], [2.0]]},
            _stored(type, {0: 1, 1: gates, 2: 0, 8: 2}, int8=True),
        )
        for type, gates in (("GRU", 3), ("LSTM", 4), ("RNN", 1))
    ),
    _loads("LSTM", 3, "3=2", "0=1 1=8 2=0", _stored("LSTM", {0: 1, 1: 8, 2: 0})),
    _loads("Gemm", (4, 7, 9), "4=1 7=1 9=1", "", b""),
    _loads("Gemm", (5, 8), "5=1 8=1 9=1", "", b""),
    _loads("Gemm", (6, 10), "6=1 7=1 8=1 10=3", "", b""),
    ParamProbe("Gemm", (11,), "11=1", "", {"in0": _ROWS, "in1": _ROWS}),
    ParamProbe("Gemm", (14,), "14=1", "", {"in0": _ROWS, "in1": _ROWS}),
    _int8("Gemm", 18, "3=1 5=1 8=1 9=1"),
    ParamProbe(
        "GridSample",
        (3,),
        "3=1",
        "0=1 1=1",
        {"in0": _PICTURE, "in1": [[[-1.0, 1.0], [0.0, 0.5]], [[1.0, 0.0], [0.5, 0.0]]]},
    ),
    ParamProbe("Interp", (9,), '9="4,4"', "0=1", {"in0": _PICTURE}),
    ParamProbe("MemoryData", (11,), "11=2", "0=1 1=1 2=1", {}, _floats(1), run=False),
    ParamProbe("MemoryData", (21,), "21=0", "0=1", {}, _floats(1), run=False),
    _loads("MultiHeadAttention", 3, "3=2", _ATTENTION, _ATTENTION_WEIGHTS),
    _loads("MultiHeadAttention", 4, "4=2", _ATTENTION, _ATTENTION_WEIGHTS),
    ParamProbe(
        "MultiHeadAttention",
        (5,),
        "5=1",
        _ATTENTION,
        {"in0": [[1.0], [2.0]], "in1": [[0.0, -9.0], [0.0, 0.0]]},
        _ATTENTION_WEIGHTS,
    ),
    ParamProbe("MultiHeadAttention", (6,), "6=4.0", _ATTENTION, {"in0": [[1.0], [2.0]]}, _ATTENTION_WEIGHTS),
    ParamProbe(
        "MultiHeadAttention",
        (7,),
        "7=1",
        _ATTENTION,
        {"in0": [[1.0], [2.0]], "in1": [[[1.0]]], "in2": [[[3.0]]]},
        _ATTENTION_WEIGHTS,
        outputs=3,
    ),
    _int8("MultiHeadAttention", 18, _ATTENTION),
    ParamProbe(
        "Reduction",
        (5,),
        "5=1",
        "0=0 1=0 -23303=1,1",
        {"in0": [[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]},
    ),
    ParamProbe("Reshape", (6,), '6="2,2"'),
    ParamProbe("Reshape", (11,), "11=1", "0=2 1=2 2=1"),
    ParamProbe("Reshape", (12,), "12=0", "0=1 1=2", {"in0": _ROWS}),
    ParamProbe("Reshape", (13,), "13=0", "0=2 1=2 2=1"),
    ParamProbe("Reshape", (3,), "3=1", "0=8", {"in0": [_ROWS, _ROWS]}, reference="20210525"),
    ParamProbe("Slice", (2,), "-23302=1,1", "-23300=1,-233", outputs=2),
    ParamProbe(
        "Squeeze",
        (11,),
        "11=1",
        "",
        {
            "in0": [
                [
                    [[1.0, 2.0, 3.0, 4.0]],
                ]
            ]
        },
    ),
    ParamProbe("Tile", (2,), "-23302=1,2"),
    ParamProbe("ExpandDims", (0,), "0=1", reference="20210525"),
    ParamProbe("ExpandDims", (1,), "1=1", reference="20210525"),
    ParamProbe("ExpandDims", (2,), "2=1", "", {"in0": _ROWS}, reference="20210525"),
    ParamProbe("ExpandDims", (11,), "11=1", "", {"in0": _PICTURE}, reference="20250916"),
)


@dataclass(frozen=True)
class ValueProbe:
    """A question about the values of an enumeration: what comes out for each of them.

    Attributes:
        type: The layer type.
        id: The param.
        values: The values.
        base: The other params of the line.
        inputs: What to feed; the layer reads these blobs.
        weights: The ``.bin``.
    """

    type: str
    id: int
    values: Sequence[int]
    base: str = ""
    inputs: Mapping[str, Any] = field(default_factory=lambda: {"in0": [0.3, 0.5, 0.7, 0.9]})
    weights: bytes | None = None

    def model(self, value: int) -> Model:
        """The model with one of the values."""
        line = (
            f"{self.type} x {len(self.inputs)} 1 {' '.join(self.inputs)} out0 {self.base} {self.id}={value}"
        )
        return Model((line,), self.inputs, self.weights)

    def verdict(self, said: Any, reference: Any) -> str:
        """What a release makes of a value, from its answer and that of the newest release."""
        if same(said, reference):
            return "reads"
        if "signal" in said:
            return "crashes"
        return "refuses" if said.get("load") or said.get("model") or said.get("run") else "misreads"


_FC = "0=4 2=16"
_FC_WEIGHTS = _floats(0, *(float(row == column) for row in range(4) for column in range(4)))
_SIGNED = [[[-2.0, -0.5, 0.5, 2.0]]]
_TAP_WEIGHTS = _floats(0, 1)
_ACTIVATION = "-23310=2,0.1,0.6"

VALUES: tuple[ValueProbe, ...] = (
    ValueProbe("BinaryOp", 0, range(19), "", {"in0": [3.0, 2.5, 1.0, 0.5], "in1": [2.0, 1.5, 3.0, 4.0]}),
    ValueProbe("Eltwise", 0, range(3), "", {"in0": [3.0, 2.5, 1.0, 0.5], "in1": [2.0, 1.5, 3.0, 4.0]}),
    ValueProbe("UnaryOp", 0, [*range(25), 26, 27]),
    ValueProbe("UnaryOp", 0, [25], "", {"in0": [1.3, 1.5, 1.7, 1.9]}),
    ValueProbe("Reduction", 0, range(11), "1=1 5=1"),
    ValueProbe(
        "InnerProduct", 9, range(7), f"{_FC} {_ACTIVATION}", {"in0": [-2.0, -0.5, 0.5, 2.0]}, _FC_WEIGHTS
    ),
    ValueProbe("Convolution", 9, range(7), f"{_ONE_TAP} {_ACTIVATION}", {"in0": _SIGNED}, _TAP_WEIGHTS),
    *(
        ValueProbe(type, 9, range(7), f"{_ONE_TAP} {more} {_ACTIVATION}", {"in0": _SIGNED[0]}, _TAP_WEIGHTS)
        for type, more in (("Convolution1D", ""), ("ConvolutionDepthWise1D", "7=1"), ("Deconvolution1D", ""))
    ),
    ValueProbe(
        "ConvolutionDepthWise", 9, range(7), f"{_ONE_TAP} 7=1 {_ACTIVATION}", {"in0": _SIGNED}, _TAP_WEIGHTS
    ),
    ValueProbe("Interp", 0, range(1, 4), "3=4 4=4", {"in0": _PICTURE}),
    ValueProbe(
        "Padding", 4, range(3), "2=1 3=1 5=7.0", {"in0": [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]]}
    ),
    ValueProbe("Pooling", 0, range(2), "1=2 2=2", {"in0": _PICTURE}),
    ValueProbe(
        "Pooling", 5, range(4), "1=3 2=2", {"in0": [[[float(4 * h + w) for w in range(4)] for h in range(4)]]}
    ),
    ValueProbe(
        "GridSample",
        0,
        range(1, 4),
        "1=1",
        {"in0": _PICTURE, "in1": [[[-1.0, 1.0], [0.0, 0.5]], [[1.0, 0.0], [0.5, 0.0]]]},
    ),
    ValueProbe(
        "GridSample",
        1,
        range(1, 4),
        "0=1",
        {"in0": _PICTURE, "in1": [[[-1.5, 1.5], [0.0, 2.5]], [[1.8, 0.0], [0.5, 0.0]]]},
    ),
)
