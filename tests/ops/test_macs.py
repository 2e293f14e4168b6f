"""Multiply-accumulates of the matrix-like types, against PyTorch's own counter and counts by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ncnnparam.ops import LayerType, registry
from ncnnparam.ops.sizes import Shape
from ncnnparam.syntax import Value


def known(name: str) -> LayerType:
    layer_type = registry.get(name)
    assert layer_type is not None
    return layer_type


def macs(
    name: str, params: dict[str, Value], inputs: list[Shape | None], outputs: list[Shape | None]
) -> int | None:
    """The count for params given by name."""
    layer_type = known(name)
    ids = {layer_type.param(key): value for key, value in params.items()}
    return layer_type.count_macs({spec.id: value for spec, value in ids.items() if spec}, inputs, outputs)


def counted(module: Any, *inputs: Any) -> tuple[int, tuple[int, ...]]:
    """What PyTorch counts, 2 operations to each multiply-accumulate, and the shape of the first result."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        result = module(*inputs)
    result = result[0] if isinstance(result, tuple) else result
    assert counter.get_total_flops() % 2 == 0
    return counter.get_total_flops() // 2, tuple(result.shape)


CONVOLUTIONS = [  # class, ncnn's type, channels in and out, groups, spatial size, kernel, stride, dilation
    ("Conv1d", "Convolution1D", 6, 8, 1, (21,), (3,), 2, 1),
    ("Conv1d", "ConvolutionDepthWise1D", 6, 6, 6, (21,), (5,), 1, 2),
    ("Conv2d", "Convolution", 3, 8, 1, (17, 23), (3, 5), 2, 1),
    ("Conv2d", "Convolution", 4, 4, 1, (9, 9), (1, 1), 1, 1),
    ("Conv2d", "ConvolutionDepthWise", 8, 8, 8, (17, 23), (3, 3), 1, 2),
    ("Conv2d", "ConvolutionDepthWise", 8, 12, 4, (17, 23), (3, 3), 1, 1),
    ("Conv3d", "Convolution3D", 2, 4, 1, (7, 9, 11), (3, 3, 3), 1, 1),
    ("Conv3d", "ConvolutionDepthWise3D", 4, 8, 2, (7, 9, 11), (3, 1, 3), 2, 1),
    ("ConvTranspose1d", "Deconvolution1D", 6, 8, 1, (21,), (4,), 2, 1),
    ("ConvTranspose1d", "DeconvolutionDepthWise1D", 6, 12, 3, (21,), (4,), 2, 1),
    ("ConvTranspose2d", "Deconvolution", 3, 8, 1, (7, 5), (3, 5), 2, 1),
    ("ConvTranspose2d", "DeconvolutionDepthWise", 8, 8, 8, (7, 5), (4, 4), 2, 1),
    ("ConvTranspose3d", "Deconvolution3D", 2, 4, 1, (3, 4, 5), (3, 3, 3), 2, 1),
    ("ConvTranspose3d", "DeconvolutionDepthWise3D", 4, 8, 2, (3, 4, 5), (2, 3, 2), 1, 1),
]


@pytest.mark.parametrize("bias", [0, 1])
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda case: f"{case[1]}-{case[4]}")
def test_convolutions_as_pytorch_counts(case: tuple[Any, ...], bias: int) -> None:
    torch = pytest.importorskip("torch")
    kind, name, channels, outputs, groups, size, kernel, stride, dilation = case
    module = getattr(torch.nn, kind)(
        channels, outputs, kernel, stride, dilation=dilation, groups=groups, bias=bool(bias)
    )
    expected, shape = counted(module, torch.zeros(1, channels, *size))
    params = {
        "num_output": outputs,
        "kernel_w": kernel[-1],
        "weight_data_size": module.weight.numel(),
        "bias_term": bias,
    }
    if groups > 1:
        params["group"] = groups
    assert macs(name, params, [(channels, *size)], [shape[1:]]) == expected
    # with the weight as an input
    if "3D" not in name:
        dynamic = {"bias_term": bias, "dynamic_weight": 1}
        blobs: list[Shape | None] = [(channels, *size), tuple(module.weight.shape)[-4:]]
        assert macs(name, dynamic, blobs, [shape[1:]]) == expected


