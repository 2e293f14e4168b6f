"""``ncnnparam check`` of models with their weights, and of folders."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from ..checks.pairs.nets import FLOAT, QUANTISED, float_data, int8_data
from ..weights.pairs import demo
from .conftest import Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pairs, the working directory."""
    for name, text, data in (("m", FLOAT, float_data()), ("m.int8", QUANTISED, int8_data())):
        (tmp_path / f"{name}.param").write_text(text)
        (tmp_path / f"{name}.bin").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pair_that_fits(run: Run, folder: Path) -> None:
    result = run("check", "m.param", "m.bin", "--weights")
    assert (result.exit_code, result.out, result.err) == (0, "", "nothing found\n")


def test_a_swapped_pair(run: Run, folder: Path) -> None:
    result = run("check", "m.param", "m.int8.bin")
    assert result.exit_code == 1
    assert result.out.startswith("m.param:4:1: NP603 error m.int8.bin: layer 'conv'")
    assert "hint: it fits m.int8.param, which lies beside it\n" in result.out


def test_several_pairs_at_once(run: Run, folder: Path) -> None:
    result = run("check", "m.param", "m.bin", "m.int8.param", "m.param", "m.int8.bin", "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.out)
    assert [(one["file"], one["code"], one["layer"], one["offset"]) for one in found] == [
        ("m.param", "NP603", "conv", 0)
    ]


def test_a_folder_is_paired_by_name(run: Run, folder: Path) -> None:
    assert run("check", ".").exit_code == 0
    deeper = folder / "deeper"
    deeper.mkdir()
    shutil.copy("m.param", deeper)
    (deeper / "m.bin").write_bytes(int8_data())
    (deeper / "lonely.bin").write_bytes(b"")
    (deeper / "m.pnnx.param").write_text("7767517\n")
    result = run("check", ".")
    assert result.exit_code == 1
    assert "deeper/m.param:4:1: NP603" in result.out
    assert "m.pnnx.param" not in result.out + result.err
    assert "deeper/lonely.bin: there is no lonely.param beside it; not checked\n" in result.err


def test_a_folder_without_models(run: Run, tmp_path: Path) -> None:
    result = run("check", tmp_path)
    assert (result.exit_code, result.out) == (2, "")
    assert result.err.startswith(f"error: there is no .param file in {tmp_path}")


@pytest.mark.parametrize("words", [("m.bin", "m.param"), ("m.param", "m.bin", "m.int8.bin"), (".", "m.bin")])
def test_a_bin_must_follow_its_param(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    result = run("check", *words)
    assert result.exit_code == 2
    assert "name the .param first, then the .bin" in result.err


def test_contents_that_are_swapped(run: Run, folder: Path) -> None:
    (folder / "m.bin").write_text(FLOAT)
    (folder / "m.param").write_bytes(float_data())
    result = run("check", "m.param", "m.bin")
    assert result.exit_code == 2
    assert "error this is a weight file (.bin)" in result.out
    assert "m.bin: this is a .param text" in result.out
    assert "swapped?" in result.out


def test_a_file_of_another_kind_is_trouble(run: Run, folder: Path) -> None:
    (folder / "m.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    result = run("check", "m.param", "m.bin")
    assert result.exit_code == 2
    assert "NP601 error m.bin: this is a git-lfs pointer" in result.out


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_a_bin_that_cannot_be_mapped_is_trouble(run: Run, folder: Path, kind: str) -> None:
    path = folder / "x.bin"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    result = run("check", "m.param", "x.bin", "m.int8.param", "m.int8.bin")
    assert (result.exit_code, result.err.count("error: ")) == (2, 1)
    assert re.search(r"error: NP80[12] cannot (read|map) x\.bin: ", result.err)


def test_a_folder_named_like_weights_is_searched_where_no_bin_can_stand(run: Run, folder: Path) -> None:
    (folder / "x.bin").mkdir()
    shutil.move("m.param", "x.bin")
    assert run("check", "x.bin").exit_code == 0


def test_weights_without_a_bin_is_a_mistake(run: Run, folder: Path) -> None:
    result = run("check", "--weights", "m.param")
    assert (result.exit_code, result.out) == (2, "")
    assert "--weights looks at the numbers in a .bin: name one behind its .param" in result.err
    assert run("check", "--weights", "m.param", "m.int8.param", "m.int8.bin").exit_code == 0


def test_standard_input_with_a_bin(run: Run, folder: Path) -> None:
    assert run("check", "-", "m.bin", stdin=FLOAT).exit_code == 0
    assert run("check", "-", "m.int8.bin", stdin=FLOAT).exit_code == 1


def test_rules_are_chosen_among_those_of_weights_too(run: Run, folder: Path) -> None:
    assert run("check", "m.param", "m.int8.bin", "--ignore", "weight-tag").exit_code == 0
    assert run("check", "m.param", "--select", "NP6").exit_code == 0
    result = run("check", "m.param", "m.int8.bin", "--select", "NP604", "--format", "sarif")
    driver = json.loads(result.out)["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == ["NP604"]


def test_fix_repairs_the_param_and_judges_the_pair(run: Run, folder: Path) -> None:
    (folder / "m.param").write_text(FLOAT.replace("4 4", "3 4"))
    result = run("check", "--fix", "m.param", "m.bin")
    assert (result.exit_code, (folder / "m.param").read_text()) == (0, FLOAT)


def test_an_interrupted_save_is_completed_first(run: Run, folder: Path) -> None:
    (folder / ".m.param.1.tmp").write_text(QUANTISED)
    (folder / ".m.bin.1.tmp").write_bytes(int8_data())
    names = [[".m.bin.1.tmp", "m.bin"], [".m.param.1.tmp", "m.param"]]
    (folder / ".m.param.pair").write_text(json.dumps(names))
    assert run("check", "m.param", "m.bin").exit_code == 0
    assert (folder / "m.param").read_text() == QUANTISED
    assert (folder / "m.bin").read_bytes() == int8_data()


def test_the_real_ncnn_is_asked(run: Run, folder: Path) -> None:
    pytest.importorskip("ncnn")
    assert run("check", "--runtime", "m.param", "m.bin", *demo()).exit_code == 0
    (folder / "m.bin").write_bytes(float_data()[:100])
    result = run("check", "--runtime", "--select", "NP609", "m.param", "m.bin")
    assert result.exit_code == 1
    assert "m.param: NP609 error ncnn refuses m.bin" in result.out
    assert run("check", "--runtime", "-", stdin=FLOAT).exit_code == 2
