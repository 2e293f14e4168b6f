"""The passes of docs/writing-passes.md, and a plugin that is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ncnnparam as nnp

MODEL = """7767517
7 8
Input                    in0                      0 1 in0
ReLU                     relu                     1 1 in0 a 0=0.1
Split                    split                    1 2 a b c
Sigmoid                  sigmoid                  1 1 b d
BinaryOp                 mul                      2 1 c d e 0=2
TanH                     hidden                   1 1 e hidden
Softmax                  prob                     1 1 hidden out0 0=0 1=1
"""
CHANGED = """7767517
4 4
Input                    in0                      0 1 in0
ReLU                     relu                     1 1 in0 a 0=0.0
Swish                    mul                      1 1 a e
TanH                     hidden                   1 1 e hidden
"""


def test_the_page(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (root / "docs/writing-passes.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    monkeypatch.chdir(tmp_path)
    Path("encoder.ncnn.param").write_text(MODEL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/writing-passes.md", "exec"), names)
    fused = nnp.dumps(nnp.load("fused.param"))
    assert re.sub(" +", " ", fused) == re.sub(" +", " ", CHANGED)
    report = names["report"]
    changed = [step.name for step in report.steps if step.result.modified]
    assert changed == ["leaky-to-relu", "fuse-sigmoid-mul", "cut-head"]


@pytest.fixture(scope="module")
def plugin(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plugin is installed."""
    target = tmp_path_factory.mktemp("plugin")
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", target]
    subprocess.run([*command, root / "tests/passes/plugin"], check=True, timeout=120)
    return target


def test_a_plugin_is_found_by_name(plugin: Path, tmp_path: Path) -> None:
    def ncnnparam(*args: object) -> str:
        env = {**os.environ, "PYTHONPATH": str(plugin)}
        command = [sys.executable, "-m", "ncnnparam", *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=True)
        return done.stdout

    assert "swap-activations" in ncnnparam("passes")
    assert ncnnparam("passes", "swap-*").startswith("swap-activations  Makes activations of one type")
    path = tmp_path / "m.param"
    path.write_text(MODEL)
    pipeline = "swap-activations,swap-activations{old=TanH,new=Mish}"
    out = ncnnparam("opt", path, "--passes", pipeline, "-o", "-")
    types = [layer.type for layer in nnp.loads(out).graph]
    assert types == ["Input", "ReLU", "Split", "Mish", "BinaryOp", "Mish", "Softmax"]
