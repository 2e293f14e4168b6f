"""``ncnnparam opt`` and ``ncnnparam passes``."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

import ncnnparam as nnp

from ..passes.optimize.nets import model as random_model
from .conftest import Run

NET = """
Input        in0  0 1 in0
Convolution  conv 1 1 in0 a 0=4 1=3 5=0 6=72
BatchNorm    bn   1 1 a b 0=4
ReLU         relu 1 1 b c
Dropout      drop 1 1 c out0
"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "m.param", tmp_path / "m.bin"
    nnp.save(random_model(NET), *paths)
    return paths


def types(path: Path) -> list[str]:
    return [layer.type for layer in nnp.load(path).graph]


def test_a_pair_is_optimised_and_its_numbers_verified(
    run: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    pytest.importorskip("ncnn")
    out = tmp_path / "o.param"
    result = run("opt", *pair, "-o", out, "--verify-numbers", "--shape", "in0=2,8,8")
    assert (result.exit_code, result.out) == (0, "")
    assert types(out) == ["Input", "Convolution"]
    assert run("check", out, tmp_path / "o.bin").exit_code == 0
    assert "layers 5 -> 2, blobs 5 -> 2" in result.err
    assert "fuse-batchnorm: 1 change\n" in result.err
    assert types(pair[0])[-1] == "Dropout", "the model itself stays"


def test_in_place_both_files_change(run: Run, pair: tuple[Path, Path]) -> None:
    assert run("opt", *pair).exit_code == 0
    assert types(pair[0]) == ["Input", "Convolution"]
    assert run("check", *pair).exit_code == 0


def test_without_weights_what_needs_them_declines(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("opt", pair[0], "-o", tmp_path / "o.param", "--why")
    assert result.exit_code == 0
    assert types(tmp_path / "o.param") == ["Input", "Convolution", "BatchNorm", "ReLU"]
    assert "fuse-batchnorm declined" in result.err


def test_an_account_for_programs(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    account = json.loads(run("opt", *pair, "-o", tmp_path / "o.param", "--format", "json").out)
    assert (account["modified"], account["layers"]) == (True, [5, 2])
    (fused,) = [step for step in account["steps"] if step["pass"] == "fuse-batchnorm"]
    assert fused["layers"] == [4, 3]
    assert fused["changes"][0]["layers"] == ["conv", "bn"]


def test_own_passes_timing_and_printing(
    run: Run, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pair[0].parent)
    Path("my_passes_of_opt.py").write_text(
        "def swap(model):\n"
        "    for layer in model.graph.find('ReLU'):\n"
        "        model.graph.replace(layer, 'Swish')\n"
        "    return True\n"
    )
    options = ("--passes", "", "--pass", "my_passes_of_opt:swap", "--timing", "--print-after-change")
    result = run("opt", "m.param", "-o", "o.param", *options)
    assert result.exit_code == 0
    assert "Swish" in types(Path("o.param"))
    assert "swap: changed the model (" in result.err
    assert " ms)" in result.err
    assert "\n+Swish" in result.err


def test_a_pass_that_breaks_the_model_writes_nothing(
    run: Run, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pair[0].parent)
    Path("bad_passes_of_opt.py").write_text(
        "def wreck(model):\n    model.graph.layer('relu').params[0] = (1, 2)\n    return True\n"
    )
    before = pair[0].read_bytes()
    result = run("opt", "m.param", "--passes", "", "--pass", "bad_passes_of_opt:wreck", "--verify")
    assert result.exit_code == 2
    assert "error: the pass wreck broke the model" in result.err
    assert pair[0].read_bytes() == before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def one(model):\n    return 1 / 0\n", "the pass one failed: ZeroDivisionError"),
        ("1 / 0\n", "cannot import the pass stumbling:one: division by zero"),
        (
            "from ncnnparam.passes import Pass\nclass one(Pass):\n    def __init__(self):\n        {}['x']\n"
            "    def run(self, model):\n        return False\n",
            "the pass one: 'x'",
        ),
    ],
)
def test_faults_in_the_code_of_a_pass_are_told_of(
    run: Run, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    monkeypatch.chdir(pair[0].parent)
    monkeypatch.delitem(sys.modules, "stumbling", raising=False)
    Path("stumbling.py").write_text(code)
    importlib.invalidate_caches()
    result = run("opt", "m.param", "--pass", "stumbling:one", "--dry-run")
    assert result.exit_code == 2
    assert message in result.err


@pytest.mark.parametrize("output", ["o.param", "-"])
def test_new_weights_need_a_bin(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.param").write_text("7767517\n2 2\nInput in0 0 1 in0 0=6 1=4\nCumulativeSum c 1 1 in0 out0 0=1\n")
    words = ("--passes", "", "--target", "sherpa-ncnn-2.1.15", "-o", output)
    result = run("opt", "m.param", *words)
    assert (result.exit_code, result.out) == (2, "")
    assert "a pass has made MemoryData" in result.err
    assert sorted(Path().iterdir()) == [Path("m.param")]
    Path("m.bin").write_bytes(b"")
    if output != "-":
        assert run("opt", "m.param", "m.bin", *words).exit_code == 0
        assert Path("o.bin").stat().st_size == 6 * 6 * 4


def test_errors_that_are_left_are_told_of(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("7767517\n3 4\nInput in0 0 1 in0\nReLU a 1 1 nope a\nDropout b 1 1 a out0\n")
    result = run("opt", path, "-o", tmp_path / "o.param")
    assert result.exit_code == 0
    assert "note: the model still has an error: NP205 " in result.err
    path.write_text("7767517\n2 2\nInput in0 0 1 in0\nReLU a 1 1 in0 out0\n")
    assert "note:" not in run("opt", path, "-o", tmp_path / "o.param").err


@pytest.mark.parametrize(
    "words",
    [
        ("--passes", "nope"),
        ("--shape", "nope=1"),
        ("--shape", "a=1"),
        ("--verify-numbers",),
        ("--shape", "in0", "--verify-numbers"),
        ("--format", "json", "--dry-run"),
        ("--pass", "nope"),
    ],
)
def test_wrong_options(run: Run, pair: tuple[Path, Path], words: tuple[str, ...]) -> None:
    result = run("opt", pair[0], *words)
    assert (result.exit_code, result.out) == (2, "")
    assert "Traceback" not in result.err


def test_the_list_of_passes(run: Run) -> None:
    lines = run("passes").out.splitlines()
    assert any(line.startswith("fuse-batchnorm  ") for line in lines)
    found = json.loads(run("passes", "optimize", "--format", "json").out)
    assert {one["family"] for one in found} == {"optimize"}
    assert run("passes", "nope").exit_code == 2
