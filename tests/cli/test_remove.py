"""``ncnnparam remove``: layers go, their readers stay fed."""

from __future__ import annotations

from pathlib import Path

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


def names(path: Path) -> list[str]:
    return [layer.name for layer in nnp.load(path).graph]


def test_readers_get_the_input(run: Run, model: Path) -> None:
    result = run("remove", model, "d1")
    assert (result.exit_code, result.out) == (0, "")
    assert result.err == "removed: d1 (Dropout)\nlayers 8 -> 7, blobs 9 -> 8\n"
    head, tail = SMALL.replace("8 9", "7 8").split("Dropout")
    assert model.read_text() == head + tail.partition("\n")[2].replace("1 1 u out0", "1 1 t out0")
    assert loads_in_ncnn(model)


def test_globs_and_names(run: Run, model: Path) -> None:
    assert run("remove", model, "s*", "relu", "d?").exit_code == 0
    assert names(model) == [
        "in0",
        "conv1",
        "sp",
        "add",
        "prob",
    ]  # s* passes over the Split, which is still needed
    assert loads_in_ncnn(model)


def test_selectors(run: Run, model: Path) -> None:
    result = run("remove", model, "between(conv1, t) and not BinaryOp", "Dropout")
    assert result.err.startswith("removed: relu (ReLU), sig (Sigmoid), d1 (Dropout)\n")
    assert names(model) == ["in0", "conv1", "sp", "add", "prob"]
    assert loads_in_ncnn(model)


def test_a_type_that_is_also_a_name(run: Run) -> None:
    out = run("remove", "-", "Softmax", stdin=SMALL.replace("relu   ", "Softmax")).out
    assert [layer.type for layer in nnp.loads(out).graph][-1] == "Softmax"
    assert "ReLU" not in out


def test_selectors_know_declared_types(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ncnnparam.ops import registry

    monkeypatch.setattr(registry, "_registered", {})
    ops = tmp_path / "ops.toml"
    ops.write_text('[Mine]\nparams = [{ id = 0, name = "size", type = "int", default = 7 }]\n')
    text = SMALL.replace("Dropout", "Mine   ")
    assert run("remove", "-", "Mine[size=7]", stdin=text).exit_code == 2
    result = run("remove", "-", "Mine[size=7]", "--ops", ops, stdin=text)
    assert result.err.startswith("removed: d1 (Mine)\n")


def test_a_split_goes_with_its_readers(run: Run, model: Path) -> None:
    assert run("remove", model, "add", "--keep", "1").exit_code == 0
    assert run("remove", model, "relu", "--no-reconnect").exit_code == 0
    assert names(model) == ["in0", "conv1", "sig", "d1", "prob"]
    assert nnp.load(model).graph.layer("d1").inputs[0].name == "s"


def test_the_output_keeps_its_name(run: Run, model: Path) -> None:
    assert run("remove", model, "prob", "d1").exit_code == 0
    assert [blob.name for blob in nnp.load(model).graph.outputs] == ["out0"]


def test_no_reconnect_takes_a_tail_off(run: Run, model: Path) -> None:
    assert run("remove", model, "add", "prob", "d1", "--no-reconnect").exit_code == 0
    assert [blob.name for blob in nnp.load(model).graph.outputs] == ["r", "s"]


def test_weights_that_are_left_in_the_bin(run: Run) -> None:
    text = SMALL.replace("Dropout     ", "InnerProduct").replace("t u", "t u 0=2 1=1 2=16")
    warning = "warning: the .bin no longer fits; it still has the weights of removed layers: conv1\n"
    assert warning in run("remove", "-", "conv1", stdin=text).err
    assert "warning" not in run("remove", "-", "d1", stdin=text).err  # its weights are the last
    assert "warning" not in run("remove", "-", "conv1", "d1", stdin=text).err  # no weights are needed
    assert "warning" not in run("remove", "-", "relu", stdin=text).err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["dropout"], "there is no layer 'dropout'"),
        (["reluu"], "hint: did you mean relu"),
        (["x*"], "there is no layer 'x*'"),
        (["d1", "x*"], "there is no layer 'x*'"),
        (["ReLU["], "selector:1:6: something is missing here"),
        (["ReLU[slope=7]"], "no layer matches 'ReLU[slope=7]'"),
        (["relu", "Convolutoin|ReLU"], "there is no layer type 'Convolutoin'"),
        (["add"], "--keep with one of 0 ('r'), 1 ('s')"),
        (["d1", "add"], "--keep with one of 0 ('r'), 1 ('s')"),
        (["add", "--keep", "2"], "has 2 inputs, none of number 2"),
        (["add", "--keep", "-1"], "-1 is not in the range"),
        (["sp"], "Splits follow their readers"),
        (["in0"], "no input that its readers could get"),
        (["d1", "--no-reconnect"], "read by 'prob'\n  hint: name its readers too"),
        (["d1", "--no-reconnect", "--keep", "0"], "take one of them"),
        (["*", "--no-reconnect"], "no layer would be left"),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_changes_nothing(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("remove", model, *args)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err
    assert model.read_text() == SMALL


def test_an_output_cannot_become_an_input(run: Run) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0\n"
    result = run("remove", "-", "relu", stdin=text)
    assert result.exit_code == 2
    assert "hint: --no-reconnect removes it with its outputs" in result.err


def test_real_process_in_a_pipe() -> None:
    done = ncnnparam("remove", "-", "d1", stdin=SMALL.encode())
    assert done.returncode == 0
    assert done.stdout.startswith(b"7767517\n7 8\n")


def test_with_bin_the_weights_go_too(run: Run, tmp_path: Path) -> None:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text(FLOAT.replace("0=6 1=1 2=96", "0=36 1=1 2=1296"))
    data = float_data()
    conv = data[: 4 + 2 * 72 + 16]
    weights.write_bytes(conv + data[:4] + bytes(2 * 1296) + bytes(4 * 36) + data[-40:])
    result = run("remove", param, "fc", "--bin", weights)
    assert (result.exit_code, result.out) == (0, "")
    assert "warning" not in result.err
    assert weights.read_bytes() == conv + data[-40:]
    assert run("check", param, weights, "--select", "NP6").exit_code == 0
