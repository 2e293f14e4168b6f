"""``ncnnparam table``."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ..quantize.rule_examples import GOOD, MODEL
from .conftest import Run

CONV = "conv_32_param_0 90 91 92 93.5\nconv_32 30.5\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table and its model, where the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("m.param").write_text(MODEL)
    Path("m.table").write_text(GOOD)
    return tmp_path


def test_the_page(run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (root / "docs/commands/table.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(root / "ncnnparam/demo/encoder.ncnn.param", "encoder.ncnn.param")
    Path("conv.table").write_text(CONV)
    blocks = re.findall(r"^```\n(\$ ncnnparam .*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        line, _, shown = block.partition("\n")
        result = run(*shlex.split(line)[2:])
        assert result.out + result.err == shown


@pytest.mark.parametrize("name", ["show", "check", "edit", "merge"])
def test_every_option_is_on_the_page(run: Run, root: Path, name: str) -> None:
    text = (root / "docs/commands/table.md").read_text(encoding="utf-8")
    shown = run("table", name, "--help").out
    options = set(re.findall(r"--[a-z][a-z-]+", shown.partition("Options:")[2])) - {"--help"}
    assert {option for option in options if option not in text} <= {"--output"}


def test_show(run: Run, folder: Path) -> None:
    lines = run("table", "show", "m.table").out.splitlines()
    assert lines[1].split() == ["conv_param_0", "2", "12.5", "14.25"]
    assert run("table", "show", "m.table", "fc*").out == "fc_param_0 40 41 42\nfc 10\n"
    answer = json.loads(run("table", "show", "m.table", "conv", "--format", "json").out)
    assert answer == [{"key": "conv", "line": 3, "scales": [30.5]}]
    result = run("table", "show", "m.table", "cnov")
    assert result.exit_code == 2
    assert "did you mean conv" in result.err


def test_show_reads_standard_input(run: Run) -> None:
    assert run("table", "show", "-", stdin="x 1 2\ny\n").out.splitlines()[1:] == [
        "x         2         1        2",
        "y         0",
    ]


def test_check(run: Run, folder: Path) -> None:
    result = run("table", "check", "m.table", "m.param")
    assert (result.exit_code, result.out, result.err) == (0, "", "nothing found\n")
    Path("m.table").write_text(GOOD.replace("fc 10.000000", "\nfc inf"))
    result = run("table", "check", "m.table", "m.param")
    assert (result.exit_code, result.err) == (1, "2 errors\n")
    assert [line.split()[1] for line in result.out.splitlines() if line.startswith("m.table")] == [
        "NP701",
        "NP708",
    ]
    records = json.loads(run("table", "check", "m.table", "--format", "json").out)
    assert [(one["code"], one["line"]) for one in records] == [("NP701", 4), ("NP708", 5)]
    assert run("table", "check", "m.table", "--format", "github").out.startswith(
        "::error file=m.table,line=4"
    )
    sarif = json.loads(run("table", "check", "m.table", "--format", "sarif").out)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "NP701"


def test_edit(run: Run, folder: Path) -> None:
    words = ("--remove", "lstm*", "--set", "fc=5,6", "--multiply", "conv*=2", "--tidy")
    assert run("table", "edit", "m.table", *words, "-o", "new.table").exit_code == 0
    assert Path("new.table").read_text() == (
        "conv_param_0 25.000000 28.500000 \nfc_param_0 40.000000 41.000000 42.000000 \n"
        "conv 61.000000 \nfc 5.000000 6.000000 \n"
    )
    assert Path("m.table").read_text() == GOOD
    assert run("table", "edit", "m.table", "--rename", "fc=out", "--backup").exit_code == 0
    assert Path("m.table").read_text() == GOOD.replace("fc", "out")
    assert Path("m.table.bak").read_text() == GOOD


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "fc"),
        ("--set", "=1"),
        ("--set", "fc=x"),
        ("--set", "a b=1"),
        ("--set", "fc=nan"),
        ("--set", "fc=0"),
        ("--set", "fc=-3"),
        ("--set", "fc=1e300"),
        ("--multiply", "fc=inf"),
        ("--multiply", "fc=-1"),
        ("--multiply", "conv=1e38"),
        ("--multiply", "conv=1e-60"),
        ("--remove", "x"),
        ("--rename", "x=y"),
    ],
)
def test_edits_without_sense(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    result = run("table", "edit", "m.table", *words)
    assert (result.exit_code, result.out) == (2, "")
    assert Path("m.table").read_text() == GOOD


def test_a_binary_file_is_no_table(run: Run, folder: Path) -> None:
    Path("m.bin").write_bytes(b"fc\0\x80\n" * 100)
    for words in (("show", "m.bin"), ("check", "m.bin", "m.param"), ("merge", "m.bin")):
        result = run("table", *words)
        assert (result.exit_code, result.out) == (2, "")
        assert result.err.startswith("error: m.bin is no table")


def test_merge(run: Run, folder: Path) -> None:
    Path("two.table").write_text("conv 1\n\nnew 2")
    result = run("table", "merge", "m.table", "two.table")
    assert result.exit_code == 0
    assert result.out == GOOD.replace("conv 30.500000 \n", "conv 1\n") + "new 2\n"
    assert run("table", "merge", "m.table", "none.table").exit_code == 2
