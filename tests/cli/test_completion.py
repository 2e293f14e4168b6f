"""``ncnnparam completion``: the scripts, and what the shell gets from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Run
from .small import SMALL, ncnnparam


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef ncnnparam"), ("fish", "complete ")]
)
def test_scripts(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str, word: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    result = run("completion", shell)
    assert (result.exit_code, result.err) == (0, "")
    assert word in result.out
    monkeypatch.setenv("SHELL", f"/usr/local/bin/{shell}")
    assert run("completion").out == result.out


@pytest.mark.parametrize("shell", ["", "/bin/tcsh"])
def test_unknown_shell(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("SHELL", shell)
    result = run("completion")
    assert (result.exit_code, result.out) == (2, "")
    assert "name one of bash, zsh, fish" in result.err
    assert run("completion", "tcsh").exit_code == 2


def offered(folder: Path, *words: str) -> set[str]:
    """What the shell is told when TAB is pressed behind the last word."""
    env = {
        "_NCNNPARAM_COMPLETE": "fish_complete",
        "COMP_WORDS": " ".join(["ncnnparam", *words[:-1]]),
        "COMP_CWORD": words[-1],
    }
    command = [sys.executable, "-c", "from ncnnparam.cli.main import main; main()"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True
    )
    return {line.partition(",")[2].partition("\t")[0] for line in done.stdout.splitlines() if line}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["ex"], {"explain", "extract"}),
        (["show", "--ty"], {"--type", "--types"}),
        (["set", "small.param", "c"], {"conv1"}),
        (["remove", "small.param", "d1", "pr"], {"prob"}),
        (["rename", "small.param", "s"], {"s", "sp", "sig"}),
        (["show", "small.param", "--around", "o"], {"out0"}),
        (["show", "small.param", "--type", "Softm"], {"Softmax"}),
        (["extract", "small.param", "--outputs", "t,o"], {"t,out0"}),
        (["explain", "small.param", "r"], {"relu"}),
        (["find", "small.param", "si"], {"sig"}),
        (["find", "small.param", "Softm"], {"Softmax"}),
        (["set", "nofile.param", "c"], set()),
    ],
)
def test_names_out_of_the_model(tmp_path: Path, words: list[str], answer: set[str]) -> None:
    (tmp_path / "small.param").write_text(SMALL)
    assert offered(tmp_path, *words) == answer


def test_models_are_files(tmp_path: Path) -> None:
    assert "Convolution1D" in offered(tmp_path, "explain", "Convolution")
    assert offered(tmp_path, "show", "sma") == {"sma"}  # click's way to say: a file


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_runs_the_script(tmp_path: Path) -> None:
    (tmp_path / "small.param").write_text(SMALL)
    program = tmp_path / "ncnnparam"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ncnnparam "$@"\n')
    program.chmod(0o755)
    script = ncnnparam("completion", "bash").stdout.decode()
    press_tab = (
        "COMP_WORDS=(ncnnparam set small.param conv); COMP_CWORD=3; _ncnnparam_completion ncnnparam; "
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{press_tab}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "conv1\n"
