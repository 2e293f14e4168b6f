"""The Python blocks of the documentation run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.pipeline.config_read import read_models

MODEL = """7767517
4 4
Input                    in0                      0 1 in0
InnerProduct             fc0                      1 1 in0 b 0=8 1=1 2=64
ReLU                     act                      1 1 b a
InnerProduct             fc                       1 1 a out0 0=10 1=1 2=80
"""


def test_library_page(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (root / "docs/library.md").read_text(), re.M | re.S)
    assert len(blocks) >= 6
    monkeypatch.chdir(tmp_path)
    Path("encoder.ncnn.param").write_text(MODEL)
    Path("encoder.ncnn.bin").write_bytes(bytes(4 + 64 * 4 + 8 * 4 + 4 + 80 * 4 + 10 * 4))
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/library.md", "exec"), names)
    edited = nnp.load("edited.param").graph
    assert edited.layer("act").type == "Swish"
    assert edited.has_layer("classifier")
    assert Path("small.bin").stat().st_size == 4 + 64 * 4 + 8 * 4 + 4 + 80 * 2
    assert edited.declared == (edited.layer_count, edited.blob_count) == (4, 4)


def test_configs_of_the_tutorial(root: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", (root / "docs/tutorial.md").read_text(), re.M | re.S)
    kinds = []
    for block in blocks:
        (tmp_path / "ncnnparam.toml").write_text(block)
        (model,) = read_models(tmp_path / "ncnnparam.toml")
        kinds.append(model.kind)
    assert kinds == ["conv-emformer", "lstm", "zipformer", ""]
