"""``ncnnparam stats``: parameters, bytes, multiply-accumulates."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncnnparam.ops import registry

from ..weights.pairs import demo
from .conftest import Run
from .small import SMALL, ncnnparam, on_terminal

HINTED = SMALL.replace("0 1 in0\n", "0 1 in0 0=5 1=4 2=3\n")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    param, weights = demo()
    return Path(shutil.copy(param, tmp_path)), Path(shutil.copy(weights, tmp_path))


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    return


def cells(out: str, first: str) -> list[str]:
    """The line of a table that begins with a word."""
    (line,) = [line for line in out.splitlines() if line.startswith(f"{first} ")]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_without_shapes(run: Run, model: Path) -> None:
    result = run("stats", model)
    assert (result.exit_code, result.err) == (0, "")
    assert result.out.startswith("8 layers, 216 parameters\nno shapes are known")
    assert cells(result.out, "Convolution") == ["Convolution", "1", "216"]
    assert cells(result.out, "conv1") == ["conv1", "Convolution", "216"]
    assert "relu" not in result.out  # it has no parameters


def test_shapes_of_the_file(run: Run) -> None:
    out = run("stats", "-", stdin=HINTED).out
    assert "\n? MACs, 60+ activations; shapes known: 1 of 9 blobs\ninputs, width first: in0 (5x4x3)\n" in out


def test_shapes_of_ncnn(run: Run, model: Path) -> None:
    pytest.importorskip("ncnn")
    result = run("stats", model, "--shape", "in0=3,4,5")
    assert (result.exit_code, result.err) == (0, "")
    # 8 x 2 x 3 outputs, each of 27 taps; 60 + 7 times 48 numbers, of which the Split does not count
    assert "\n1.30 K MACs, 348 activations; shapes known: 9 of 9 blobs\n" in result.out
    assert cells(result.out, "conv1") == ["conv1", "Convolution", "216", "1.30 K", "48", "3x2x8"]
    model.write_text(HINTED)
    assert run("stats", model, "--runtime").out == result.out
    assert run("stats", model, "--shape", "in*=3,4,5").out == result.out


def test_bytes(run: Run, pair: tuple[Path, Path]) -> None:
    out = run("stats", *pair).out
    size = pair[1].stat().st_size
    assert out.startswith(f"188 layers, 67.8 K parameters, {size / 1000:.0f} KB\n")
    assert cells(out, "fp16")[:2] == ["fp16", "41"]
    record = json.loads(run("stats", *pair, "--format", "json").out)
    assert record["total"]["bytes"] == size == sum(row["bytes"] for row in record["storage"])
    assert record["total"]["bytes"] == sum(layer["bytes"] for layer in record["layers"])
    assert record["total"]["parameters"] == sum(layer["parameters"] for layer in record["layers"])


def test_bytes_behind_the_last_array(run: Run, pair: tuple[Path, Path]) -> None:
    with pair[1].open("ab") as file:
        file.write(bytes(8))
    result = run("stats", *pair)
    assert result.exit_code == 0
    assert "warning: 8 bytes behind the last array are not counted" in result.err


def test_json(run: Run, model: Path) -> None:
    pytest.importorskip("ncnn")
    record = json.loads(run("stats", model, "--shape", "in0=3,4,5", "--format", "json").out)
    assert record["inputs"] == [{"name": "in0", "shape": [5, 4, 3]}]
    assert record["total"] == {
        "layers": 8,
        "parameters": 216,
        "macs": 1296,
        "activations": 348,
        "bytes": 0,
        "unknown": {"parameters": 0, "macs": 0, "activations": 0},
    }
    conv = record["layers"][1]
    assert (conv["name"], conv["macs"], conv["outputs"], conv["storage"]) == ("conv1", 1296, [[3, 2, 8]], [])
    assert record["types"][0]["type"] == "Convolution"


def test_the_largest(run: Run, pair: tuple[Path, Path]) -> None:
    layers = json.loads(run("stats", *pair, "--format", "json").out)["layers"]
    heaviest = max(layers, key=lambda layer: int(layer["bytes"]))["name"]
    shown = run("stats", *pair, "--sort", "bytes", "--layers", 1).out
    assert shown.partition("most bytes:\n")[2].splitlines()[1].startswith(f"{heaviest} ")
    assert len(shown.partition("most bytes:\n")[2].splitlines()) == 2
    assert "most" not in run("stats", *pair, "--layers", 0).out


def test_an_unknown_type_is_counted_and_named(run: Run, model: Path, tmp_path: Path) -> None:
    model.write_text(SMALL.replace("Sigmoid ", "Torchoid"))
    result = run("stats", model)
    assert result.exit_code == 0
    assert result.out.startswith("8 layers, 216+ parameters\n")
    assert cells(result.out, "Torchoid") == ["Torchoid", "1", "?"]
    assert "nobody knows the weights of these types; --ops declares them: Torchoid\n" in result.err
    ops = tmp_path / "my_ops.toml"
    ops.write_text(
        '[Torchoid]\nweights = [{ name = "w", kind = "raw", shape = [7] }]\nmacs = "9 * out_size"\n'
    )
    declared = run("stats", model, "--ops", ops)
    assert (declared.exit_code, declared.err) == (0, "")
    assert declared.out.startswith("8 layers, 223 parameters\n")


def test_what_ncnn_cannot_compute(run: Run, model: Path) -> None:
    pytest.importorskip("ncnn")
    model.write_text(SMALL.replace("Sigmoid ", "Torchoid"))
    result = run("stats", model, "--shape", "in0=3,4,5")
    assert result.exit_code == 0
    assert "ncnn cannot compute these layers, and nothing below them: sig\n" in result.err
    assert "1.30 K+ MACs, 156+ activations; shapes known: 5 of 9 blobs" in result.out


def test_what_the_file_states_does_not_mix_with_what_ncnn_finds(run: Run, model: Path) -> None:
    pytest.importorskip("ncnn")
    hinted = HINTED.replace("Sigmoid ", "Torchoid").replace("s t 0=0", "s t 0=0 -23330=4,3,3,2,8")
    model.write_text(hinted)
    assert cells(run("stats", model, "--sort", "activations").out, "add")[-1] == "3x2x8"
    out = run("stats", model, "--shape", "in0=3,9,9", "--sort", "activations").out
    assert cells(out, "conv1")[-1] == "7x7x8"
    assert "3x2x8" not in out


def test_params_that_make_no_sense(run: Run, model: Path) -> None:
    model.write_text(SMALL.replace("6=216", "6=-1"))
    result = run("stats", model)
    assert result.exit_code == 0
    assert result.out.startswith("8 layers, ? parameters\n")
    assert "warning: weights not counted: layer 'conv1'" in result.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["{model}", "--shape", "in0"], "write NAME=SIZES, 1 to 4 sizes with commas"),
        (["{model}", "--shape", "in0=3x4"], "write NAME=SIZES"),
        (["{model}", "--shape", "in0=1,2,3,4,5"], "write NAME=SIZES"),
        (["{model}", "--shape", "in0=0,4"], "sizes go from 1 up"),
        (["{model}", "--shape", "in0=99999,99999"], "at most 268,435,456 numbers"),
        (["{model}", "--shape", "in0=" + "9" * 5000], "write NAME=SIZES"),
        (["{model}", "--shape", "in1=3"], "the network has no input 'in1'\n  hint: did you mean in0"),
        (
            ["{model}", "--runtime"],
            "the sizes of its inputs are not known: in0\n  hint: say them: --shape in0=",
        ),
        (["{model}", "nofile.bin"], "cannot read nofile.bin"),
        (["{model}", "{model}"], "(Convolution), weight_data at offset 0"),
        (["-", "--runtime"], "need a file that ncnn can read"),
        (["nofile"], "cannot read nofile"),
        (["{model}", "--layers", "-1"], "--layers"),
    ],
)
def test_wrong_use(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("stats", *(arg.format(model=model) for arg in args), stdin=SMALL)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_a_graph_that_kills_ncnn(run: Run, model: Path) -> None:
    pytest.importorskip("ncnn")
    model.write_text(
        "7767517\n4 4\nInput in0 0 1 in0\nSigmoid a 1 1 in0 a\nSigmoid b 1 1 in0 b\nBinaryOp c 2 1 a b out0\n"
    )
    result = run("stats", model, "--shape", "in0=4")
    assert (result.exit_code, result.out) == (2, "")
    assert "SIGSEGV" in result.err
    assert "ncnnparam check" in result.err


def test_terminal_and_pipe(model: Path) -> None:
    assert "\x1b[1m" in on_terminal("stats", model)
    assert b"\x1b" not in ncnnparam("stats", model).stdout
