"""The wheel holds what the package needs, and works in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import ncnnparam


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_wheel_holds_grammar_types_demo_and_examples(root: Path, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"ncnnparam/_grammar/{path.name}" for path in (root / "grammar").glob("*.lark")} <= names
    assert {
        "ncnnparam/py.typed",
        "ncnnparam/ops/types/convolution.json",
        "ncnnparam/demo/encoder.ncnn.bin",
        "ncnnparam/_examples/demo_transducer/export.py",
        "ncnnparam/_examples/lstm/model.pt",
    } <= names
    assert {
        f"ncnnparam/_examples/speech/test/{path.name}" for path in (root / "examples/speech/test").iterdir()
    } <= names
    assert not any(name.startswith(("tests/", "tools/")) or "__pycache__" in name for name in names)


def test_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    constraints = Path(__file__).parent.parent / "constraints.txt"

    def call(program: str, *args: str) -> str:
        done = subprocess.run([scripts / program, *args], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("python", "-m", "pip", "install", "--quiet", "-c", str(constraints), str(wheel))
    assert call("ncnnparam", "--version").split() == ["ncnnparam", ncnnparam.__version__]
    (tmp_path / "m.param").write_text("7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n")
    call("ncnnparam", "check", "m.param")
    call("ncnnparam", "set", "m.param", "relu", "slope=0.1")
    assert (tmp_path / "m.param").read_text().endswith(" 1 1 in0 out0 0=0.1\n")
    call(
        "python", "-c", "from ncnnparam.examples import example_folder as f; (f() / 'bpe.model').read_bytes()"
    )
    call("python", "-c", "import ncnnparam as nnp; assert nnp.load('m.param').graph.layer_count == 2")
