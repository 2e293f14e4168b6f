"""The parts of quantising: forms, weights, blocks, lowered Gemm layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam import Model, load, loads
from ncnnparam.ops import registry
from ncnnparam.passes.optimize.shapes import Shapes
from ncnnparam.quantize.blocks import STEP, blocks, largest
from ncnnparam.quantize.int8_form import INPUT_SCALES, has_int8, int8_form, switch
from ncnnparam.quantize.int8_weights import Int8Weights
from ncnnparam.quantize.lower_gemm import lower_gemm, obstacle
from ncnnparam.runtime.compare import compare_models
from ncnnparam.weights import Storage, encode

from .test_int8 import filled

HEAD = "7767517\n2 2\nInput in0 0 1 in0 0=5 1=7\n"


def layer_of(text: str) -> Model:
    return filled(f"{HEAD}{text}\n")


def test_types_with_int8() -> None:
    names = {name for name in registry.names() if has_int8(name)}
    assert names == {
        "Convolution", "ConvolutionDepthWise", "Embed", "GRU", "Gemm", "InnerProduct", "LSTM",
        "MultiHeadAttention", "RNN", "SDPA",
    }  # fmt: skip
    assert {switch(name) for name in names} == {8, 18}
    assert switch("ReLU") is None


@pytest.mark.parametrize(
    ("line", "value", "scaled", "fixed"),
    [
        ("Convolution x 1 1 in0 o 0=4 1=1 6=8", 2, [("weight_data", 4)], True),
        ("ConvolutionDepthWise x 1 1 in0 o 0=4 1=1 6=4 7=2", 1, [("weight_data", 2)], True),
        ("ConvolutionDepthWise x 1 1 in0 o 0=1 1=1 6=4 7=1", 1, [("weight_data", 1)], True),
        ("InnerProduct x 1 1 in0 o 0=3 2=15", 2, [("weight_data", 3)], True),
        ("LSTM x 1 1 in0 o 0=2 1=80 2=2", 2, [("weight_xc_data", 16), ("weight_hc_data", 16)], False),
        ("GRU x 1 1 in0 o 0=2 1=30", 2, [("weight_xc_data", 6), ("weight_hc_data", 6)], False),
        ("Embed x 1 1 in0 o 0=3 1=4 3=12", 2, [("weight_data", 1)], False),
        ("Gemm x 1 1 in0 o 4=1 7=3 9=5", 2, [("A_data", 3)], False),
        ("Gemm x 1 1 in0 o 5=1 8=3 9=5", 2, [("B_data", 1)], False),
        (
            "MultiHeadAttention x 1 1 in0 o 0=4 1=2 2=16",
            2,
            [("q_weight_data", 4), ("k_weight_data", 4), ("v_weight_data", 4), ("out_weight_data", 1)],
            False,
        ),
    ],
)  # fmt: skip
def test_forms(line: str, value: int, scaled: list[tuple[str, int]], fixed: bool) -> None:
    form = int8_form(layer_of(line).graph.layer("x"))
    assert form is not None
    assert form.value == value
    assert [(one.weights.name, one.scales.count) for one in form.scaled] == scaled
    assert [one.number for one in form.scaled] == [*range(len(scaled))]
    assert form.needs_input_scale is fixed
    assert (INPUT_SCALES in [array.name for array in form.arrays]) is fixed


def test_weights_that_come_in_have_no_form() -> None:
    model = loads("7767517\n3 3\nInput a 0 1 a\nInput b 0 1 b\nConvolution x 2 1 a b o 0=4 1=1 19=1\n")
    assert int8_form(model.graph.layer("x")) is None


@given(st.integers(1, 40), st.integers(1, 300_000))
def test_blocks_cover_a_matrix(rows: int, columns: int) -> None:
    rows = min(rows, 1_000_000 // columns + 1)
    seen = 0

    def read(start: int, out: object) -> None:
        assert start == seen

    for block in blocks(read, rows, columns):
        assert block.values.shape == (
            block.rows.stop - block.rows.start,
            block.columns.stop - block.columns.start,
        )
        assert block.values.size <= STEP
        assert block.rows.start * columns + block.columns.start == seen
        seen += block.values.size
    assert seen == rows * columns


def test_the_largest_of_rows_longer_than_a_block() -> None:
    numbers = np.random.default_rng(0).normal(size=(2, STEP + 5)).astype(np.float32)
    numbers[1, -1] = -9
    flat = numbers.reshape(-1)
    found = largest(lambda start, out: np.copyto(out, flat[start : start + len(out)]), *numbers.shape)
    assert np.array_equal(found, np.abs(numbers).max(axis=1))
    assert found[1] == 9


def test_columns_of_a_transposed_matrix_have_the_scales() -> None:
    layer = layer_of("Gemm x 1 1 in0 o 2=1 4=1 7=3 9=5").graph.layer("x")
    form = int8_form(layer)
    assert form is not None
    made = Int8Weights(layer, form.scaled[0])
    floats = layer.weights["A_data"].numpy()
    assert floats.shape == (5, 3)
    assert np.allclose(made.scales, 127 / np.abs(floats).max(axis=0))
    stored = np.frombuffer(b"".join(made.weights().pieces())[4:19], np.int8).reshape(5, 3)
    assert np.array_equal(stored, np.rint(floats * made.scales))


@pytest.mark.parametrize("storage", [Storage.FLOAT32, Storage.FLOAT16, Storage.BFLOAT16])
def test_weights_of_any_float_storage(storage: Storage) -> None:
    layer = layer_of("InnerProduct x 1 1 in0 o 0=3 2=15").graph.layer("x")
    layer.weights.put("weight_data", layer.weights["weight_data"].numpy(), storage)
    form = int8_form(layer)
    assert form is not None
    made = Int8Weights(layer, form.scaled[0])
    values = layer.weights["weight_data"].numpy(np.float32)
    whole = b"".join(made.weights().pieces())
    assert len(whole) == made.weights().nbytes
    assert np.array_equal(
        np.frombuffer(whole[4:19], np.int8).reshape(3, 5), np.rint(values * made.scales[:, None])
    )


LOWERED = [
    "Gemm x 1 1 in0 o 5=1 8=6 9=5 10=-1",
    "Gemm x 1 1 in0 o 3=1 5=1 8=6 9=5 10=-1",
    "Gemm x 1 1 in0 o 1=0.5 3=1 5=1 6=1 8=6 9=5 10=4",
    "Gemm x 1 1 in0 o 5=1 6=1 8=6 9=5 10=0",
    "Gemm x 1 1 in0 o 5=1 6=1 8=6 9=5 10=4 31=2",
]


@pytest.mark.parametrize("line", LOWERED)
@pytest.mark.parametrize("storage", [Storage.FLOAT32, Storage.FLOAT16])
def test_a_lowered_gemm_computes_the_same(line: str, storage: Storage, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    model = layer_of(line)
    weights = model.graph.layer("x").weights
    weights["B_data"] = weights.put("B_data", weights["B_data"].numpy(), storage).numpy()
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    before = load(tmp_path / "m.param", tmp_path / "m.bin")
    after = load(tmp_path / "m.param", tmp_path / "m.bin")
    (layer,) = lower_gemm(after.graph)
    assert (layer.type, layer.name, layer.outputs[0].name) == ("InnerProduct", "x", "o")
    assert layer.weights["weight_data"].storage is storage
    assert layer.params.get(31) == (2 if "31=2" in line else None)
    inputs = {"in0": np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)}
    (difference,) = compare_models(before, after, inputs)
    assert difference.shapes == ((7, 6), (7, 6))
    assert difference.is_within(1e-6)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Gemm x 1 1 in0 o 4=1 7=6 9=7", "its B is no constant, or its A is one"),
        ("Gemm x 1 1 in0 o 2=1 5=1 8=6 9=5 10=-1", "transA would be lost"),
        ("Gemm x 1 1 in0 o 5=1 8=6 9=5 10=-1 11=1 14=1", "output_N1M and output_transpose would be lost"),
        ("Gemm x 1 1 in0 o 0=0.5 5=1 8=6 9=5 10=-1", "alpha is not 1"),
        ("Gemm x 1 1 in0 o 5=1 6=1 7=7 8=6 9=5 10=3", "C is no constant row"),
        ("Gemm x 1 1 in0 o 5=1 6=1 7=7 8=6 9=5 10=1", "C is no constant row"),
    ],
)
def test_what_cannot_be_lowered(line: str, reason: str) -> None:
    graph = layer_of(line).graph
    assert obstacle(graph.layer("x"), Shapes(graph)) == reason
    assert lower_gemm(graph) == []


@pytest.mark.parametrize("sizes", ["0=5", "0=5 1=1 2=7"])
def test_only_matrices_are_lowered(sizes: str) -> None:
    graph = filled(f"7767517\n2 2\nInput in0 0 1 in0 {sizes}\nGemm x 1 1 in0 o 5=1 8=6 9=5 10=-1\n").graph
    assert obstacle(graph.layer("x"), Shapes(graph)) == f"its input has {len(sizes.split())} axes"


def test_an_int8_gemm_is_not_lowered() -> None:
    graph = loads(f"{HEAD}Gemm x 1 1 in0 o 5=1 8=6 9=5 10=-1 18=2\n").graph
    layer = graph.layer("x")
    form = int8_form(layer)
    assert form is not None
    for array in form.arrays:
        storage = Storage.INT8 if array.kind == "tagged" else Storage.RAW
        layer._weights += (encode(array, np.ones(array.count, np.int8), storage),)
    assert obstacle(layer, Shapes(graph)) == "it is quantised already"
