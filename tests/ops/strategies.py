"""Params that make sense, for every type that has weights: ids -> values, as a layer line would give them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from hypothesis import strategies as st

from ncnnparam.ops import LayerType, registry
from ncnnparam.syntax import Value

Draw = Callable[[st.SearchStrategy[Any]], Any]

LOW_BIT = [bits * 100 + scales * 10 + block for bits in (4, 6, 8) for scales in (0, 1) for block in (0, 1, 2)]
"""Every value of quantize_term that means packed weights."""
small = st.integers(1, 5)
flag = st.integers(0, 1)


@st.composite
def sound_params(draw: Draw, name: str) -> dict[int, Value]:
    """Params of a layer of this type that ncnn should take."""
    layer_type = registry.get(name)
    assert layer_type is not None
    named = _MAKERS.get(name, _sizes)(draw, layer_type)
    stated: dict[int, Value] = {}
    for key, value in named.items():
        spec = layer_type.param(key)
        assert spec is not None, (name, key)
        stated[spec.id] = value
    return stated


def _sizes(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    """For types whose arrays are as long as a param says."""
    named: dict[str, Value] = {}
    for weight in layer_type.weights:
        for size in weight.shape:
            named.update({key: draw(st.integers(1, 40)) for key in layer_type.parsed(size).names})
    for weight in layer_type.weights:
        if weight.when:
            named.update({key: draw(st.integers(0, 3)) for key in layer_type.parsed(weight.when).names})
    return named


def _convolution(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    def has(key: str) -> bool:
        return layer_type.param(key) is not None

    group = draw(small) if has("group") else 1
    kernel = {f"kernel_{axis}": draw(small) for axis in "whd" if has(f"kernel_{axis}")}
    named: dict[str, Value] = {
        "num_output": group * draw(small),
        **kernel,
        "bias_term": draw(flag),
        "stride_w": draw(small),
        "dilation_w": draw(small),
        "pad_left": draw(st.integers(-234, 3)),
        **_activation(draw),
    }
    if draw(flag):  # the other axes as the width
        kernel = dict.fromkeys(kernel, kernel["kernel_w"])
        named = {key: value for key, value in named.items() if key not in ("kernel_h", "kernel_d")}
    taps = prod(kernel.values())
    named["weight_data_size"] = int(named["num_output"]) * draw(small) * taps
    if has("group"):
        named["group"] = group
    if has("int8_scale_term"):
        named["int8_scale_term"] = draw(st.sampled_from((0, 1, 2, 101, 102)))
    if has("dynamic_weight"):
        named["dynamic_weight"] = int(draw(st.integers(0, 9)) == 0)
    return named


def _activation(draw: Draw) -> dict[str, Value]:
    kind = draw(st.integers(0, 6))
    return {"activation_type": kind, "activation_params": (0.5, 1.0)} if kind else {}


def _inner_product(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    rows = draw(st.integers(1, 20))
    return {
        "num_output": rows,
        "bias_term": draw(flag),
        "weight_data_size": rows * draw(st.integers(1, 20)),
        "int8_scale_term": draw(st.sampled_from((0, 1, 2, 102))),
        **_activation(draw),
    }


def _embed(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    columns, rows = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    return {
        "num_output": columns,
        "input_dim": rows,
        "bias_term": draw(flag),
        "weight_data_size": columns * rows,
        "int8_scale_term": draw(flag) * 2,
    }


def _recurrent(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[layer_type.name]
    state, direction = draw(st.integers(1, 9)), draw(st.integers(0, 2))
    named: dict[str, Value] = {
        "num_output": state,
        "direction": direction,
        "int8_scale_term": draw(flag) * 2,
    }
    if gates == 4 and draw(flag):
        named["hidden_size"] = state = draw(st.integers(1, 9))
    named["weight_data_size"] = draw(small) * state * gates * (2 if direction == 2 else 1)
    return named


def _gemm(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    size = st.integers(1, 140)
    named: dict[str, Value] = {"constantM": draw(size), "constantN": draw(size), "constantK": draw(size)}
    if draw(flag):
        quantize = {"quantize_term": draw(st.sampled_from(LOW_BIT)), "constantB": 1, "transB": 1}
    else:
        quantize = {
            "quantize_term": draw(st.sampled_from((0, 0, 1, 2, 3, 100, 399, -400))),
            "transA": draw(flag),
            "transB": draw(flag),
            "constantA": draw(flag),
            "constantB": draw(flag),
        }
    broadcast = draw(st.integers(-1, 4))
    return {**named, **quantize, "constantC": draw(flag), "constant_broadcast_type_C": broadcast}


def _attention(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    heads = draw(small)
    embed = heads * draw(st.integers(1, 30))
    named: dict[str, Value] = {
        "embed_dim": embed,
        "num_heads": heads,
        "weight_data_size": embed * draw(st.integers(1, 140)),
        "quantize_term": draw(st.sampled_from((0, 0, 1, 2, 100, *LOW_BIT))),
        "attn_mask": draw(flag),
        "kv_cache": draw(flag),
    }
    for key in ("kdim", "vdim"):
        if draw(flag):
            named[key] = draw(st.integers(1, 140))
    return named


def _memory_data(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    named: dict[str, Value] = {key: draw(small) for key in "whdc"[: draw(st.integers(0, 4))]}
    if "d" in named and draw(flag):
        named["c"] = named.pop("d")  # 3 dimensions are w, h, c
    elif "d" in named:
        named.setdefault("c", 1)
    if draw(flag):
        named["load_type"] = draw(st.sampled_from((0, 1, 3, 4, 6, 8)))
    return named


def _scale(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    return {"scale_data_size": draw(st.sampled_from((-233, 1, 7, 64))), "bias_term": draw(flag)}


def _group_norm(draw: Draw, layer_type: LayerType) -> dict[str, Value]:
    group, affine = draw(small), draw(flag)
    return {"group": group, "channels": group * draw(small), "affine": affine}


_MAKERS: dict[str, Callable[[Draw, LayerType], dict[str, Value]]] = {
    **{
        f"{stem}olution{group}{axes}": _convolution
        for stem in ("Conv", "Deconv")
        for group in ("", "DepthWise")
        for axes in ("", "1D", "3D")
    },
    "DeformableConv2D": _convolution,
    "Embed": _embed,
    "GRU": _recurrent,
    "Gemm": _gemm,
    "GroupNorm": _group_norm,
    "InnerProduct": _inner_product,
    "LSTM": _recurrent,
    "MemoryData": _memory_data,
    "MultiHeadAttention": _attention,
    "RNN": _recurrent,
    "Scale": _scale,
}
