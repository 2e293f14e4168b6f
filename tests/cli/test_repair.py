"""``ncnnparam repair``."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.model import load

from .conftest import Run

PAGE = Path(__file__).parents[2] / "docs/commands/repair.md"
WEIGHTS = np.linspace(-1, 1, 32, dtype=np.float32)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The pair of the page, and a ``.bin`` for it."""
    for name, text in re.findall(
        r"^`(small\S+)`\n```\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    ):
        (tmp_path / name).write_text(text)
    return tmp_path / "small.ncnn.param"


@pytest.fixture
def weights(small: Path) -> Path:
    path = small.with_name("small.ncnn.bin")
    path.write_bytes(bytes(4) + WEIGHTS.tobytes())
    return path


def wanted(x: np.ndarray) -> np.ndarray:
    """What the module of the page computes."""
    y = WEIGHTS.reshape(8, 4) @ x
    return (y[:4] / (1 + np.exp(-y[4:]))).T.reshape(-1, 2)


def expected(path: Path, error: float = 0) -> Path:
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    file = path.with_name("expected.npz")
    np.savez(file, in0=x, out0=wanted(x).astype(np.float32) + np.float32(error))
    return file


def test_the_page(run: Run, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    (block,) = re.findall(r"^```\n(\$ ncnnparam .*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    line, _, shown = block.partition("\n")
    result = run(*shlex.split(line)[2:])
    assert result.exit_code == 0
    assert result.out + result.err == shown


def test_every_option_is_on_the_page(run: Run) -> None:
    options = set(re.findall(r"--[a-z][a-z-]+", run("repair", "--help").out)) - {"--help", "--output"}
    assert {option for option in options if option not in PAGE.read_text()} == set()


def test_proves_the_numbers(run: Run, small: Path, weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    result = run("repair", small, "-o", tmp_path / "r.param", "--expect", expected(small))
    assert result.exit_code == 0, result.err
    assert "1 outputs, off by" in result.out
    assert f"{weights} goes with r.param" in result.err
    assert not (tmp_path / "r.bin").exists()


def test_a_wrong_number_is_found(run: Run, small: Path, weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    arguments = ("repair", small, weights, "-o", tmp_path / "r.param", "--expect", expected(small, 0.01))
    result = run(*arguments)
    assert result.exit_code == 1
    assert "wrong: out0 is off by 0.01" in result.out
    assert run(*arguments, "--tolerance", "0.1").exit_code == 0


def torchscript(folder: Path, factor: float = 1) -> Path:
    """The module of the page, with the weights of the ``.bin``."""
    torch = pytest.importorskip("torch")

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv1d(4, 8, 1, bias=False)

        def forward(self, x):
            y = torch.nn.functional.glu(self.conv(x), dim=1).permute(2, 0, 1)
            return y.reshape(1, -1, 2).to(torch.float)

    module = Module().eval()
    with torch.no_grad():
        module.conv.weight.copy_(factor * torch.from_numpy(WEIGHTS.reshape(8, 4, 1).copy()))
        traced = torch.jit.trace(module, torch.rand(1, 4, 3), check_trace=False)
    path = folder / "small.pt"
    traced.save(str(path))
    return path


def tell_shape(small: Path, shape: str) -> None:
    """Lets the ``.pnnx.param`` tell the shape of the input."""
    path = small.with_name("small.pnnx.param")
    path.write_text(re.sub(r"(?m)^(pnnx.Input .*)$", rf"\1 #0={shape}", path.read_text()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_proves_the_numbers(run: Run, small: Path, weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    tell_shape(small, "(1,4,3)f32")
    words = ("repair", small, "-o", tmp_path / "r.param", "--expect")
    result = run(*words, torchscript(tmp_path))
    assert result.exit_code == 0, result.err
    assert "1 outputs, off by" in result.out
    result = run(*words, torchscript(tmp_path, factor=1.5))
    assert result.exit_code == 1
    assert "wrong: out0 is off by" in result.out


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "does not tell the shape of in0"),
        ("(1,?,3)f32", "does not tell the shape of in0"),
        ("(1,4,3)i64", "in0 is i64"),
        ("(1,5,3)f32", "does not run on inputs of the shapes"),
        ("(1,4,999999999999)f32", "more than 1073741824 bytes"),
    ],
)
def test_torchscript_that_cannot_be_run(
    run: Run, small: Path, weights: Path, tmp_path: Path, shape: str | None, message: str
) -> None:
    if shape is not None:
        tell_shape(small, shape)
    result = run("repair", small, "-o", tmp_path / "r.param", "--expect", torchscript(tmp_path))
    assert result.exit_code == 2
    assert message in result.err
    assert not (tmp_path / "r.param").exists()


def test_numbers_that_are_not_there_are_missed_before_anything_is_written(
    run: Run, small: Path, weights: Path, tmp_path: Path
) -> None:
    result = run("repair", small, "-o", tmp_path / "r.param", "--expect", tmp_path / "no.npz")
    assert result.exit_code == 2
    assert "no.npz" in result.err
    assert not (tmp_path / "r.param").exists()


def test_json(run: Run, small: Path, weights: Path, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    out = tmp_path / "r.param"
    result = run("repair", small, "-o", out, "--expect", expected(small), "--format", "json")
    found = json.loads(result.out)
    assert found["target"].startswith("ncnn-")
    assert {entry["repair"] for entry in found["repaired"]} == {
        "pnnx-drop-casts",
        "pnnx-lower-reshape",
        "pnnx-glu-axis",
    }
    assert (found["left"], found["kept"]) == ([], [])
    assert (found["layers"], found["blobs"]) == (5, 5)
    assert (found["param"], found["bin"], found["weights_changed"]) == (str(out), str(weights), False)
    assert [(output["blob"], output["within"], output["shape"]) for output in found["outputs"]] == [
        ("out0", True, [6, 2])
    ]


def test_without_an_output_nothing_is_written(run: Run, small: Path) -> None:
    before = sorted(small.parent.iterdir())
    result = run("repair", small)
    assert result.exit_code == 0
    assert "nothing is written" in result.err
    assert sorted(small.parent.iterdir()) == before


def test_verbose_lists_every_place(run: Run, small: Path) -> None:
    result = run("repair", small, "--verbose")
    assert "Tensor.reshape_4  a Reshape for (1,-1,2)" in result.out


def test_what_is_left_is_listed(run: Run, small: Path) -> None:
    small.with_name("small.pnnx.param").unlink()
    result = run("repair", small)
    assert result.exit_code == 1
    assert "left: Tensor.reshape_4: its shape is only in the .pnnx.param" in result.out
    assert result.out.count("Tensor.reshape_4") == 1, (
        "a layer that has its reason is not said to be unknown too"
    )
    assert "there is no .pnnx.param beside" in result.err


def test_a_pnnx_param_of_another_name(run: Run, small: Path, tmp_path: Path) -> None:
    moved = small.with_name("small.pnnx.param").rename(tmp_path / "other.txt")
    assert run("repair", small, "--pnnx-param", moved).exit_code == 0


def test_a_layer_that_the_target_lacks_is_left(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("7767517\n2 2\nInput in0 0 1 in0\nCumulativeSum c 1 1 in0 out0 0=0\n")
    assert run("repair", path).exit_code == 0
    result = run("repair", path, "--target", "sherpa-ncnn")
    assert result.exit_code == 1
    assert "has no CumulativeSum" in result.out


def test_weights_that_change_are_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.ncnn.param"
    path.write_text(
        "7767517\n3 3\nInput in0 0 1 in0\nMemoryData counts 0 1 a 0=3\nBinaryOp b 2 1 in0 a out0 0=0\n"
    )
    (tmp_path / "m.pnnx.param").write_text(
        "7767517\n4 3\npnnx.Input i 0 1 0\npnnx.Attribute counts 0 1 1 @data=(3)i64\n"
        "pnnx.Expression e 2 1 0 1 2 expr=add(@0,@1)\npnnx.Output o 1 0 2\n"
    )
    assert run("repair", path, "-o", tmp_path / "r.param").exit_code == 1  # it takes the .bin
    (tmp_path / "m.ncnn.bin").write_bytes(np.arange(1, 4, dtype=np.int32).tobytes())
    result = run("repair", path, "-o", tmp_path / "r.param")
    assert result.exit_code == 0
    assert "some weights are others now" in result.err
    assert np.fromfile(tmp_path / "r.bin", dtype=np.float32).tolist() == [1, 2, 3]


def test_sizes_can_be_left_open(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "m.param", tmp_path / "r.param"
    path.write_text(
        "7767517\n4 4\nInput in0 0 1 in0\nReshape a 1 1 in0 a 0=4 1=16\nReshape b 1 1 a b 0=16 1=16\n"
        "Reshape c 1 1 b out0 0=-1 1=16\n"
    )
    result = run("repair", path, "-o", out, "--dynamic", "16")
    assert result.exit_code == 1
    graph = load(out).graph
    assert dict(graph.layer("a").params) == {0: 4, 1: -1}
    assert dict(graph.layer("b").params) == {0: 16, 1: 16}  # two sizes cannot be left open
    assert dict(graph.layer("c").params) == {0: -1, 1: 16}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "onnx"), "there is no target 'onnx'"),
        (("--expect", "none.npz"), "name -o OUT.param too"),
        (("--pnnx-param", "none.pnnx.param"), "cannot read none.pnnx.param"),
        (("-o", "-"), "name the .param"),
        (("--dynamic", "0"), "0"),
    ],
)
def test_trouble(
    run: Run, small: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(small.parent)
    result = run("repair", small, *arguments)
    assert result.exit_code == 2
    assert said in result.err


def test_strange_files(run: Run, small: Path, weights: Path, tmp_path: Path) -> None:
    pnnx = small.with_name("small.pnnx.param")
    good = pnnx.read_text()
    pnnx.write_text(good.replace("7 6", "9 6"))
    result = run("repair", small)
    assert (result.exit_code, "declares 9 operators" in result.err) == (2, True)
    pnnx.write_text(good)
    strange = tmp_path / "strange.npz"
    strange.write_text("no numbers")
    result = run("repair", small, "-o", tmp_path / "r.param", "--expect", strange)
    assert (result.exit_code, "no .npz" in result.err) == (2, True)
    weights.write_bytes(b"short")
    assert run("repair", small).exit_code == 2
