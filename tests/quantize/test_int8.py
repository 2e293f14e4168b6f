"""Models quantised as they should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ncnnparam import Model, load, loads
from ncnnparam.checks import check
from ncnnparam.checks.pairs import FIT_RULES, Pair
from ncnnparam.errors import ConfigError, NotFoundError, WeightsError
from ncnnparam.graph import Layer
from ncnnparam.ops import registry, versions
from ncnnparam.quantize.int8 import Options, Quantized, quantize
from ncnnparam.quantize.table import Table
from ncnnparam.weights import Storage, WeightFile, wanted

ROOT = Path(__file__).resolve().parents[2]
NET = """7767517
6 7
Input                    in0                      0 1 in0 0=6 1=6 2=3
Convolution              first                    1 1 in0 a 0=4 1=1 5=1 6=12
Split                    split                    1 2 a b c
Convolution              left                     1 1 b d 0=2 1=3 6=72
Convolution              right                    1 1 c e 0=2 1=3 6=72
InnerProduct             fc                       1 1 d f 0=3 1=1 2=96
"""
ROWS = """first_param_0 90 91 92 93
left_param_0 70 71
right_param_0 72 73
fc_param_0 40 41 42
first 30
left 20
right 20
fc 10
"""
REC = """7767517
4 4
Input                    in0                      0 1 in0 0=5 1=7
LSTM                     lstm                     1 1 in0 a 0=4 1=80
Gemm                     gemm                     1 1 a b 3=1 5=1 6=1 8=6 9=4 10=4
Convolution1D            conv                     1 1 b c 0=2 1=1 6=14
"""


def filled(text: str) -> Model:
    """A model with random weights."""
    model = loads(text)
    random = np.random.default_rng(7)
    for layer in model.graph:
        for array in wanted(layer):
            numbers = random.normal(size=array.shape)
            layer.weights.put(array.name, numbers.astype(np.float32), _plain(array.kind))
    return model


def _plain(kind: str) -> Storage:
    return Storage.FLOAT32 if kind == "tagged" else Storage.RAW


def by_name(result: Quantized) -> dict[str, str]:
    return {one.layer: one.note if not one.int8 else "int8" for one in result.layers}


def is_int8(layer: Layer) -> bool:
    layer_type = registry.get(layer.type)
    return layer_type is not None and layer_type.is_int8(layer.params)


def int8_values(layer: Layer) -> NDArray[np.int8]:
    weight = layer.weights["weight_data"]
    assert weight.storage is Storage.INT8
    return weight.numpy()


# ---- what becomes of layers -------------------------------------------------------------------------------


def test_weights_scales_and_lines(tmp_path: Path) -> None:
    model = filled(NET)
    floats = model.graph.layer("fc").weights["weight_data"].numpy()
    result = quantize(model.graph, Table.parse(ROWS))
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    again = load(tmp_path / "q.param", tmp_path / "q.bin").graph
    fc = again.layer("fc")
    scales = np.array([40, 41, 42], np.float32)
    assert np.array_equal(int8_values(fc), np.clip(np.rint(floats * scales[:, None]), -127, 127))
    assert fc.weights["weight_data_int8_scales"].numpy().tolist() == [40, 41, 42]
    assert fc.weights["bottom_blob_int8_scales"].numpy().tolist() == [10]
    lines = (tmp_path / "q.param").read_text().splitlines()
    old = NET.splitlines()
    assert [*lines[:3], lines[4]] == [*old[:3], old[4]]
    assert lines[3] == f"{old[3]} 8=102"
    assert lines[7] == f"{old[7]} 8=2"
    assert result.bytes_after == (tmp_path / "q.bin").stat().st_size
    assert [one.layer for one in result.layers if one.int8_output] == ["first"]
    findings = check(
        again, rules=[rule.on(Pair(again, WeightFile.open(tmp_path / "q.bin"))) for rule in FIT_RULES]
    )
    assert findings == []


def test_without_a_table_nobody_guesses() -> None:
    model = filled(NET)
    with pytest.raises(ConfigError, match="first, left, right, fc") as raised:
        quantize(model.graph)
    assert "--table" in str(raised.value.hint)
    assert model.graph.layer("fc").weights["weight_data"].storage is Storage.FLOAT32


def test_types_that_need_no_table(tmp_path: Path) -> None:
    model = filled(REC)
    result = quantize(model.graph)
    assert by_name(result) == {"lstm": "int8", "gemm": "int8", "conv": "ncnn has no int8 for Convolution1D"}
    notes = {one.layer: one.note for one in result.layers}
    assert notes["gemm"] == "one scale for all of B: the table has no scale of its input"
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    lstm = load(tmp_path / "q.param", tmp_path / "q.bin").graph.layer("lstm")
    scales = lstm.weights["weight_xc_data_int8_scales"].numpy()
    values = lstm.weights["weight_xc_data"]
    assert values.storage is Storage.INT8
    assert np.abs(values.numpy()).max(axis=2).min() == 127
    assert scales.shape == (1, 16)


def test_an_output_stays_int8_only_for_readers_of_one_scale() -> None:
    model = filled(NET)
    quantize(model.graph, Table.parse(ROWS.replace("right 20", "right 21")))
    assert model.graph.layer("first").params[8] == 2


def test_a_reader_in_float_gets_floats() -> None:
    model = filled(NET)
    quantize(model.graph, Table.parse(ROWS), Options(skip="name=right"))
    assert model.graph.layer("first").params[8] == 2
    assert 8 not in model.graph.layer("right").params


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (ROWS.replace("left 20\n", ""), "the table has no row for its input"),
        (ROWS.replace("left 20", "left inf"), "its input cannot be scaled by inf"),
        (ROWS.replace("left 20", "left 0"), "its input cannot be scaled by 0"),
        (ROWS.replace("left 20", "left nan"), "its input cannot be scaled by nan"),
        (ROWS.replace("left 20", "left -3"), "its input cannot be scaled by -3"),
        (ROWS.replace("left 20", "left 1 2"), "its input cannot be scaled by 2 numbers"),
    ],
)
def test_a_layer_without_an_input_scale_stays_in_float(rows: str, reason: str) -> None:
    model = filled(NET)
    result = quantize(model.graph, Table.parse(rows))
    assert by_name(result) == {"first": "int8", "left": reason, "right": "int8", "fc": "int8"}
    assert model.graph.layer("left").weights["weight_data"].storage is Storage.FLOAT16


def test_selected_layers_only() -> None:
    model = filled(NET)
    result = quantize(model.graph, Table.parse(ROWS), Options(only="Convolution", skip="name=right"))
    skipped = "it was not asked for"
    assert by_name(result) == {"first": "int8", "left": "int8", "right": skipped, "fc": skipped}
    with pytest.raises(NotFoundError, match="rigth"):
        quantize(filled(NET).graph, Table.parse(ROWS), Options(skip="name=rigth"))


def test_a_feature_mask_that_forbids_int8_counts() -> None:
    model = filled(NET.replace("0=3 1=1 2=96", "0=3 1=1 2=96 31=9"))
    result = quantize(model.graph, Table.parse(ROWS))
    assert by_name(result)["fc"] == "its feature mask (31=9) switches int8 off"


def test_what_is_int8_stays_as_it_is(tmp_path: Path) -> None:
    model = filled(NET)
    quantize(model.graph, Table.parse(ROWS))
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    again = load(tmp_path / "q.param", tmp_path / "q.bin")
    result = quantize(again.graph, Table.parse(ROWS))
    assert set(by_name(result).values()) == {"it is quantised already"}
    again.save(tmp_path / "r.param", tmp_path / "r.bin")
    assert (tmp_path / "r.bin").read_bytes() == (tmp_path / "q.bin").read_bytes()
    assert (tmp_path / "r.param").read_bytes() == (tmp_path / "q.param").read_bytes()


def test_a_target_that_knows_no_int8() -> None:
    model = filled(REC)
    result = quantize(model.graph, None, Options(target=versions.target("ncnn-20240410")))
    assert by_name(result)["lstm"] == "ncnn-20240410 knows no int8 for LSTM"
    lacking = quantize(filled(REC).graph, None, Options(target=versions.target("sherpa-ncnn-2.1.15")))
    assert by_name(lacking)["lstm"] == "int8"


@pytest.mark.parametrize(
    ("storage", "stored"),
    [(None, Storage.FLOAT32), (Storage.FLOAT16, Storage.FLOAT16), (Storage.BFLOAT16,) * 2],
)
def test_the_rest_in_a_storage_of_choice(storage: Storage | None, stored: Storage) -> None:
    model = filled(REC)
    quantize(model.graph, None, Options(storage=storage))
    assert model.graph.layer("conv").weights["weight_data"].storage is stored
    assert model.graph.layer("lstm").weights["bias_c_data"].storage is stored


def test_rows_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'fc_param_0' of the table has 2 scales, layer 'fc'.* wants 3"):
        quantize(filled(NET).graph, Table.parse(ROWS.replace("40 41 42", "40 41")))


def test_channels_of_zeros_are_safe(tmp_path: Path) -> None:
    model = filled(NET)
    fc = model.graph.layer("fc")
    numbers = fc.weights["weight_data"].numpy().copy()
    numbers[1] = 0
    fc.weights["weight_data"] = numbers
    quantize(model.graph, Table.parse(ROWS.replace("40 41 42", "40 inf 0")))
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    fc = load(tmp_path / "q.param", tmp_path / "q.bin").graph.layer("fc")
    assert not int8_values(fc)[1].any()
    scales = fc.weights["weight_data_int8_scales"].numpy()
    assert scales.tolist() == [40, 1, np.float32(127) / np.abs(numbers[2]).max()]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_stop_the_save(tmp_path: Path, bad: float) -> None:
    model = filled(NET)
    fc = model.graph.layer("fc")
    numbers = fc.weights["weight_data"].numpy().copy()
    numbers[2, 5] = bad
    fc.weights["weight_data"] = numbers
    (tmp_path / "q.param").write_text("old")
    (tmp_path / "q.bin").write_text("old")
    quantize(model.graph, Table.parse(ROWS))
    with pytest.raises(
        WeightsError, match=r"layer 'fc' .*: weight_data has numbers that are infinite or none"
    ):
        model.save(tmp_path / "q.param", tmp_path / "q.bin")
    assert (tmp_path / "q.param").read_text() == (tmp_path / "q.bin").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q.bin", "q.param"]


def test_weights_of_custom_layers_are_kept(tmp_path: Path) -> None:
    model = filled(REC.replace("4 4\n", "5 5\n", 1) + "SimpleUpsample up 1 1 c d 0=2 1=7 2=14\n")
    (before,) = [weight.numpy(np.float32) for weight in model.graph.layer("up").weights.values()]
    quantize(model.graph)
    model.save(tmp_path / "q.param", tmp_path / "q.bin")
    again = load(tmp_path / "q.param", tmp_path / "q.bin").graph.layer("up")
    (after,) = [weight.numpy(np.float32) for weight in again.weights.values()]
    assert np.array_equal(after, before.astype(np.float16))


def test_killed_half_way_the_old_pair_is_there(tmp_path: Path) -> None:
    """A quantisation that is killed between two arrays leaves what was there."""
    model = filled(NET)
    model.save(tmp_path / "m.param", tmp_path / "m.bin")
    (tmp_path / "m.table").write_text(ROWS)
    old = {name: (tmp_path / name).read_bytes() for name in ("m.param", "m.bin")}
    script = """
import os, signal
from ncnnparam import load
from ncnnparam.quantize.int8 import quantize
from ncnnparam.quantize.table import Table
from ncnnparam.weights import Weight

model = load("m.param", "m.bin")
quantize(model.graph, Table.read("m.table"))
fc = model.graph.layer("fc")
last = fc._weights[-1]
fc._weights = (*fc._weights[:-1], Weight(last.array, last.storage, lambda: os.kill(os.getpid(), 9)))
model.save("m.param", "m.bin")
"""
    child = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert {name: (tmp_path / name).read_bytes() for name in old} == old
    again = load(tmp_path / "m.param", tmp_path / "m.bin")
    quantize(again.graph, Table.parse(ROWS))
    again.save()
    assert load(tmp_path / "m.param", tmp_path / "m.bin").graph.layer("fc").params[8] == 2
