"""``ncnnparam sensitivity``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def files(shared: Path) -> list[str]:
    """A float model, its int8 form, and data."""
    folder = shared / "golden/cnn_chain"
    pairs = [str(folder / name) for name in ("m.param", "m.bin", "kl.param", "kl.q.bin")]
    return [*pairs, "--npy", str(folder / "list.txt")]


def test_text(run: Run, files: list[str], tmp_path: Path) -> None:
    result = run("sensitivity", *files, "--top", "2", "--keep-worst", "1")
    assert (result.exit_code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split() == ["layer", "type", "B", "SQNR", "output"]
    assert lines[1].split()[:3] == ["fcrelu_0", "InnerProduct", "int8"]
    assert lines[3] == "and 15 more layers"
    assert lines[4].startswith("all 17 together: about ")
    skip = shlex.split(lines[5].partition("; ")[2])[2:]
    assert skip == ["--skip", 'name="fcrelu_0"']
    table = str(Path(files[0]).with_name("kl.table"))
    mixed = str(tmp_path / "x.param"), str(tmp_path / "x.bin")
    assert run("quantize", *files[:2], *mixed, "--table", table, *skip).exit_code == 0
    assert run("compare", *files[:2], *mixed, *files[4:]).exit_code == 0
    assert run("compare", *files).exit_code == 1


def test_json(run: Run, files: list[str]) -> None:
    result = run("sensitivity", *files, "--min-sqnr", "28", "--format", "json")
    assert result.exit_code == 0
    said = json.loads(result.out)
    assert said["items"] == 6
    assert len(said["layers"]) == 17
    assert said["keep_float"] == [layer["layer"] for layer in said["layers"][: len(said["keep_float"])]]
    assert 1 <= len(said["keep_float"]) < 17


def test_a_page(run: Run, files: list[str], tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    assert run("sensitivity", *files, "--html", page).exit_code == 0
    assert "fcrelu_0" in page.read_text(encoding="utf-8")


def test_encoder(run: Run, shared: Path) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    folder = shared / "golden/sherpa_small"
    nets = [folder / name for name in ("enc.param", "enc.bin", "enc.q.param", "enc.q.bin")]
    result = run("sensitivity", *nets, "--wavs", folder / "w1.wav", "--top", "1")
    assert result.exit_code == 0
    assert result.out.splitlines()[1].startswith("conv_34")
    joiner = [folder / name for name in ("joi.param", "joi.bin", "joi.q.param", "joi.q.bin")]
    result = run("sensitivity", *joiner, "--wavs", folder / "w1.wav")
    assert result.exit_code == 2
    assert "has no SherpaMetaData" in result.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((0, 1, 2, 3), "name the data: --npy, or --wavs"),
        ((0, 1, 2, 3, 4, 5, "--wavs", "x"), "name the data: --npy, or --wavs"),
        ((0, 1, 2, 3, 4, 5, "--keep-worst", "1", "--min-sqnr", "3"), "name one of them"),
        ((0, 1, 2, 3, 4, 5, "--min-sqnr", "nan"), "'nan' is no number"),
        ((0, 1, 2, 3, 4, 5, "--html", 3), "would be written over"),
        ((0, 1, 0, 1, 4, 5), "has no quantised layer"),
    ],
)
def test_wrong_command_lines(run: Run, files: list[str], words: tuple[int | str, ...], why: str) -> None:
    result = run("sensitivity", *(files[word] if isinstance(word, int) else word for word in words))
    assert result.exit_code == 2
    assert why in result.err
