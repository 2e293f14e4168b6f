"""``ncnnparam diff``: what it prints and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

OLD = """7767517
3 3
Input                    in0                      0 1 in0
InnerProduct             fc                       1 1 in0 1 0=10 1=1 2=160
ReLU                     act                      1 1 1 out0
"""
RENUMBERED = OLD.replace(" 1 0=10", " 7 0=10").replace("1 1 1 out0", "1 1 7 out0").replace("fc ", "fc_9")
SPELLED = OLD.replace("out0", "out0 0=0.0")
CHANGED = OLD.replace("0=10", "0=12")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = {"old": OLD, "renumbered": RENUMBERED, "spelled": SPELLED, "changed": CHANGED}
    for name, text in texts.items():
        (tmp_path / f"{name}.param").write_text(text)
    return tmp_path


@pytest.mark.parametrize("other", ["old", "renumbered", "spelled"])
def test_the_same_is_silent(run: Run, files: Path, other: str) -> None:
    result = run("diff", "old.param", f"{other}.param")
    assert (result.exit_code, result.out, result.err) == (0, "", "")


def test_different(run: Run, files: Path) -> None:
    result = run("diff", "old.param", "changed.param")
    assert result.exit_code == 1
    assert result.out == (
        "--- old.param\n+++ changed.param\n"
        "@@ -4 +4 @@ InnerProduct fc\n-num_output (0) = 10\n+num_output (0) = 12\n"
        "# 1 param changed; 3 layers are in both\n"
    )


@pytest.mark.parametrize(
    ("option", "other", "line"),
    [("--strict-names", "renumbered", "+name = fc_9"), ("--textual", "spelled", "+written 0=0.0")],
)
def test_stricter(run: Run, files: Path, option: str, other: str, line: str) -> None:
    result = run("diff", option, "old.param", f"{other}.param")
    assert result.exit_code == 1
    assert line in result.out.splitlines()


def test_json(run: Run, files: Path) -> None:
    result = run("diff", "--format", "json", "old.param", "changed.param")
    assert result.exit_code == 1
    data = json.loads(result.out)
    assert (data["first"], data["second"], data["same"]) == ("old.param", "changed.param", False)
    layer = {"type": "InnerProduct", "name": "fc", "line": 4}
    assert data["records"] == [
        {
            "kind": "param-changed",
            "before": layer,
            "after": layer,
            "id": 0,
            "name": "num_output",
            "old": 10,
            "new": 12,
            "implied": False,
        }
    ]


def test_json_of_no_difference(run: Run, files: Path) -> None:
    result = run("diff", "--format", "json", "old.param", "renumbered.param")
    assert result.exit_code == 0
    data = json.loads(result.out)
    assert (data["same"], data["by_structure"], data["records"]) == (True, 1, [])


def test_table(run: Run, files: Path) -> None:
    result = run("diff", "--format", "table", "old.param", "changed.param")
    assert result.exit_code == 1
    lines = [line.split() for line in result.out.splitlines()]
    assert [
        "4",
        "4",
        "InnerProduct",
        "fc",
        "num_output",
        "(0)",
        "=",
        "10",
        "num_output",
        "(0)",
        "=",
        "12",
    ] in lines
    assert result.out.endswith("1 param changed; 3 layers are in both\n")


def test_a_table_on_a_terminal(files: Path) -> None:
    """What a person sees who only types the command: what a terminal got, without its colours."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ncnnparam", "diff", "old.param", "changed.param"]
    done = subprocess.run(command, stdout=theirs, env={**os.environ, "COLUMNS": "120", "TERM": "dumb"})
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "in A" in seen
    assert "num_output (0) = 12" in seen


@pytest.mark.parametrize(("other", "code"), [("renumbered", 0), ("changed", 1)])
def test_quiet(run: Run, files: Path, other: str, code: int) -> None:
    result = run("diff", "-q", "old.param", f"{other}.param")
    assert (result.exit_code, result.out, result.err) == (code, "", "")


def test_one_side_from_stdin(run: Run, files: Path) -> None:
    assert run("diff", "-", "renumbered.param", stdin=OLD).exit_code == 0
    result = run("diff", "old.param", "-", stdin=CHANGED)
    assert result.exit_code == 1
    assert "+++ -" in result.out


def test_both_sides_from_stdin_is_a_mistake(run: Run) -> None:
    result = run("diff", "-", "-")
    assert result.exit_code == 2
    assert "only one of the two" in result.err


def test_trouble(run: Run, files: Path) -> None:
    (files / "bad.param").write_text("7767517\n1 1\nInput\n")
    for other in ("missing.param", "bad.param", "."):
        result = run("diff", "old.param", other)
        assert (result.exit_code, result.out) == (2, "")
        assert result.err.startswith("error: ")
        assert other in result.err


def test_names_of_any_bytes(run: Run, files: Path) -> None:
    (files / "bytes.param").write_bytes(CHANGED.encode().replace(b"fc ", b"\xffc "))
    result = run("diff", "old.param", "bytes.param")
    assert result.exit_code == 1
    assert run("diff", "--format", "json", "old.param", "bytes.param").exit_code == 1
