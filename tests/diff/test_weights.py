"""What a comparison of two models with weights reports."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.diff import LayerQuantized, ParamChanged, weights
from ncnnparam.diff.arrays import ArrayDiff, WeightDiff
from ncnnparam.diff.size import ADDED, FRAMES, KEPT, LOADED, MISSED, RAW
from ncnnparam.diff.weights import OTHER_SIZE, PACKED, compare_weights
from ncnnparam.weights import Storage, WeightFile

from ..weights.test_values import packed

NUMBERS = np.random.default_rng(3).normal(size=(8, 40)).astype(np.float32)
"""A matrix of eight outputs and forty inputs."""


def model(*layers: str) -> nnp.Model:
    """Layers one after the other, without their weights."""
    lines = ["Input in0 0 1 b0"]
    for number, layer in enumerate(layers):
        head, _, params = layer.partition("|")
        lines.append(f"{head.strip()} 1 1 b{number} b{number + 1} {params.strip()}")
    return nnp.loads(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines) + "\n")


def put(model: nnp.Model, layer: str, **arrays: Any) -> nnp.Model:
    """Gives a layer arrays: numbers, or numbers and how to store them."""
    for name, given in arrays.items():
        numbers, storage = given if isinstance(given, tuple) else (given, None)
        model.graph.layer(layer).weights.put(name, np.reshape(numbers, -1), storage)
    return model


def linear(params: str = "", storage: Storage = Storage.FLOAT32, numbers: Any = NUMBERS) -> nnp.Model:
    return put(model(f"InnerProduct fc | 0=8 2=320 {params}"), "fc", weight_data=(numbers, storage))


def linear_int8(numbers: Any = NUMBERS) -> nnp.Model:
    scales = 127 / np.abs(numbers).max(1)
    return put(
        linear("8=2", Storage.INT8, np.rint(numbers * scales[:, None]).astype(int)),
        "fc",
        weight_data_int8_scales=scales,
        bottom_blob_int8_scales=[1.0],
    )


def gemm(params: str, *numbers: Any, storage: Storage = Storage.FLOAT32) -> nnp.Model:
    return put(model(f"Gemm g | 5=1 7=0 8=8 9=40 10=-1 {params}"), "g", B_data=(numbers[0], storage))


def arrays(diff: WeightDiff) -> dict[str, ArrayDiff]:
    return {array.name: array for layer in diff.layers for array in layer.arrays}


def test_the_same() -> None:
    diff = compare_weights(linear(), linear())
    assert not diff
    assert arrays(diff)["weight_data"].same
    assert arrays(diff)["weight_data"].distance is None


def test_another_number() -> None:
    changed = NUMBERS.copy()
    changed[3, 7] += 1
    diff = compare_weights(linear(), linear(numbers=changed))
    assert diff
    assert not diff.graph
    distance = arrays(diff)["weight_data"].distance
    assert distance is not None
    assert distance.max_abs == pytest.approx(1)
    assert distance.mean_abs == pytest.approx(1 / 320)


def test_another_storage_of_the_same_numbers_is_a_difference() -> None:
    halves = NUMBERS.astype(np.float16).astype(np.float32)
    diff = compare_weights(linear(numbers=halves), linear(numbers=halves, storage=Storage.FLOAT16))
    assert diff
    found = arrays(diff)["weight_data"]
    assert found.distance is not None
    assert found.distance.sqnr == inf
    assert found.old is not None
    assert found.new is not None
    assert (found.old.nbytes, found.new.nbytes) == (4 + 1280, 4 + 640)


def test_int8() -> None:
    diff = compare_weights(linear(), linear_int8())
    (record,) = diff.graph.records
    assert isinstance(record, LayerQuantized)
    assert (record.before.name, record.old, record.new) == ("fc", "fp32", "int8")
    found = arrays(diff)
    distance = found["weight_data"].distance
    assert distance is not None
    assert 40 < distance.sqnr < 60
    for name in ("weight_data_int8_scales", "bottom_blob_int8_scales"):
        assert found[name].old is None
        assert found[name].new is not None
        assert not found[name].note
    (layer,) = diff.layers
    assert layer.is_quantized
    assert layer.worst == distance.sqnr
    assert (layer.old_bytes, layer.new_bytes) == (1284, 4 + 320 + 32 + 4)


def test_a_scale_counts_as_the_numbers_do() -> None:
    """The bytes of the numbers are the same, and what they mean is not."""
    other = linear_int8()
    scales = other.graph.layer("fc").weights["weight_data_int8_scales"].numpy().copy()
    other.graph.layer("fc").weights["weight_data_int8_scales"] = scales / 2
    found = arrays(compare_weights(linear_int8(), other))["weight_data"]
    assert found.distance is not None
    assert found.distance.sqnr == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("scale", [0.0, np.inf])
def test_a_channel_of_zeros(scale: float) -> None:
    """ncnn2int8 writes infinity for it, and other tools 0; ncnn computes zeros with either."""
    numbers = NUMBERS.copy()
    numbers[2] = 0
    quantized = linear_int8(np.where(numbers == 0, 1, numbers))
    weights = quantized.graph.layer("fc").weights
    scales = weights["weight_data_int8_scales"].numpy().copy()
    scales[2] = scale
    weights["weight_data_int8_scales"] = scales
    distance = arrays(compare_weights(linear(numbers=numbers), quantized))["weight_data"].distance
    assert distance is not None
    assert distance.not_finite == (0, 0)
    assert distance.sqnr > 40


def test_nan_and_infinity_are_counted() -> None:
    numbers = NUMBERS.copy()
    numbers[0, :3] = np.nan, np.inf, -np.inf
    distance = arrays(compare_weights(linear(numbers=numbers), linear()))["weight_data"].distance
    assert distance is not None
    assert distance.not_finite == (3, 0)
    assert distance.max_abs == 0


def test_a_transposed_matrix_is_the_same() -> None:
    diff = compare_weights(gemm("3=0", NUMBERS.T), gemm("3=1", NUMBERS))
    assert not diff.graph
    distance = arrays(diff)["B_data"].distance
    assert distance is not None
    assert distance.max_abs == 0


def test_a_transposed_and_quantized_matrix() -> None:
    scale = 127 / np.abs(NUMBERS).max()
    ints = np.rint(NUMBERS * scale).astype(int)
    quantized = put(gemm("3=1 18=2", ints, storage=Storage.INT8), "g", B_data_int8_scale=[scale])
    for one, other in ((gemm("", NUMBERS.T), quantized), (quantized, gemm("", NUMBERS.T))):
        diff = compare_weights(one, other)
        assert [record.kind for record in diff.graph.records] == ["layer-quantised"]
        distance = arrays(diff)["B_data"].distance
        assert distance is not None
        assert distance.sqnr > 35


def test_a_transposed_input_is_a_difference() -> None:
    (record,) = compare_weights(gemm("2=0", NUMBERS.T), gemm("2=1", NUMBERS.T)).graph.records
    assert isinstance(record, ParamChanged)
    assert record.name == "transA"


@pytest.mark.parametrize(("term", "least"), [(400, 14), (411, 14), (602, 28), (800, 40)])
def test_packed_numbers(term: int, least: int) -> None:
    bits, block = term // 100, (32, 64, 128)[term % 10]
    inputs = np.linspace(0.5, 2, 40) if term % 100 >= 10 else np.ones(40)
    scales = np.stack(
        [
            ((1 << (bits - 1)) - 1) / np.abs(NUMBERS / inputs)[:, at : at + block].max(1)
            for at in range(0, 40, block)
        ],
        axis=1,
    )
    ints = np.rint(NUMBERS / inputs * np.repeat(scales, block, axis=1)[:, :40]).astype(int)
    low = gemm(f"3=1 18={term}", packed(ints, bits), storage=Storage.BYTES)
    put(low, "g", B_data_quantize_scales=scales)
    if term % 100 >= 10:
        put(low, "g", B_data_input_scales=inputs)
    for one in (gemm("3=1", NUMBERS), gemm("3=0", NUMBERS.T)):
        diff = compare_weights(one, low)
        (record,) = diff.graph.records
        assert isinstance(record, LayerQuantized)
        assert record.new == f"{bits} bit in blocks of {block}"
        distance = arrays(diff)["B_data"].distance
        assert distance is not None
        assert distance.sqnr > least
        back = arrays(compare_weights(low, one))["B_data"].distance
        assert back is not None
        assert back.max_abs == distance.max_abs
    assert not compare_weights(low, low)


def test_packed_against_packed() -> None:
    """Three numbers of 4 bits and of 6 bits do not have the same room behind them."""
    numbers = np.array([[1, -2, 3]] * 8)
    models = []
    for bits in (4, 6):
        low = put(
            model(f"Gemm g | 5=1 7=0 8=8 9=3 10=-1 3=1 18={bits}00"),
            "g",
            B_data=(packed(numbers, bits), Storage.BYTES),
            B_data_quantize_scales=np.ones((8, 1)),
        )
        models.append(low)
    diff = compare_weights(*models)
    (record,) = diff.graph.records
    assert isinstance(record, LayerQuantized)
    assert (record.old, record.new) == ("4 bit in blocks of 32", "6 bit in blocks of 32")
    distance = arrays(diff)["B_data"].distance
    assert distance is not None
    assert distance.max_abs == 0


def test_what_cannot_be_compared() -> None:
    fewer = put(model("InnerProduct fc | 0=8 2=160"), "fc", weight_data=NUMBERS[:, :20])
    diff = compare_weights(linear(), fewer)
    assert arrays(diff)["weight_data"].note == OTHER_SIZE
    text = "7767517\n1 1\nMemoryData x 0 1 out0 0=8 21=4\n"
    one, other = nnp.loads(text), nnp.loads(text)
    put(one, "x", data=(np.arange(8), Storage.BYTES))
    put(other, "x", data=(np.arange(8) + 1, Storage.BYTES))
    assert arrays(compare_weights(one, other))["data"].note == PACKED


def test_layers_that_only_one_has() -> None:
    longer = model("InnerProduct fc | 0=8 2=320", "PReLU act | 0=8")
    put(longer, "fc", weight_data=NUMBERS)
    put(longer, "act", slope_data=np.ones(8))
    for one, other, side in ((linear(), longer, "after"), (longer, linear(), "before")):
        diff = compare_weights(one, other)
        (extra,) = [layer for layer in diff.layers if layer.before is None or layer.after is None]
        assert getattr(extra, side).name == "act" == extra.layer.name
        (array,) = extra.arrays
        assert (array.old is None, array.new is None) == (side == "after", side == "before")


def test_a_renumbered_model_is_the_same() -> None:
    other = linear()
    other.graph.layer("fc").name = "fc_7"
    assert not compare_weights(linear(), other)
    assert compare_weights(linear(), other, strict_names=True).graph.records


def test_params_rounded_by_a_printer_are_counted() -> None:
    one, other = (
        put(
            model(f"BatchNorm bn | 0=8 1={eps}"),
            "bn",
            **dict.fromkeys(("slope_data", "mean_data", "var_data", "bias_data"), np.ones(8)),
        )
        for eps in ("0.16666667", "1.666667e-01")
    )
    diff = compare_weights(one, other)
    assert (diff.rounded, diff.graph.records) == (1, ())
    assert diff
    third = model("BatchNorm bn | 0=8 1=0.1666676")
    put(third, "bn", **dict.fromkeys(("slope_data", "mean_data", "var_data", "bias_data"), np.ones(8)))
    assert compare_weights(one, third).graph.records


def test_why_arrays_are_float() -> None:
    net = model(
        "Convolution1D c | 0=8 1=1 6=320 5=1",
        "InnerProduct fc | 0=8 2=320",
        "LSTM r | 0=8 1=96 2=0 8=2",
        "InnerProduct q | 0=8 2=320 8=2",
        "Embed e | 0=5 1=8 3=40 18=2",
    )
    put(net, "c", weight_data=(NUMBERS, Storage.FLOAT16), bias_data=np.ones(8))
    put(net, "fc", weight_data=NUMBERS)
    put(net, "q", weight_data=NUMBERS, weight_data_int8_scales=np.ones(8), bottom_blob_int8_scales=[1])
    put(net, "e", weight_data=(np.arange(40), Storage.INT8), weight_data_int8_scale=[1])
    put(
        net,
        "r",
        weight_xc_data=(np.ones(96, int), Storage.INT8),
        bias_c_data=(np.ones(32), Storage.FLOAT16),
        weight_hc_data=(np.ones(256, int), Storage.INT8),
        weight_xc_data_int8_scales=np.ones(32),
        weight_hc_data_int8_scales=np.ones(32),
    )
    diff = compare_weights(net, net)
    reasons = {
        (layer.layer.name, array.name): array.new.float_because
        for layer in diff.layers
        for array in layer.arrays
        if array.new
    }
    assert reasons == {
        ("c", "weight_data"): "ncnn has no int8 Convolution1D",
        ("c", "bias_data"): RAW,
        ("fc", "weight_data"): MISSED,
        ("r", "weight_xc_data"): None,
        ("r", "bias_c_data"): KEPT,
        ("r", "weight_hc_data"): None,
        ("r", "weight_xc_data_int8_scales"): ADDED,
        ("r", "weight_hc_data_int8_scales"): ADDED,
        ("q", "weight_data"): LOADED,
        ("q", "weight_data_int8_scales"): ADDED,
        ("q", "bottom_blob_int8_scales"): ADDED,
        ("e", "weight_data"): None,
        ("e", "weight_data_int8_scale"): ADDED,
    }
    size = diff.new
    assert size.numbers == 320 + 8 + 320 + 96 + 32 + 256 + 320 + 40
    assert sum(size.excess.values()) == size.nbytes - size.numbers
    assert sum(size.by_storage.values()) == size.nbytes
    assert size.excess[ADDED] == 4 * (32 + 32 + 8 + 1 + 1)
    assert size.excess[FRAMES] == 3 * 4
    assert list(size.excess.values()) == sorted(size.excess.values(), reverse=True)


def test_missing_weights() -> None:
    with pytest.raises(nnp.WeightsError, match="has no weight_data"):
        compare_weights(linear(), model("InnerProduct fc | 0=8 2=320"))


def test_json() -> None:
    data = json.loads(json.dumps(compare_weights(linear(), linear_int8()).to_json(), allow_nan=False))
    assert data["same"] is False
    assert data["counts"] == {"layer-quantised": 1}
    (layer,) = data["weights"]["layers"]
    assert (layer["old"], layer["new"], layer["is_quantized"]) == ("fp32", "int8", True)
    first = layer["arrays"][0]
    assert first["old"] == {"storage": "fp32", "bytes": 1284, "count": 320, "float_because": MISSED}
    assert first["new"]["storage"] == "int8"
    assert first["distance"]["sqnr"] > 40
    assert data["weights"]["new"]["by_storage"] == {"int8": 324, "raw": 36}


def test_progress_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All bytes are told, and the pages of both files are given back once enough of them were looked at."""
    released: list[WeightFile] = []
    monkeypatch.setattr(WeightFile, "release", lambda file: released.append(file))
    monkeypatch.setattr(weights, "_ENOUGH", 1500)  # the first array, and not the scales
    for name, made in (("a", linear()), ("b", linear_int8())):
        made.save(tmp_path / f"{name}.param", tmp_path / f"{name}.bin")
    pair = [nnp.load(tmp_path / f"{name}.param", tmp_path / f"{name}.bin") for name in "ab"]
    told: list[int] = []
    compare_weights(*pair, progress=told.append)
    assert sum(told) == sum(model.file.used for model in pair if model.file)
    assert released == [model.file for model in pair]
