"""``ncnnparam rewrite``."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp

from .conftest import Run

MODEL = """7767517
4 4
Input                    in0                      0 1 in0
InnerProduct             fc                       1 1 in0 a 0=3 1=1 2=12
Dropout                  drop                     1 1 a b
ReLU                     act                      1 1 b out0
"""
DROP = "--- drop\nDropout d 1 1 x y\n=>\ny = x\n"
FUSE = "--- fuse\nInnerProduct fc 1 1 x y\nReLU r 1 1 y z\n=>\n* fc 1 1 x z **fc activation_type=relu\n"
NO_BIAS = "InnerProduct fc 1 1 x y bias_term=1\n=>\nInnerProduct fc 1 1 x y **fc bias_term=0\n"
NEW_LAYER = "ReLU r 1 1 x y\n=>\nScale new 1 1 x y 0=3\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a pair and rules, and the place where commands run."""
    model = nnp.loads(MODEL)
    fc = model.graph.layer("fc").weights
    fc["weight_data"] = np.arange(12, dtype=np.float32)
    fc["bias_data"] = np.array([1, 2, 3], dtype=np.float32)
    nnp.save(model, tmp_path / "m.param", tmp_path / "m.bin")
    for name, text in (("drop", DROP), ("fuse", FUSE), ("no_bias", NO_BIAS), ("new", NEW_LAYER)):
        (tmp_path / f"{name}.txt").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rewrites_in_place_and_tells(run: Run, here: Path) -> None:
    result = run("rewrite", "m.param", "--rule", "drop.txt", "--rule", "fuse.txt")
    assert result.exit_code == 0, result.err
    assert result.err.splitlines() == [
        "drop: Dropout -> nothing: drop",
        "fuse: InnerProduct + ReLU -> InnerProduct: fc+act",
        "layers 4 -> 2, blobs 4 -> 2",
    ]
    assert (here / "m.param").read_text() == (
        "7767517\n2 2\nInput                    in0                      0 1 in0\n"
        "InnerProduct             fc                       1 1 in0 out0 0=3 1=1 2=12 9=1\n"
    )


def test_a_pair_is_written_as_one(run: Run, here: Path) -> None:
    result = run("rewrite", "m.param", "m.bin", "--rule", "no_bias.txt", "-o", "out.param")
    assert result.exit_code == 0, result.err
    assert "warning" not in result.err
    pair = nnp.load("out.param", "out.bin")
    assert list(pair.graph.layer("fc").weights) == ["weight_data"]
    assert (here / "m.param").read_text() == MODEL


def test_without_the_weights_it_warns_when_they_no_longer_fit(run: Run, here: Path) -> None:
    assert "no longer fits" in run("rewrite", "m.param", "--rule", "no_bias.txt", "-o", "out.param").err
    assert "no longer fits" not in run("rewrite", "m.param", "--rule", "drop.txt", "-o", "out.param").err


def test_missing_weights_are_refused(run: Run, here: Path) -> None:
    before = (here / "m.param").read_bytes(), (here / "m.bin").read_bytes()
    result = run("rewrite", "m.param", "m.bin", "--rule", "new.txt")
    assert result.exit_code == 2
    assert "new" in result.err
    assert ((here / "m.param").read_bytes(), (here / "m.bin").read_bytes()) == before


def test_dry_run_shows_lines_and_writes_nothing(run: Run, here: Path) -> None:
    result = run("rewrite", "m.param", "--rule", "drop.txt", "--dry-run")
    assert "-Dropout " in result.out
    assert (here / "m.param").read_text() == MODEL


def test_explain_tells_why_not(run: Run, here: Path) -> None:
    (here / "m.param").write_text(MODEL.replace("4 4", "5 5") + "ReLU last 1 1 out0 end\n")
    two = "ReLU a 1 1 x y slope=0.5\nReLU b 1 1 y z\n=>\nz = x\n"
    (here / "two.txt").write_text(two)
    result = run("rewrite", "m.param", "--rule", "two.txt", "--explain", "--dry-run")
    assert "rule 1: found nowhere" in result.err
    assert "rule 1: not at last: slope of act is 0.0, the pattern wants 0.5" in result.err
    assert "not at" not in run("rewrite", "m.param", "--rule", "two.txt", "--dry-run").err


def test_near_misses_are_counted(run: Run, here: Path) -> None:
    shared = MODEL.replace("4 4", "6 7").replace("1 1 a b", "1 1 a1 b")
    shared = shared.replace("Dropout", "Split s 1 2 a a1 a2\nDropout") + "ReLU last 1 1 a2 end\n"
    (here / "m.param").write_text(shared)
    (here / "pair.txt").write_text("InnerProduct f 1 1 x y\nDropout d 1 1 y z\n=>\n* f 1 1 x z **f\n")
    assert "not applied in 1 place" in run("rewrite", "m.param", "--rule", "pair.txt", "-n").err
    told = run("rewrite", "m.param", "--rule", "pair.txt", "-n", "--explain").err
    assert "rule 1: not at fc, drop: blob a is read by last too" in told


def test_json_for_programs(run: Run, here: Path) -> None:
    result = run("rewrite", "m.param", "--rule", "drop.txt", "--format", "json", "-o", "out.param")
    account = json.loads(result.out)
    assert account["rules"] == [
        {
            "name": "drop",
            "changes": [{"layers": ["drop"], "message": "Dropout -> nothing"}],
            "declined": [],
        }
    ]
    assert account["layers"] == {"before": 4, "after": 3}
    assert Path("out.param").exists()


def test_streams(run: Run, here: Path) -> None:
    result = run("rewrite", "-", "--rule", "drop.txt", stdin=MODEL)
    assert nnp.loads(result.out).graph.layer_count == 3
    assert run("rewrite", "m.param", "--rule", "-", "-o", "-", stdin=DROP).out == result.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rule", "none.txt"], "none.txt"),
        ([], "--rule"),
        (["--rule", "drop.txt", "--format", "json", "-o", "-"], "json"),
        (["--rule", "-", "--rule", "-"], "standard input"),
        (["--rule", "m.param"], "m.param:1:8: the line ends too early"),
    ],
)
def test_trouble(run: Run, here: Path, words: list[str], said: str) -> None:
    result = run("rewrite", "m.param", *words)
    assert result.exit_code == 2
    assert said in result.err
    assert (here / "m.param").read_text() == MODEL


def test_a_rule_without_end_is_stopped(run: Run, here: Path) -> None:
    (here / "endless.txt").write_text("--- round\nReLU r 1 1 x y\n=>\nReLU n 1 1 x y\n")
    result = run("rewrite", "m.param", "--rule", "endless.txt")
    assert result.exit_code == 2
    assert "no end to 'round'" in result.err
    assert (here / "m.param").read_text() == MODEL


def test_page(run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (root / "docs/commands/rewrite.md").read_text(encoding="utf-8")
    rules = re.findall(r"^```\n((?:---|Conv).*?)^```$", text, re.M | re.S)
    for name, rule in zip(("rsqrt.txt", "softmax.txt", "wrong.txt"), rules, strict=True):
        (tmp_path / name).write_text(rule)
    shutil.copyfile(root / "ncnnparam/demo/encoder.ncnn.param", tmp_path / "encoder.ncnn.param")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```\n\$ (ncnnparam .*?)\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) == 3
    for line, printed in blocks:
        result = run(*shlex.split(line)[1:])
        assert result.out + result.err == printed
    options = set(re.findall(r"--[a-z][a-z-]+", run("rewrite", "--help").out.partition("Options:")[2]))
    assert {option for option in options - {"--help", "--output"} if option not in text} == set()
