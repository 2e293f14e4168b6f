"""Weights, constants and names for a runtime that reads them otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam import dumps, load, loads
from ncnnparam.errors import ConfigError
from ncnnparam.passes.compat import Lower, LowerStorage, LowerVectors, RenewNames
from ncnnparam.weights import Storage

from ..optimize.nets import assert_same_numbers, header, model, reasons, run, store

SHERPA = "sherpa-ncnn-2.1.15"
NET = "Input in0 0 1 in0 0=4\nInnerProduct fc 1 1 in0 a 0=3 1=1 2=12\nInnerProduct last 1 1 a out0 0=2 2=6"


@pytest.mark.parametrize(("storage", "kept"), [("fp32", Storage.FLOAT32), ("fp16", Storage.FLOAT16)])
def test_bf16_weights(storage: str, kept: Storage, tmp_path: Path) -> None:
    before = model(NET)
    store(before, "fc", Storage.BFLOAT16)
    after, result = run(LowerStorage(SHERPA, storage), before)
    weights = after.graph.layer("fc").weights
    assert weights["weight_data"].storage is kept
    assert weights["bias_data"].storage is Storage.RAW
    assert after.graph.layer("last").weights["weight_data"].storage is Storage.FLOAT32
    np.testing.assert_array_equal(
        weights["weight_data"].numpy("f4"), before.graph.layer("fc").weights["weight_data"].numpy("f4")
    )
    assert [str(note) for note in result.changes] == [f"fc: weight_data is stored as {storage}"]
    assert_same_numbers(before, after, tolerance=1e-5)
    after.save(tmp_path / "m.param", tmp_path / "m.bin")
    saved = load(tmp_path / "m.param", tmp_path / "m.bin")
    assert not run(LowerStorage(SHERPA, storage), saved)[1].modified


def test_a_runtime_that_reads_bf16_keeps_it() -> None:
    before = model(NET)
    store(before, "fc", Storage.BFLOAT16)
    after, result = run(Lower("latest"), before)
    assert not result.modified
    assert after.graph.layer("fc").weights["weight_data"].storage is Storage.BFLOAT16


def test_a_storage_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="stored as 'int8'"):
        LowerStorage(SHERPA, "int8")


def test_a_constant_with_a_tag_becomes_plain_floats() -> None:
    before = model("MemoryData m 0 1 m 0=4 21=0\nReLU r 1 1 m out0")
    store(before, "m", Storage.FLOAT16, "data")
    after, result = run(LowerStorage("ncnn-20230816"), before)
    assert dict(after.graph.layer("m").params) == {0: 4}
    assert after.graph.layer("m").weights["data"].storage is Storage.RAW
    assert_same_numbers(before, after)
    assert result.modified
    assert not run(LowerStorage("ncnn-20230816"), after)[1].modified
    assert not run(LowerStorage("ncnn-20231027"), before)[1].modified
    _, declined = run(
        LowerStorage("ncnn-20230816"), loads(header("MemoryData m 0 1 m 0=4 21=0\nReLU r 1 1 m out0"))
    )
    assert "the weights are not loaded" in reasons(declined)


PICTURE = "Input in0 0 1 in0 0=5 1=4 2=3\nMemoryData m 0 1 m 0=5\nBinaryOp b 2 1 in0 m out0"


@pytest.mark.parametrize(
    ("runtime", "text", "reason"),
    [
        ("ncnn-20230816", PICTURE, ""),  # reads it as it is meant
        ("ncnn-20221128", PICTURE, "knows no constants along the width"),
        ("ncnn-20230517", PICTURE.replace("2=3", "2=5"), ""),  # it is meant along the channels
        ("ncnn-20230517", PICTURE.replace("0=5 1=4 2=3", ""), ""),  # nobody knows how it is meant
        (
            "ncnn-20230517",
            PICTURE.replace("m out0", "m a") + "\nReLU r 1 1 m out1",
            "others read it as a vector",
        ),
    ],
)
def test_vectors_that_stay(runtime: str, text: str, reason: str) -> None:
    before = loads(header(text))
    before.graph.split_fanout()
    after, result = run(LowerVectors(runtime), before)
    assert dumps(after) == dumps(before)
    assert reason in reasons(result)
    assert bool(result.declined) == bool(reason)


def test_an_old_name() -> None:
    text = header("Input in0 0 1 in0 0=4 1=3\nLSTM2 l 1 1 in0 out0 0=2 1=48 2=0 3=3")
    after, result = run(RenewNames(), loads(text))
    assert dumps(after).split() == text.replace("LSTM2", "LSTM").split()
    assert [str(note) for note in result.changes] == ["l: LSTM2 is called LSTM"]
    assert not run(RenewNames(), after)[1].modified


def test_an_old_name_with_strange_params_stays() -> None:
    text = header("Input in0 0 1 in0 0=4 1=3\nLSTM2 l 1 1 in0 out0 0=2 25=1")
    after, result = run(RenewNames(), loads(text))
    assert reasons(result) == "l: LSTM has no param 25"
    assert dumps(after) == text


def test_a_renamed_lstm_computes_what_it_did() -> None:
    text = "Input in0 0 1 in0 0=4 1=3\n{} l 1 1 in0 out0 0=2 1=48 2=0 3=3"
    today, old = model(text.format("LSTM")), loads(header(text.format("LSTM2")))
    old.graph.layer("l")._weights = today.graph.layer("l")._weights
    after, _ = run(RenewNames(), old)
    assert_same_numbers(today, after)
