"""The numbers of an array are numpy's, torch's and ncnn's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import ncnnparam as nnp
from ncnnparam.ops import WeightArray
from ncnnparam.runtime import run_net
from ncnnparam.weights import Storage, Weight, encode

VALUES = np.array(
    [0, -0.0, 1, -1, 1 / 3, 1e-4, 1e-7, 6e-8, 65504, 65519, 1e5, -3e38, 1e-40, 1 + 2**-8, 1 + 3 * 2**-8],
    dtype=np.float32,
)
DATA = "7767517\n1 1\nMemoryData data 0 1 out0 0={} 21=0\n"
TAGGED = (Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16, Storage.SCALED)


def tagged(count: int) -> WeightArray:
    return WeightArray("data", "tagged", (count,))


def by_ncnn(weight: Weight, folder: Path) -> Any:
    """The numbers as ncnn reads them."""
    pytest.importorskip("ncnn")
    (folder / "m.param").write_text(DATA.format(weight.count))
    (folder / "m.bin").write_bytes(weight.raw)
    outcome = run_net(folder / "m.param", folder / "m.bin", {}, ["out0"])
    assert outcome.ok, outcome
    return outcome.outputs["out0"]


@pytest.mark.parametrize("storage", TAGGED)
def test_ncnn_reads_the_same_numbers(storage: Storage, tmp_path: Path) -> None:
    weight = encode(tagged(len(VALUES)), VALUES, storage)
    assert weight.storage is storage
    assert weight.nbytes == storage.size(len(VALUES))
    ours = weight.numpy(np.float32)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, by_ncnn(weight, tmp_path))


def test_ncnn_reads_the_same_lookup_table(tmp_path: Path) -> None:
    table = np.random.default_rng(1).normal(size=256).astype("<f4")
    indexes = np.array([0, 255, 7, 7, 128, 1, 2], dtype=np.uint8)
    raw = (1).to_bytes(4, "little") + table.tobytes() + indexes.tobytes() + b"\0"
    weight = Weight(tagged(7), Storage.TABLE, memoryview(raw))
    np.testing.assert_array_equal(weight.numpy(), indexes)
    np.testing.assert_array_equal(weight.numpy(np.float32), table[indexes])
    np.testing.assert_array_equal(weight.numpy(np.float32), by_ncnn(weight, tmp_path))


def test_ncnn_computes_with_the_same_int8_numbers(tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    model = nnp.loads("7767517\n2 2\nInput in0 0 1 in0\nEmbed e 1 1 in0 out0 0=5 1=3 2=0 3=15 18=2\n")
    embed = model.graph.layer("e")
    assert embed["weight_data_size"] == 15
    embed.weights.put("weight_data", np.arange(-127, 128, 18)[:15], Storage.INT8)
    embed.weights["weight_data_int8_scale"] = np.array([37.1])
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    words = np.array([2, 0, 1], dtype=np.int32)
    outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", {"in0": words}, ["out0"])
    assert outcome.ok, outcome
    np.testing.assert_array_equal(
        outcome.outputs["out0"], embed.weights["weight_data"].numpy(np.float32)[words]
    )


def test_int8_is_divided_by_row_and_by_group() -> None:
    graph = nnp.loads(
        "7767517\n3 3\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 a 0=3 2=6 8=2\n"
        "ConvolutionDepthWise dw 1 1 a out0 0=4 1=1 6=8 7=2 8=1\n"
    ).graph
    for name, scales in (("fc", [2.0, 4.0, np.inf]), ("dw", [2.0, 8.0])):
        weights = graph.layer(name).weights
        count = 6 if name == "fc" else 8
        weights.put("weight_data", np.arange(count) - 3, Storage.INT8)
        weights["weight_data_int8_scales"] = np.array(scales)
        expected = (np.arange(count) - 3) / np.repeat(scales, count // len(scales))
        found = weights["weight_data"].numpy(np.float32)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found.reshape(-1), expected.astype(np.float32))
        assert weights["weight_data"].numpy().dtype == np.int8
        assert weights["weight_data"].shape == found.shape


@pytest.mark.parametrize("rows", [2, 3])
def test_int8_of_a_transposed_matrix_is_divided_by_column(rows: int) -> None:
    graph = nnp.loads(
        f"7767517\n2 2\nInput in0 0 1 in0\nGemm g 1 1 in0 out0 2=1 4=1 7=3 8=0 9={rows} 10=-1 18=2\n"
    ).graph
    weights = graph.layer("g").weights
    weights.put("A_data", np.ones((rows, 3), dtype=np.int64), Storage.INT8)
    weights["A_data_int8_scales"] = np.array([1, 2, 4])
    np.testing.assert_array_equal(weights["A_data"].numpy(np.float32), [[1, 0.5, 0.25]] * rows)


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)))
def test_float16_is_numpys(numbers: Any) -> None:
    weight = encode(tagged(len(numbers)), numbers, Storage.FLOAT16)
    with np.errstate(over="ignore"):
        expected = numbers.astype(np.float16)
    np.testing.assert_array_equal(weight.numpy(), expected)
    np.testing.assert_array_equal(weight.numpy(np.float32), expected.astype(np.float32))


def test_bfloat16_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(1)
    bits = generator.integers(0, 2**32, 100_000, dtype=np.uint64).astype(np.uint32)
    bits[:4] = [0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F7FFFFF]  # NaNs, and what rounds to infinity
    numbers = bits.view(np.float32)
    weight = encode(tagged(len(numbers)), numbers, Storage.BFLOAT16)
    expected = torch.from_numpy(numbers).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(weight.numpy(np.float32), expected)


def test_views_copy_nothing() -> None:
    weight = encode(tagged(len(VALUES)), VALUES, Storage.FLOAT32)
    for view in (weight.numpy(), weight.numpy(np.float32)):
        assert np.shares_memory(view, np.frombuffer(weight.raw, np.uint8))
        assert not view.flags.writeable


def test_other_types_and_what_cannot_be_had() -> None:
    weight = encode(tagged(2), [0.5, 2], Storage.FLOAT32)
    assert weight.numpy(np.float64).dtype == np.float64
    with pytest.raises(nnp.WeightsError, match="not as int8"):
        weight.numpy(np.int8)
    packed = encode(WeightArray("B_data", "bytes", (3,)), [1, 2, 255], Storage.BYTES)
    assert packed.numpy().tolist() == [1, 2, 255]
    with pytest.raises(nnp.WeightsError, match="low-bit"):
        packed.numpy(np.float32)


@pytest.mark.parametrize(
    ("kind", "numbers", "storage", "words"),
    [
        ("tagged", [1, 2], Storage.RAW, "fp32, fp16, bf16, int8, scaled"),
        ("tagged", [1, 2], Storage.TABLE, "cannot be stored as table"),
        ("raw", [1, 2], Storage.FLOAT16, "raw"),
        ("tagged", [1, 2, 3], Storage.FLOAT32, "shape"),
        ("tagged", [[1, 2]], Storage.FLOAT32, "shape"),
        ("tagged", [1, 200], Storage.INT8, "-128 to 127"),
        ("tagged", [1.0, 2.0], Storage.INT8, "quantise"),
        ("tagged", ["a", "b"], Storage.FLOAT32, "made of numbers"),
    ],
)
def test_numbers_that_do_not_fit(kind: Any, numbers: Any, storage: Storage, words: str) -> None:
    with pytest.raises(nnp.WeightsError, match=words):
        encode(WeightArray("x", kind, (2,)), numbers, storage)


SCALED_LAYERS = {
    "InnerProduct": ("0=3 2=12 8=2", "weight_data", {"weight_data_int8_scales": [2.0, 5.5, 0.7]}),
    "InnerProduct, no scale": (
        "0=3 2=12 8=2",
        "weight_data",
        {"weight_data_int8_scales": [2.0, 0.0, np.inf]},
    ),
    "Gemm": ("3=1 5=1 6=1 8=3 9=4 10=-1 18=2", "B_data", {"B_data_int8_scale": [3.3]}),
}
"""Layers that multiply by a matrix of 3 x 4: params, the matrix, its scales."""


@pytest.mark.parametrize("case", SCALED_LAYERS)
def test_ncnn_multiplies_by_the_same_int8_numbers(case: str, tmp_path: Path) -> None:
    """What an identity gives is the matrix; a scale of 0 is that of a channel of zeros."""
    pytest.importorskip("ncnn")
    params, name, scales = SCALED_LAYERS[case]
    type = case.partition(",")[0]
    model = nnp.loads(f"7767517\n2 2\nInput in0 0 1 in0\n{type} x 1 1 in0 out0 {params}\n")
    weights = model.graph.layer("x").weights
    weights.put(name, np.arange(12).reshape(3, 4) * 20 - 115, Storage.INT8)
    for other, numbers in scales.items():
        weights[other] = np.array(numbers)
    if type == "InnerProduct":
        weights["bottom_blob_int8_scales"] = np.array([127.0])
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    identity = np.eye(4, dtype=np.float32)
    outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", {"in0": identity}, ["out0"])
    assert outcome.ok, outcome
    found = weights[name].numpy(np.float32)
    np.testing.assert_allclose(outcome.outputs["out0"].T, found, rtol=1e-6)


def test_scales_that_do_not_fit() -> None:
    weight = encode(tagged(7), np.arange(7), Storage.INT8)
    with pytest.raises(nnp.WeightsError, match="no scales"):
        weight.factors()
    scales = encode(WeightArray("scales", "raw", (2,)), [1, 2], Storage.RAW)
    with pytest.raises(nnp.WeightsError, match="2 scales for the 7 numbers"):
        replace(weight, scales=scales).numpy(np.float32)
