"""``ncnnparam check --target``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ncnnparam.ops import WeightArray
from ncnnparam.weights import Storage, encode

from .conftest import Run

MODEL = "7767517\n3 3\nInput in0 0 1 in0\nCumulativeSum c 1 1 in0 a\nReLU r 1 1 a out0 0=1\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.param"
    path.write_text(MODEL)
    return path


def codes(run: Run, *args: object) -> list[str]:
    return [one["code"] for one in json.loads(run("check", "--format", "json", *args).out)]


def test_what_a_target_lacks_is_found_for_it_alone(run: Run, model: Path) -> None:
    assert codes(run, model) == ["NP115"]
    assert codes(run, model, "--target", "latest") == []
    assert "NP501" in codes(run, model, "--target", "sherpa-ncnn-2.1.15")
    assert codes(run, model, "--target", "ncnn-20250916", "--select", "NP501") == []
    assert codes(run, model, "--target", "ncnn-20210525", "--select", "NP501") == ["NP501"]


def test_what_a_target_does_in_general_is_said_once(run: Run, model: Path) -> None:
    found = codes(run, model, "--target", "ncnn-20250916")
    assert "NP115" not in found
    assert len(found) == 1, "the int for a float"


def test_a_day_between_releases_and_a_name_that_is_none(run: Run, model: Path) -> None:
    assert "20250916 is the one before it" in run("check", model, "--target", "ncnn-20250920").err
    result = run("check", model, "--target", "ncnn-1999")
    assert (result.exit_code, result.out) == (2, "")
    assert "there is no target 'ncnn-1999'" in result.err


def test_the_storage_of_weights_counts(run: Run, tmp_path: Path) -> None:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text("7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 1=0 2=4\n")
    array = WeightArray("weight_data", "tagged", (2, 2))
    weights.write_bytes(encode(array, [1, 2, 3, 4], Storage.BFLOAT16).raw)
    assert codes(run, param, weights, "--target", "ncnn-20250916") == ["NP505"]
    assert codes(run, param, weights, "--target", "latest") == []
    weights.write_bytes(encode(array, [1, 2, 3, 4], Storage.FLOAT16).raw)
    assert codes(run, param, weights, "--target", "ncnn-20250916") == []


def test_what_a_target_happens_to_read_is_repaired_all_the_same(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("7767517\n2 2\nInput in0 0 1 in0\nReLU r 1 1 in0 out0 0=0.1234567890123456\n")
    assert codes(run, path, "--target", "latest") == []
    assert run("check", "--fix", path, "--target", "latest").exit_code == 0
    assert "0=0.12345679\n" in path.read_text()
