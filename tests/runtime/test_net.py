"""Models in the real ncnn, in a child that may crash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.runtime import load_net, run_net
from ncnnparam.runtime.net import run_often

pytest.importorskip("ncnn")

RELU = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0 0=0.5\n"


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Path]:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text(RELU)
    weights.write_bytes(b"")
    return param, weights


def test_runs_and_gives_numbers(model: tuple[Path, Path]) -> None:
    array = np.array([[-1, 2], [3, -4]], dtype=np.float32)
    outcome = run_net(*model, {"in0": array}, ["out0"])
    assert outcome.ok, outcome
    assert outcome.version
    np.testing.assert_array_equal(outcome.outputs["out0"], np.where(array < 0, array * 0.5, array))


def test_several_runs_of_one_net(model: tuple[Path, Path]) -> None:
    arrays = [np.full(3, number, dtype=np.float32) for number in (1, -2)]
    outcome = run_often(*model, [({"in0": array}, ["out0"]) for array in arrays])
    assert outcome.ok, outcome
    assert [run["out0"].tolist() for run in outcome.runs] == [[1, 1, 1], [-1, -1, -1]]
    outcome = run_often(*model, [({"in0": arrays[0]}, ["out0"]), ({"in7": arrays[1]}, ["out0"])])
    assert "'in7'" in outcome.problem
    assert len(outcome.runs) == 1


def test_tells_a_refused_file(model: tuple[Path, Path]) -> None:
    model[0].write_text(RELU.replace("2 2", "2 1"))
    outcome = load_net(model[0])
    assert not outcome.ok
    assert "refuses" in outcome.problem
    assert any("too many blobs" in message for message in outcome.messages)


def test_custom_types_load_as_empty_layers(model: tuple[Path, Path]) -> None:
    text = RELU.replace("2 2", "3 2") + "SherpaMetaData sherpa_meta_data1 0 0 0=1\n"
    model[0].write_text(text)
    assert not load_net(model[0]).ok
    assert load_net(model[0], custom_types=["SherpaMetaData"]).ok


def test_an_unknown_blob_is_named(model: tuple[Path, Path]) -> None:
    array = np.zeros(3, dtype=np.float32)
    assert "'in7'" in run_net(*model, {"in7": array}, ["out0"]).problem
    assert "'out7'" in run_net(*model, {"in0": array}, ["out7"]).problem


def test_survives_a_crash(model: tuple[Path, Path]) -> None:
    # two layers read one blob without a Split: ncnn loads it and dies at extract
    model[0].write_text(
        "7767517\n4 4\nInput in0 0 1 in0\nSigmoid a 1 1 in0 a\nSigmoid b 1 1 in0 b\nBinaryOp c 2 1 a b out0\n"
    )
    outcome = run_net(*model, {"in0": np.ones(4, dtype=np.float32)}, ["out0"])
    assert not outcome.ok
    assert "SIGSEGV" in outcome.problem


def test_stops_a_child_that_takes_too_long(model: tuple[Path, Path]) -> None:
    assert "stopped" in load_net(*model, timeout=0.01).problem


def test_a_greedy_model_hits_the_limit(model: tuple[Path, Path]) -> None:
    model[0].write_text(
        "7767517\n2 2\nInput in0 0 1 in0\nPadding pad 1 1 in0 out0 0=20000 1=20000 2=20000 3=20000\n"
    )
    outcome = run_net(*model, {"in0": np.ones((2, 2), dtype=np.float32)}, ["out0"], memory=2 << 30)
    assert not outcome.ok
