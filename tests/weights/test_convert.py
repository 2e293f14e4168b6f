"""Another storage: the numbers of numpy and torch, what is left alone, and what the real ncnn makes of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ncnnparam as nnp
from ncnnparam.errors import WeightsError
from ncnnparam.model import Model
from ncnnparam.ops import WeightArray
from ncnnparam.runtime import run_net
from ncnnparam.weights import Storage, Weight, in_order, pieces, wanted
from ncnnparam.weights.convert import CHOICES, Change, convert

from ..conftest import ROOT
from .conftest import Pair
from .pairs import corpus, demo

NAMES = [storage.value for storage in CHOICES]
LARGEST = {Storage.FLOAT16: 65504.0, Storage.BFLOAT16: float(np.array(0x7F7F0000, "<u4").view("<f4"))}


def model_of(numbers: np.ndarray, storage: Storage = Storage.FLOAT32) -> Model:
    """One InnerProduct with these weights."""
    text = f"7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=1 2={numbers.size}\n"
    model = nnp.loads(text)
    model.graph.layer("fc").weights.put("weight_data", numbers, storage)
    return model


def converted(model: Model, storage: Storage) -> tuple[Weight, list[Change]]:
    """The array after it went through a file, and what was told."""
    changes = convert(model.graph, storage)
    stored = io.BytesIO()
    for piece in pieces(in_order(model.graph), model.file):
        stored.write(piece)
    weight = model.graph.layer("fc").weights["weight_data"]
    assert bytes(weight.raw) == stored.getvalue()[: weight.nbytes]
    assert len(weight.raw) == weight.nbytes
    return weight, changes


bits = hnp.arrays("<u4", st.integers(1, 40), elements=st.integers(0, 2**32 - 1))


@given(bits)
def test_float16_is_numpys(given_bits: np.ndarray) -> None:
    numbers = given_bits.view("<f4")
    weight, (change,) = converted(model_of(numbers), Storage.FLOAT16)
    with np.errstate(over="ignore"):
        expected = numbers.astype("<f2")
    assert weight.numpy().tobytes() == expected.tobytes()
    assert change.overflowed == np.count_nonzero(np.isinf(expected) & np.isfinite(numbers))
    assert change.vanished == np.count_nonzero((expected == 0) & (numbers != 0))


@given(bits)
def test_bfloat16_is_torchs(given_bits: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    numbers = given_bits.view("<f4")
    weight, (change,) = converted(model_of(numbers), Storage.BFLOAT16)
    expected = torch.from_numpy(numbers.copy()).to(torch.bfloat16)
    found = torch.from_numpy(weight.numpy().reshape(-1).astype("<i2")).view(torch.bfloat16)
    real = ~torch.isnan(expected)  # the bits of a NaN differ from machine to machine
    assert torch.equal(torch.isnan(found), ~real)
    assert torch.equal(found[real].view(torch.int16), expected[real].view(torch.int16))
    overflowed = torch.isinf(expected) & torch.isfinite(torch.from_numpy(numbers.copy()))
    assert change.overflowed == int(overflowed.sum())


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
@pytest.mark.parametrize("size", [1, 2, 7, (1 << 18) - 1, 1 << 18, (1 << 19) + 3])
def test_losses_are_counted_across_pieces(storage: Storage, size: int) -> None:
    numbers = np.ones(size, "<f4")
    numbers[-1] = 1e-45
    numbers[0] = 3.4e38
    weight, (change,) = converted(model_of(numbers), storage)
    assert (change.overflowed, change.vanished) == (1, int(size > 1))
    assert weight.numpy(np.float32).reshape(-1)[1:-1].tolist() == [1.0] * (size - 2)
    assert change.bytes_after == weight.nbytes == 4 + -(-2 * size // 4) * 4


@pytest.mark.parametrize("storage", LARGEST)
def test_the_largest_number_stays(storage: Storage) -> None:
    weight, (change,) = converted(model_of(np.array([LARGEST[storage], -LARGEST[storage]], "<f4")), storage)
    assert change.overflowed == 0
    assert np.isfinite(weight.numpy(np.float32)).all()


@given(hnp.arrays("<f2", st.integers(1, 99), elements=st.floats(width=16)))
def test_there_and_back_is_the_identity(numbers: np.ndarray) -> None:
    model = model_of(numbers, Storage.FLOAT16)
    before = bytes(model.graph.layer("fc").weights["weight_data"].raw)
    wide, _ = converted(model, Storage.FLOAT32)
    assert np.array_equal(wide.numpy().reshape(-1), numbers.astype("<f4"), equal_nan=True)
    back, changes = converted(model, Storage.FLOAT16)  # of an array that is itself about to be converted
    assert bytes(back.raw) == before
    assert (changes[0].overflowed, changes[0].vanished) == (0, 0)


def table_of(values: np.ndarray, indexes: np.ndarray) -> memoryview:
    tag = (0x01010101).to_bytes(4, "little")
    return memoryview(
        tag + values.astype("<f4").tobytes() + indexes.astype("u1").tobytes() + bytes(-len(indexes) % 4)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_lookup_table_is_expanded(name: str) -> None:
    values, indexes = np.arange(256) / 4, np.arange(300) % 251
    model = model_of(np.zeros(300, "<f4"))
    array = WeightArray("weight_data", "tagged", (1, 300))
    model.graph.layer("fc")._weights = (Weight(array, Storage.TABLE, table_of(values, indexes)),)
    weight, (change,) = converted(model, Storage(name))
    assert (change.before, change.after) == (Storage.TABLE, Storage(name))
    assert weight.numpy(np.float32).reshape(-1).tolist() == values[indexes].tolist()


def test_scaled_is_float32_under_another_tag() -> None:
    numbers = np.arange(5, dtype="<f4")
    weight, (change,) = converted(model_of(numbers, Storage.SCALED), Storage.FLOAT32)
    assert bytes(weight.raw) == bytes(4) + numbers.tobytes()
    assert change.before is Storage.SCALED


def test_only_tagged_floats_change(pair: Pair) -> None:
    model = nnp.load(*pair)
    before = {(layer.name, name): bytes(w.raw) for layer in model.graph for name, w in layer.weights.items()}
    changes = convert(model.graph, Storage.FLOAT16)
    assert [(change.layer, change.array) for change in changes] == [("last", "weight_data")]
    for name in ("weight_data", "bias_data"):  # float16 already, with the padding of pnnx; and no tag
        assert bytes(model.graph.layer("fc").weights[name].raw) == before["fc", name]


def test_int8_stays() -> None:
    model = nnp.loads("7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 2=4 8=2\n")
    weights = model.graph.layer("fc").weights
    weights.put("weight_data", np.array([1, -2, 3, 127], "i1"), Storage.INT8)
    weights["weight_data_int8_scales"], weights["bottom_blob_int8_scales"] = np.ones(2), np.ones(1)
    assert [convert(model.graph, storage) for storage in CHOICES] == [[], [], []]


def test_what_cannot_be_converted_to() -> None:
    with pytest.raises(WeightsError, match="cannot be converted to int8") as caught:
        convert(model_of(np.ones(3, "<f4")).graph, Storage.INT8)
    assert "fp32, fp16, bf16" in str(caught.value)


def test_progress_is_told() -> None:
    told: list[int] = []
    model = model_of(np.ones((1 << 18) + 5, "<f4"))
    convert(model.graph, Storage.FLOAT16, tell=told.append)
    assert told == []  # nothing is made before somebody wants it
    for _ in pieces(in_order(model.graph), None):
        pass
    assert told == [1 << 18, 5]


@pytest.mark.parametrize("name", ["fp16", "bf16"])
def test_real_pairs_keep_their_sizes_right(shared: Path, tmp_path: Path, name: str) -> None:
    for pair in corpus():
        param, weights, _ = pair.values
        if weights.stat().st_size > 3_000_000:
            continue
        model = nnp.load(param, weights)
        changes = convert(model.graph, Storage(name))
        nnp.save(model, tmp_path / "m.param", tmp_path / "m.bin")
        again = nnp.load(tmp_path / "m.param", tmp_path / "m.bin")
        assert again.file is not None
        assert model.file is not None
        assert bytes(again.file.leftover) == bytes(model.file.leftover)
        difference = sum(change.bytes_after - change.bytes_before for change in changes)
        assert again.file.used == model.file.used + difference
        assert {w.storage for w in in_order(again.graph)} & {
            Storage.FLOAT32,
            Storage.TABLE,
            Storage.SCALED,
        } == set()
        assert (tmp_path / "m.param").read_bytes() == param.read_bytes()


CHILD = """
import resource
import ncnnparam as nnp
from ncnnparam.weights import Storage
from ncnnparam.weights.convert import convert
model = nnp.load("big.param", "big.bin")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert(model.graph, Storage.FLOAT16)
nnp.save(model, "half.param", "half.bin")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
def test_a_large_array_takes_little_memory(tmp_path: Path) -> None:
    count = 50_000_000  # elements of one array, 200 MB
    text = f"7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=1 2={count}\n"
    (tmp_path / "big.param").write_text(text)
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(4 + 4 * count)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=tmp_path, env=env, capture_output=True, check=True
    )
    assert int(done.stdout) < 80_000
    assert (tmp_path / "half.bin").stat().st_size == 4 + 2 * count