def test_deformable_convolution() -> None:
    # each of 8 outputs at 5 x 7 places: 3 channels under a 3 x 3 kernel
    params = {"num_output": 8, "kernel_w": 3, "weight_data_size": 8 * 3 * 9}
    assert macs("DeformableConv2D", params, [(3, 7, 9), (18, 5, 7)], [(8, 5, 7)]) == 8 * 5 * 7 * 3 * 9


def test_a_convolution_of_a_vector_is_a_matrix() -> None:
    params = {"num_output": 8, "kernel_w": 1, "weight_data_size": 80}
    assert macs("Convolution", params, [(10,)], [(8,)]) == 80


@pytest.mark.parametrize("rows", [None, 13])
def test_fully_connected_as_pytorch_counts(rows: int | None) -> None:
    torch = pytest.importorskip("torch")
    expected, _ = counted(torch.nn.Linear(10, 6), torch.zeros(rows or 1, 10))
    blobs = [(rows, 10), (rows, 6)] if rows else [(10,), (6,)]
    assert macs("InnerProduct", {"num_output": 6, "weight_data_size": 60}, [blobs[0]], [blobs[1]]) == expected


@pytest.mark.parametrize(("first", "second"), [((5, 7), (7, 3)), ((4, 5, 7), (4, 7, 3)), ((7,), (7, 3))])
def test_products_as_pytorch_counts(first: Shape, second: Shape) -> None:
    torch = pytest.importorskip("torch")
    rows = first if len(first) > 1 else (1, *first)
    expected, _ = counted(torch.matmul, torch.zeros(rows), torch.zeros(second))
    result = (*first[:-1], second[-1])
    assert macs("MatMul", {}, [first, second], [result]) == expected
    turned = (*second[:-2], second[-1], second[-2])
    assert macs("MatMul", {"transB": 1}, [first, turned], [result]) == expected


@pytest.mark.parametrize(
    ("params", "inputs"),
    [
        ({}, [(5, 7), (7, 3)]),
        ({"transB": 1}, [(5, 7), (3, 7)]),
        ({"transA": 1}, [(7, 5), (7, 3)]),
        ({"transA": 1}, [(7, 1, 5), (7, 3)]),  # 3 dimensions: the channels are the rows
        ({"constantB": 1, "constantN": 3, "constantK": 7}, [(5, 7)]),
        ({"constantA": 1, "constantM": 5, "constantK": 7}, [(7, 3)]),
        ({"constantA": 1, "constantB": 1, "constantM": 5, "constantN": 3, "constantK": 7}, []),
    ],
)
@pytest.mark.parametrize("result", [(5, 3), (3, 5), (5, 1, 3)])
def test_gemm(params: dict[str, Value], inputs: list[Shape | None], result: Shape) -> None:
    assert macs("Gemm", params, inputs, [result]) == 5 * 7 * 3


@pytest.mark.parametrize(("name", "cell"), [("RNN", "RNNCell"), ("LSTM", "LSTMCell"), ("GRU", "GRUCell")])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers_as_pytorch_counts(name: str, cell: str, directions: int) -> None:
    torch = pytest.importorskip("torch")
    steps, width, hidden = 11, 10, 6
    module = getattr(torch.nn, cell)(width, hidden)
    once, _ = counted(module, torch.zeros(1, width))
    params = {
        "num_output": hidden,
        "weight_data_size": directions * module.weight_ih.numel(),
        "direction": 2 if directions == 2 else 0,
    }
    shape = (steps, hidden * directions)
    assert macs(name, params, [(steps, width)], [shape]) == steps * directions * once


def test_lstm_with_projection() -> None:
    # per step: 4 gates of 12 from 10 inputs and 6 states, then 12 to 6
    params = {"num_output": 6, "hidden_size": 12, "weight_data_size": 4 * 12 * 10}
    assert macs("LSTM", params, [(11, 10)], [(11, 6)]) == 11 * (48 * 10 + 48 * 6 + 12 * 6)


