"""``ncnnparam extract``: a part as a model of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp

from ..checks.pairs.nets import FLOAT, float_data
from .conftest import Run
from .small import SMALL, loads_in_ncnn, ncnnparam


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


def test_head(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "head.param"
    result = run("extract", model, "--outputs", "t", "-o", out)
    assert (result.exit_code, result.out, result.err) == (0, "", "6 of 8 layers: in0 -> t\n")
    lines = SMALL.splitlines()
    assert out.read_text().splitlines() == ["7767517", "6 7", *lines[2:8]]
    assert loads_in_ncnn(out)
    assert model.read_text() == SMALL


def test_middle(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "middle.param"
    result = run("extract", model, "--inputs", "r", "--inputs", "s", "--outputs", "u", "-o", out)
    assert result.err == "4 of 8 layers: r, s -> u\n"
    graph = nnp.load(out).graph
    assert [layer.type for layer in graph] == ["Input", "Input", "BinaryOp", "Dropout"]
    assert loads_in_ncnn(out)


def test_weights_that_are_left_in_the_bin(run: Run) -> None:
    text = SMALL.replace("Dropout     ", "InnerProduct").replace("t u", "t u 0=2 1=1 2=16")
    result = run("extract", "-", "--inputs", "t", "--outputs", "out0", "-o", "-", stdin=text)
    assert (
        "warning: the .bin no longer fits; it still has the weights of removed layers: conv1\n" in result.err
    )
    assert "warning" not in run("extract", "-", "--outputs", "t", "-o", "-", stdin=text).err  # a head


def test_commas_and_names_with_commas(run: Run) -> None:
    text = SMALL.replace("a r", "a r,1").replace("r s t", "r,1 s t")
    result = run("extract", "-", "--inputs", "r,1", "--inputs", "s", "--outputs", "t", "-o", "-", stdin=text)
    assert result.err.endswith("3 of 8 layers: r,1, s -> t\n")
    result = run("extract", "-", "--outputs", "a,b", "-o", "-", stdin=SMALL)
    assert [blob.name for blob in nnp.loads(result.out).graph.outputs] == ["a", "b"]


def test_layers_stand_for_what_they_write(run: Run) -> None:
    def extracted(*args: str) -> tuple[list[str], list[str]]:
        graph = nnp.loads(run("extract", "-", *args, "-o", "-", stdin=SMALL).out).graph
        return [blob.name for blob in graph.inputs], [blob.name for blob in graph.outputs]

    assert extracted("--outputs", "add") == (["in0"], ["t"])
    assert extracted("--outputs", "relu,s") == (["in0"], ["r", "s"])
    assert extracted("--outputs", "ReLU|Sigmoid") == (["in0"], ["r", "s"])
    assert extracted("--inputs", "before(add) and after(sp)", "--outputs", "Softmax") == (
        ["r", "s"],
        ["out0"],
    )
    assert extracted("--outputs", "name=s*") == (["in0"], ["s"])  # the Split is not meant
    assert extracted("--outputs", "Split") == (["in0"], ["a", "b"])
    assert extracted("--outputs", "Convolution[kernel_w=3, num_output=8]") == (["in0"], ["conv1"])


def test_dry_run_needs_no_output(run: Run, model: Path) -> None:
    result = run("extract", model, "--outputs", "u", "-n")
    assert [line for line in result.out.splitlines()[2:] if not line.startswith("@@")] == [
        "-8 9",
        "+7 8",
        "-Softmax                  prob                     1 1 u out0 0=0 1=1",
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--outputs", "t"], "say where to write the part"),
        (["-o", "-"], "Missing option '--outputs'"),
        (["--outputs", "outt0", "-o", "-"], "there is no blob 'outt0'\n  hint: did you mean out0"),
        (["--inputs", "x", "--outputs", "t", "-o", "-"], "there is no blob 'x'"),
        (["--inputs", "r", "--outputs", "t", "-o", "-"], "'t' needs 'in0', which is not among the inputs"),
        (["--inputs", "r,s,u", "--outputs", "t", "-o", "-"], "'t' does not depend on 'u'"),
        (["--outputs", "ReLU[slope=7]", "-o", "-"], "no layer matches 'ReLU[slope=7]'"),
        (["--outputs", "t,(u", "-o", "-"], "selector:1:2: ',(u' has no place here"),
        (["--outputs", "", "-o", "-"], "name at least one output"),
        (["--outputs", "t", "-o", "/no/such/folder/x.param"], "cannot write /no/such/folder/x.param"),
    ],
)
def test_wrong_use(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("extract", model, *args)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_real_encoder_layer(run: Run, shared: Path, tmp_path: Path) -> None:
    path, out = shared / "corpus/icefall/conv_emformer_encoder.param", tmp_path / "part.param"
    assert run("extract", path, "--outputs", "out1", "-o", out).exit_code == 0
    part = nnp.load(out).graph
    assert part.has_blob("out1")
    # what else nobody reads is a further output of a layer that is needed
    others = [blob.producer for blob in part.outputs if blob.name != "out1"]
    assert all(layer is not None and len(layer.outputs) > 1 for layer in others)
    assert 1 < len(part) < 200
    assert loads_in_ncnn(out)


def test_real_process_in_a_pipe() -> None:
    done = ncnnparam("extract", "-", "--outputs", "conv1", "-o", "-", stdin=SMALL.encode())
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 4)


def test_with_weights_the_part_is_a_pair_that_runs(run: Run, tmp_path: Path) -> None:
    from ncnnparam.runtime import run_net

    pytest.importorskip("ncnn")
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text(FLOAT)
    weights.write_bytes(float_data("<f4"))
    inputs = {"in0": np.linspace(-1, 1, 2 * 4 * 4, dtype="f4").reshape(2, 4, 4)}
    whole = run_net(param, weights, inputs, ["a", "b"])
    result = run("extract", param, weights, "--inputs", "a", "--outputs", "b", "-o", tmp_path / "p.param")
    assert result.exit_code == 0
    assert "warning" not in result.err
    part = run_net(tmp_path / "p.param", tmp_path / "p.bin", {"a": whole.outputs["a"]}, ["b"])
    assert np.array_equal(part.outputs["b"], whole.outputs["b"])
    refused = run("extract", param, weights, "--outputs", "b", "-o", "-")
    assert (refused.exit_code, refused.out) == (2, "")
