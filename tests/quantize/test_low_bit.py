"""Matrices packed in blocks of a few bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam import load
from ncnnparam.errors import WeightsError
from ncnnparam.ops import versions
from ncnnparam.quantize.int8 import Options, quantize
from ncnnparam.quantize.low_bit import BITS, BLOCKS, LowBit, pack
from ncnnparam.runtime import run_net
from ncnnparam.weights import Storage
from ncnnparam.weights.packed import unpack
from ncnnparam.weights.values import reader

from .int8_models import sqnr
from .test_int8 import filled

NET = """7767517
4 4
Input                    in0                      0 1 in0 0=50 1=7
Gemm                     one                      1 1 in0 a 5=1 6=1 8=40 9=50 10=4
Gemm                     two                      1 1 a b 3=1 5=1 8=30 9=40 10=-1
MultiHeadAttention       att                      1 1 b out0 0=24 1=3 2=720 3=30 4=30
"""


@given(st.sampled_from(BITS), st.integers(1, 5), st.integers(1, 40), st.integers(0, 9))
def test_what_is_packed_is_unpacked_again(bits: int, rows: int, columns: int, seed: int) -> None:
    most = LowBit(bits).largest
    numbers = np.random.default_rng(seed).integers(-most, most, (rows, columns), np.int8, endpoint=True)
    packed = pack(numbers, bits)
    assert packed.shape == (rows, -(-columns * bits // 8))
    assert np.array_equal(unpack(packed, bits, columns), numbers)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("block", BLOCKS)
def test_ncnn_computes_what_is_stored(bits: int, block: int, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    model = filled(NET)
    for layer in model.graph:
        for name, weight in layer.weights.items():  # small, so that the attention is no mere choice
            layer.weights[name] = weight.numpy() / 10
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    result = quantize(model.graph, None, Options(low_bit=LowBit(bits, block)))
    assert [one.packed for one in result.layers] == [f"{bits} bit in blocks of {block}"] * 3
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    inputs = {"in0": np.random.default_rng(1).normal(size=(7, 50)).astype(np.float32)}
    floats, packed = (
        run_net(tmp_path / f"{name}.param", tmp_path / f"{name}.bin", inputs, ["a", "b", "out0"])
        for name in "mq"
    )
    assert packed.ok, packed.problem
    assert sqnr(floats.outputs["a"], packed.outputs["a"]) > {4: 15, 6: 27, 8: 38}[bits]
    assert sqnr(floats.outputs["out0"], packed.outputs["out0"]) > {4: 5, 6: 18, 8: 30}[bits]
    layer = load(tmp_path / "q.param", tmp_path / "q.bin").graph.layer("two")
    stored = np.empty(30 * 40, np.float32)
    read = reader(layer, "B_data", columns=40)
    assert read is not None
    read(0, stored)
    if bits < 8:  # with 8 bits ncnn rounds the input too
        expected = packed.outputs["a"] @ stored.reshape(30, 40).T
        assert np.allclose(packed.outputs["b"], expected, atol=1e-3)


def test_clipping_makes_the_error_smaller() -> None:
    errors = {}
    for clip in ("minmax", "mse"):
        model = filled(NET)
        floats = model.graph.layer("two").weights["B_data"].numpy().copy()
        quantize(model.graph, None, Options(low_bit=LowBit(4, 32, clip)))
        layer = model.graph.layer("two")
        read = reader(layer, "B_data", columns=40)
        assert read is not None
        stored = np.empty(30 * 40, np.float32)
        read(0, stored)
        errors[clip] = float(((stored.reshape(30, 40) - floats) ** 2).sum())
    assert errors["mse"] < 0.95 * errors["minmax"]


def test_zeros_have_a_scale() -> None:
    model = filled(NET)
    model.graph.layer("two").weights["B_data"] = np.zeros((30, 40), np.float32)
    quantize(model.graph, None, Options(low_bit=LowBit(6)))
    layer = model.graph.layer("two")
    assert layer.weights["B_data_quantize_scales"].numpy().tolist() == [[1.0]] * 30
    assert not layer.weights["B_data"].numpy().any()


def test_what_cannot_be_packed() -> None:
    model = filled(NET.replace("1 1 a b 3=1", "1 1 a b 2=1 3=1"))
    result = quantize(model.graph, None, Options(low_bit=LowBit(4), skip="name=att"))
    notes = {one.layer: one.note for one in result.layers}
    assert notes["one"] == ""
    assert "transA" in notes["two"]
    assert notes["att"] == "it was not asked for"
    assert model.graph.layer("one").weights["B_data"].storage is Storage.BYTES
    assert model.graph.layer("two").weights["B_data"].storage is Storage.FLOAT16


def test_weights_that_are_no_numbers_stop_the_save(tmp_path: Path) -> None:
    model = filled(NET)
    numbers = model.graph.layer("two").weights["B_data"].numpy().copy()
    numbers[3, 3] = np.inf
    model.graph.layer("two").weights["B_data"] = numbers
    quantize(model.graph, None, Options(low_bit=LowBit(4)))
    with pytest.raises(WeightsError, match="B_data has numbers that are infinite or none"):
        model.save(tmp_path / "q.param", tmp_path / "q.bin")
    assert [*tmp_path.iterdir()] == []


def test_older_runtimes_know_no_packed_weights() -> None:
    options = Options(low_bit=LowBit(4), target=versions.target("ncnn-20260526"))
    result = quantize(filled(NET).graph, None, options)
    assert {one.note for one in result.layers} == {"ncnn-20260526 knows no packed weights"}
