"""``ncnnparam view``: drawings, and netron where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ncnnparam.cli.commands import view

from .conftest import Run
from .small import SMALL, ncnnparam

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
needs_netron = pytest.mark.skipif(find_spec("netron") is None, reason="needs netron")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


@pytest.fixture
def path_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_dot(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.dot"
    assert run("view", model, "-o", out).err == f"wrote {out}\n"
    assert out.read_text().startswith("digraph model {\n")
    assert run("view", model, "-o", "-").out == out.read_text()
    assert run("view", "-", "--no-open", stdin=SMALL).out == out.read_text()


@needs_graphviz
def test_svg(run: Run, model: Path) -> None:
    assert run("view", model, "--no-open").err == f"wrote {model}.svg\n"
    tree = ElementTree.parse(f"{model}.svg")
    words = {element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert words >= {"Convolution", "conv1", "BinaryOp", "out0", "t"}


@needs_graphviz
def test_hostile_names_are_only_text(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "odd.param", tmp_path / "odd.svg"
    names = ['"];evil[label="', "\\N\\l\\", "<script>", "&amp;", "a\x1b[31m"]
    lines = [f"Input {name} 0 1 {name}b" for name in names]
    path.write_text(
        f"7767517\n{len(names)} {len(names)}\n" + "\n".join(lines) + "\nX \udcff 0 0\n",
        errors="surrogateescape",
    )
    assert run("view", path, "-o", out).exit_code == 0
    words = [element.text for element in ElementTree.parse(out).iter("{http://www.w3.org/2000/svg}text")]
    assert [word for word in words if word in names] == names[:4]
    assert "a\ufffd[31m" in words


def test_no_graphviz(run: Run, model: Path, path_folder: Path, tmp_path: Path) -> None:
    result = run("view", model, "-o", tmp_path / "small.svg")
    assert (result.exit_code, result.out) == (2, "")
    assert result.err == (
        "error: svg needs Graphviz, and its program 'dot' is not here\n"
        "  hint: install it, or write the drawing as text instead: -o OUT.dot\n"
    )
    assert run("view", model, "--no-open").err == f"wrote {model}.dot\n"


def test_graphviz_that_fails(run: Run, model: Path, path_folder: Path, tmp_path: Path) -> None:
    program(path_folder / "dot", "echo out of paper >&2; exit 3")
    result = run("view", model, "-o", tmp_path / "small.svg")
    assert result.exit_code == 2
    assert "error: Graphviz failed with status 3: out of paper\n" in result.err
    assert not (tmp_path / "small.svg").exists()


def test_graphviz_that_hangs(
    run: Run, model: Path, path_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path_folder / "dot", "exec /bin/sleep 60")
    monkeypatch.setattr(view, "TIMEOUT", 1)
    result = run("view", model, "-o", tmp_path / "small.svg")
    assert result.exit_code == 2
    assert "error: Graphviz has not drawn this in 1 seconds\n" in result.err
    assert not (tmp_path / "small.svg").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("small.jpg", "must end in .dot, .gv, .svg, .png, .pdf"),
        ("small", "must end in"),
        ("/no/such/folder/small.dot", "cannot write /no/such/folder/small.dot"),
    ],
)
def test_wrong_output(run: Run, model: Path, output: str, said: str) -> None:
    result = run("view", model, "-o", output)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_missing_model() -> None:
    done = ncnnparam("view", "/no/such.param")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"error: NP801 cannot read /no/such.param: No such file or directory\n"


@pytest.mark.skipif(find_spec("netron") is not None, reason="netron is installed")
def test_without_netron_a_drawing_is_written(run: Run, model: Path) -> None:
    ending = ".svg" if shutil.which("dot") else ".dot"
    assert run("view", model).err == f"wrote {model}{ending}\n"


@needs_netron
def test_netron_serves_the_model_until_interrupted(model: Path) -> None:
    command = [sys.executable, "-u", "-m", "ncnnparam", "view", str(model)]
    env = {**os.environ, "BROWSER": "true"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = line.split()[-1]
        with urllib.request.urlopen(f"{address}/data/{model.name}", timeout=20) as answer:
            assert answer.read().decode() == SMALL
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
