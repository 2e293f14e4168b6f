"""Numbers read piece by piece are those of the whole array, and those of ncnn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam.graph import Layer
from ncnnparam.runtime import run_net
from ncnnparam.weights import Storage, Weight
from ncnnparam.weights.packed import unpack
from ncnnparam.weights.values import reader, widen

GENERATOR = np.random.default_rng(5)
NET = "7767517\n2 2\nInput in0 0 1 in0\n{} 1 1 in0 out0 {}\n"
INT8 = {
    "row": ("InnerProduct x", "0=6 2=42 8=2", "weight_data", "weight_data_int8_scales", 6),
    "group": ("ConvolutionDepthWise x", "0=6 1=1 6=12 7=3 8=1", "weight_data", "weight_data_int8_scales", 3),
    "one": ("Gemm x", "3=1 5=1 8=6 9=7 10=-1 18=2", "B_data", "B_data_int8_scale", 1),
    "column": ("Gemm x", "2=1 4=1 7=7 8=0 9=6 10=-1 18=2", "A_data", "A_data_int8_scales", 7),
}
"""Each way in which scales belong to numbers: layer, params, array, its scales and how many."""


def layer_of(head: str, params: str) -> Layer:
    return nnp.loads(NET.format(head, params)).graph.layer(head.split()[1])


def read(layer: Layer, name: str, start: int, size: int, **options: Any) -> Any:
    out = np.full(size, 7, np.float32)
    found = reader(layer, name, **options)
    assert found is not None
    found(start, out)
    return out


def int8_layer(way: str) -> tuple[Layer, str]:
    head, params, name, scales, count = INT8[way]
    layer = layer_of(head, params)
    size = 12 if way == "group" else 42
    layer.weights.put(name, np.arange(size) - 20, Storage.INT8)
    layer.weights[scales] = 2.0 ** np.arange(count)
    return layer, name


def test_widened_halves_are_numpys() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    for halves in (every, finite, finite[:1], every[:0]):
        out = np.empty(len(halves), np.float32)
        widen(halves, out)
        np.testing.assert_array_equal(out, halves.astype(np.float32))
        np.testing.assert_array_equal(np.signbit(out), np.signbit(halves))


@pytest.mark.parametrize("storage", [Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16, Storage.SCALED])
@given(start=st.integers(0, 41), size=st.integers(0, 42))
def test_floats(storage: Storage, start: int, size: int) -> None:
    layer = layer_of("InnerProduct x", "0=6 2=42")
    weight = layer.weights.put("weight_data", np.linspace(-3, 5, 42, dtype=np.float32), storage)
    whole = weight.numpy(np.float32)
    size = min(size, 42 - start)
    np.testing.assert_array_equal(
        read(layer, "weight_data", start, size), whole.reshape(-1)[start : start + size]
    )
    np.testing.assert_array_equal(
        read(layer, "weight_data", start, size, transposed=True), whole.T.reshape(-1)[start : start + size]
    )


def test_a_lookup_table() -> None:
    layer = layer_of("InnerProduct x", "0=6 2=42")
    array = layer.weights.put("weight_data", np.zeros(42)).array
    table, indexes = GENERATOR.normal(size=256).astype("<f4"), GENERATOR.integers(0, 256, 42, np.uint8)
    raw = (1).to_bytes(4, "little") + table.tobytes() + indexes.tobytes() + b"\0\0"
    layer._weights = (Weight(array, Storage.TABLE, memoryview(raw)),)
    np.testing.assert_array_equal(read(layer, "weight_data", 5, 30), table[indexes[5:35]])


@pytest.mark.parametrize("way", INT8)
@given(start=st.integers(0, 41), size=st.integers(0, 42))
def test_int8(way: str, start: int, size: int) -> None:
    layer, name = int8_layer(way)
    whole = layer.weights[name].numpy(np.float32)
    assert len(np.unique(whole)) > 10
    start = min(start, whole.size - 1)
    part = slice(start, start + size)
    flat = whole.reshape(-1)[part]
    np.testing.assert_array_equal(read(layer, name, start, len(flat)), flat)
    if whole.ndim == 2:
        turned = whole.T.reshape(-1)[part]
        np.testing.assert_array_equal(read(layer, name, start, len(turned), transposed=True), turned)


def test_the_columns_of_a_square_matrix() -> None:
    layer = layer_of("Gemm x", "2=1 4=1 7=2 8=0 9=2 10=-1 18=2")
    layer.weights.put("A_data", [[4, 4], [8, 8]], Storage.INT8)
    layer.weights["A_data_int8_scales"] = np.array([1, 4])
    assert read(layer, "A_data", 0, 4).tolist() == [4, 1, 8, 2]
    assert read(layer, "A_data", 0, 4, transposed=True).tolist() == [4, 8, 1, 2]


def packed(numbers: Any, bits: int) -> Any:
    """Rows of ints as ncnn packs them: one long number, low bits first."""
    size = -(-numbers.shape[1] * bits // 8)
    mask = (1 << bits) - 1
    rows = [sum((int(n) & mask) << (bits * at) for at, n in enumerate(row)) for row in numbers]
    return np.array([list(row.to_bytes(size, "little")) for row in rows], dtype=np.uint8)


@pytest.mark.parametrize("bits", [4, 6, 8])
@given(st.integers(1, 40))
def test_packed_numbers(bits: int, count: int) -> None:
    limit = 1 << (bits - 1)
    numbers = np.random.default_rng(count).integers(-limit, limit, (3, count))
    np.testing.assert_array_equal(unpack(packed(numbers, bits), bits, count), numbers)


@pytest.mark.parametrize(
    ("term", "columns"),
    [(400, 33), (401, 70), (412, 131), (600, 35), (610, 33), (612, 130), (801, 65), (810, 40)],
)
def test_ncnn_computes_with_the_same_packed_numbers(term: int, columns: int, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    rows, bits, block = 5, term // 100, (32, 64, 128)[term % 10]
    model = nnp.loads(NET.format("Gemm x", f"3=1 5=1 6=1 7={columns} 8={rows} 9={columns} 10=-1 18={term}"))
    layer = model.graph.layer("x")
    limit = 1 << (bits - 1)
    layer.weights.put(
        "B_data", packed(GENERATOR.integers(1 - limit, limit, (rows, columns)), bits), Storage.BYTES
    )
    layer.weights["B_data_quantize_scales"] = GENERATOR.uniform(1, 9, (rows, -(-columns // block)))
    if term % 100 >= 10:
        layer.weights["B_data_input_scales"] = GENERATOR.uniform(0.5, 2, columns)
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    identity = np.eye(columns, dtype=np.float32)
    outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", {"in0": identity}, ["out0"])
    assert outcome.ok, outcome
    ours = read(layer, "B_data", 0, rows * columns, columns=columns).reshape(rows, columns)
    # with 8 bits ncnn rounds the input too, and 1 comes back as 127 / 127
    np.testing.assert_allclose(outcome.outputs["out0"].T, ours, rtol=0 if bits < 8 else 1e-6)
    np.testing.assert_array_equal(
        read(layer, "B_data", columns + 3, columns, columns=columns),
        ours.reshape(-1)[columns + 3 : 2 * columns + 3],
    )


def test_bytes_of_unknown_meaning() -> None:
    text = "7767517\n1 1\nMemoryData x 0 1 out0 0=8 21=4\n"
    layer = nnp.loads(text).graph.layer("x")
    layer.weights.put("data", np.arange(8), Storage.BYTES)
    assert reader(layer, "data") is None