NETS = {
    "Convolution": ("Convolution x 1 1 in0 out0 0=4 1=3 5=1 6=108", (3, 8, 8)),
    "InnerProduct": ("InnerProduct x 1 1 in0 out0 0=5 1=1 2=60", (12,)),
    "Gemm": ("Gemm x 1 1 in0 out0 3=1 5=1 6=1 8=7 9=6 10=-1", (4, 6)),
    "LSTM": ("LSTM x 1 1 in0 out0 0=4 1=96 2=0", (5, 6)),
    "MultiHeadAttention": ("MultiHeadAttention x 1 1 in0 out0 0=8 1=2 2=64", (5, 8)),
    "LayerNorm": ("LayerNorm x 1 1 in0 out0 0=6 1=1e-5", (4, 6)),
}
PRECISION = {Storage.FLOAT32: 0.0, Storage.FLOAT16: 2.0**-11, Storage.BFLOAT16: 2.0**-8}


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    pytest.importorskip("ncnn")
    return np.random.default_rng(3)


@pytest.mark.parametrize("kind", NETS)
def test_ncnn_computes_the_same(kind: str, random: np.random.Generator, tmp_path: Path) -> None:
    line, shape = NETS[kind]
    model = nnp.loads(f"7767517\n2 2\nInput in0 0 1 in0\n{line}\n")
    layer = model.graph.layer("x")
    for array in wanted(layer):
        layer.weights[array.name] = random.standard_normal(array.shape).astype("<f4") / 2
    feed = {"in0": random.standard_normal(shape).astype("<f4")}
    found = {}
    for storage in CHOICES:
        copy = Model(model.graph.copy())
        convert(copy.graph, storage)
        nnp.save(copy, tmp_path / "m.param", tmp_path / "m.bin")
        outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", feed, ["out0"])
        assert outcome.ok, outcome
        found[storage] = outcome.outputs["out0"]
    original = found[Storage.FLOAT32]
    for storage, output in found.items():
        assert np.abs(output - original).max() <= 16 * PRECISION[storage] * np.abs(original).max()
    has_tags = any(array.kind == "tagged" for array in wanted(layer))
    assert np.array_equal(found[Storage.BFLOAT16], original) == (not has_tags)


@pytest.mark.parametrize("storage", CHOICES, ids=str)
def test_ncnn_runs_the_demo_encoder(storage: Storage, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    model = nnp.load(*demo())
    with np.load(demo()[0].with_name("expected.npz")) as arrays:
        feed = {f"in{index}": arrays[f"chunk0.in{index}"] for index in range(9)}
    convert(model.graph, storage)
    nnp.save(model, tmp_path / "m.param", tmp_path / "m.bin")
    outputs = ["out0", "out1"]
    first = run_net(*demo(), feed, outputs)
    second = run_net(tmp_path / "m.param", tmp_path / "m.bin", feed, outputs)
    assert first.ok, first
    assert second.ok, second
    for name in outputs:
        scale = np.abs(first.outputs[name]).max()
        difference = np.abs(second.outputs[name] - first.outputs[name]).max()
        assert difference <= 32 * PRECISION[storage] * scale
