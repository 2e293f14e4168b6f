"""The generator of large pairs, on small ones: they load and run in ncnn, and belong together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.runtime import run_net
from ncnnparam.stats import measure
from ncnnparam.weights import Storage

pytest.importorskip("ncnn")

MEGABYTES, WIDTH = 0.3, 16
KINDS: dict[str, tuple[str, ...]] = {"fp32": (), "fp16": ("--storage", "fp16"), "int8": ("--int8",)}


def make(folder: Path, name: str, *words: str) -> tuple[Path, Path]:
    generator = Path(__file__).resolve().parents[2] / "tools" / "make_large_pair.py"
    pair = folder / f"{name}.param", folder / f"{name}.bin"
    sizes = ("--megabytes", str(MEGABYTES), "--width", str(WIDTH))
    subprocess.run([sys.executable, generator, *pair, *sizes, *words], check=True, capture_output=True)
    return pair


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("pairs")
    return {name: make(folder, name, *words) for name, words in KINDS.items()}


def test_the_size_is_the_one_asked_for(pairs: dict[str, tuple[Path, Path]]) -> None:
    assert pairs["fp32"][1].stat().st_size == pytest.approx(MEGABYTES * 1e6, rel=0.02)


@pytest.mark.parametrize("name", ["fp16", "int8"])
def test_each_runs_in_ncnn_much_like_the_float_one(pairs: dict[str, tuple[Path, Path]], name: str) -> None:
    numbers = np.random.default_rng(5).standard_normal((20, WIDTH)).astype(np.float32)
    outputs = []
    for pair in (pairs["fp32"], pairs[name]):
        outcome = run_net(*pair, {"in0": numbers}, ["out0"])
        assert (outcome.ok, outcome.messages) == (True, []), outcome
        outputs.append(outcome.outputs["out0"].ravel().astype(np.float64))
    theirs, ours = outputs
    assert theirs.size > 20
    assert theirs.std() > 0.01
    cosine = theirs @ ours / np.linalg.norm(theirs) / np.linalg.norm(ours)
    assert cosine > (0.95 if name == "int8" else 0.999)


def test_storages(pairs: dict[str, tuple[Path, Path]]) -> None:
    stored = {
        name: {row.storage for row in measure(nnp.load(*pair).graph, {}).storages}
        for name, pair in pairs.items()
    }
    assert stored == {
        "fp32": {Storage.FLOAT32, Storage.RAW},
        "fp16": {Storage.FLOAT16, Storage.RAW},
        "int8": {Storage.INT8, Storage.RAW},
    }


def test_int8_weights_are_the_float_ones_rounded(pairs: dict[str, tuple[Path, Path]]) -> None:
    floats, rounded = (nnp.load(*pairs[name]).graph for name in ("fp32", "int8"))
    for type in ("InnerProduct", "Convolution", "ConvolutionDepthWise"):
        layer = floats.find(type)[0]
        theirs = layer.weights["weight_data"].numpy(np.float32)
        weights = rounded.layer(layer.name).weights
        steps = 1 / weights["weight_data_int8_scales"].numpy().reshape(-1, *[1] * (theirs.ndim - 1))
        assert np.all(np.abs(weights["weight_data"].numpy(np.float32) - theirs) <= 0.5001 * steps)


def test_the_seed_settles_the_bytes(pairs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    again, other = make(tmp_path, "again"), make(tmp_path, "other", "--seed", "2")
    assert again[1].read_bytes() == pairs["fp32"][1].read_bytes() != other[1].read_bytes()