@pytest.mark.parametrize("cross", [False, True])
def test_attention_as_pytorch_counts(cross: bool) -> None:
    torch = pytest.importorskip("torch")
    length, other, dim = 9, 5 if cross else 9, 12
    module = torch.nn.MultiheadAttention(dim, 3, batch_first=True).train()
    query = torch.zeros(1, length, dim)
    memory = torch.zeros(1, other, dim)
    expected, _ = counted(lambda: module(query, memory, memory, need_weights=True))
    params = {"embed_dim": dim, "num_heads": 3, "weight_data_size": dim * dim}
    inputs: list[Shape | None] = [(length, dim), (other, dim)] if cross else [(length, dim)]
    assert macs("MultiHeadAttention", params, inputs, [(length, dim)]) == expected
    with_mask = {**params, "attn_mask": 1}
    assert macs("MultiHeadAttention", with_mask, [*inputs, (length, other)], [(length, dim)]) == expected


def test_attention_with_a_cache() -> None:
    # 2 new rows see 10; only the new ones are projected
    params = {"embed_dim": 12, "num_heads": 3, "weight_data_size": 144, "kv_cache": 1}
    cache = (3, 8, 4)
    outputs: list[Shape | None] = [(2, 12), (3, 10, 4), (3, 10, 4)]
    projections, scores = 4 * 2 * 12 * 12, 2 * 2 * 10 * 12
    assert macs("MultiHeadAttention", params, [(2, 12), cache, cache], outputs) == projections + scores
    # across to another sequence, whose rows are in the cache and not projected again
    seen: list[Shape | None] = [(2, 12), cache, cache]
    inputs: list[Shape | None] = [(2, 12), (8, 12), cache, cache]
    assert macs("MultiHeadAttention", params, inputs, seen) == 2 * 2 * 12 * 12 + 2 * 2 * 8 * 12


def test_scaled_dot_product() -> None:
    torch = pytest.importorskip("torch")
    query, key, value = (torch.zeros(1, 3, *shape) for shape in ((9, 4), (5, 4), (5, 6)))
    expected, _ = counted(lambda: torch.matmul(torch.matmul(query, key.transpose(2, 3)), value))
    inputs: list[Shape | None] = [(3, 9, 4), (3, 5, 4), (3, 5, 6)]
    assert macs("SDPA", {}, inputs, [(3, 9, 6)]) == expected
    cached: list[Shape | None] = [(3, 9, 4), (3, 2, 4), (3, 2, 6), (3, 3, 4), (3, 3, 6)]
    outputs: list[Shape | None] = [(3, 9, 6), (3, 5, 4), (3, 5, 6)]
    assert macs("SDPA", {"kv_cache": 1}, cached, outputs) == expected


def test_what_is_no_product_counts_nothing() -> None:
    for name in ("ReLU", "Scale", "BatchNorm", "Split", "Embed", "Pooling", "SherpaMetaData", "Stack"):
        assert known(name).count_macs({}, [None], [None]) == 0


def test_unknown() -> None:
    params: dict[str, Value] = {"num_output": 8, "kernel_w": 3, "weight_data_size": 216}
    assert macs("Convolution", params, [(3, 7, 7)], [None]) is None
    assert macs("Convolution", params, [None], [(8, 5, 5)]) is None
    assert macs("Convolution1D", params, [None], [(8, 5)]) == 5 * 216  # its input does not matter
    assert macs("MatMul", {}, [(3, 7)], []) is None
    assert known("Einsum").count_macs({}, [(3, 7), (7, 3)], [(3, 3)]) is None


@pytest.mark.parametrize("name", registry.names())
def test_no_shape_makes_trouble(name: str) -> None:
    shapes: list[Shape | None] = [(4,), (4, 4), (4, 4, 4), (4, 4, 4, 4), None]
    for shape in shapes:
        count = known(name).count_macs({}, [shape] * 3, [shape] * 3)
        assert count is None or count >= 0
