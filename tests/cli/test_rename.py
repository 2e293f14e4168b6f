"""``ncnnparam rename``: layers and blobs."""

from __future__ import annotations

from pathlib import Path

import pytest

import ncnnparam as nnp

from .conftest import Run
from .small import SMALL, loads_in_ncnn, ncnnparam


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


def test_layer(run: Run, model: Path) -> None:
    assert run("rename", model, "relu", "act").err == "layer relu -> act\n"
    assert model.read_text() == SMALL.replace("relu ", "act  ")


def test_blob_wherever_it_stands(run: Run, model: Path) -> None:
    assert run("rename", model, "u", "logits").err == "blob u -> logits\n"
    assert model.read_text() == SMALL.replace("t u", "t logits").replace("1 u out0", "1 logits out0")
    assert loads_in_ncnn(model)


@pytest.mark.parametrize(
    ("flag", "layer", "blob"),
    [("--layer", "stem", "conv1"), ("--blob", "conv1", "stem"), ("--both", "stem", "stem")],
)
def test_a_name_of_both(run: Run, model: Path, flag: str, layer: str, blob: str) -> None:
    result = run("rename", model, "conv1", "stem")
    assert result.exit_code == 2
    assert (
        result.err == "error: 'conv1' is a layer and a blob\n  hint: say which: --layer, --blob or --both\n"
    )
    assert run("rename", model, "conv1", "stem", flag).exit_code == 0
    graph = nnp.load(model).graph
    assert graph.layer(layer).outputs[0].name == blob
    assert graph.layer("sp").inputs[0].name == blob


def test_a_selector_of_one_layer(run: Run, model: Path) -> None:
    assert run("rename", model, "Softmax", "scores").err == "layer prob -> scores\n"
    assert run("rename", model, "BinaryOp[op_type=add]", "sum", "--layer").err == "layer add -> sum\n"
    assert model.read_text() == SMALL.replace("prob  ", "scores").replace(" add ", " sum ")
    result = run("rename", model, "name=s*", "x")
    assert result.exit_code == 2
    assert result.err == "error: 'name=s*' means 4 layers: sp, sig, sum, ...\n  hint: name one of them\n"


def test_many_names(run: Run, model: Path) -> None:
    assert run("rename", model, "s?g*", "x*").exit_code == 2  # only the * has a meaning here
    result = run("rename", model, "s*", "left_*", "--both")
    assert result.err == "renamed: sp -> left_p, sig -> left_ig, s -> left_\n"
    graph = nnp.load(model).graph
    assert [layer.name for layer in graph][2:5] == ["left_p", "relu", "left_ig"]
    assert [blob.name for blob in graph.layer("add").inputs] == ["r", "left_"]
    assert loads_in_ncnn(model)


def test_many_names_of_one_kind(run: Run, model: Path) -> None:
    result = run("rename", model, "*", "m.*")
    assert "'*' is a layer and a blob" in result.err
    assert run("rename", model, "*1", "*2", "--layer").err == "renamed: conv1 -> conv2, d1 -> d2\n"
    assert run("rename", model, "out*", "y*").err == "renamed: out0 -> y0\n"
    assert nnp.load(model).graph.layer("conv2").outputs[0].name == "conv1"


def test_new_names_that_are_old_names_of_others(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("7767517\n3 3\nInput in0 0 1 in0\nReLU x 1 1 in0 a\nReLU xx 1 1 a b\n")
    assert run("rename", path, "x*", "xx*").err == "renamed: x -> xx, xx -> xxx\n"
    assert [layer.name for layer in nnp.load(path).graph] == ["in0", "xx", "xxx"]
    assert run("rename", path, "xx*", "*").exit_code == 2  # a name of nothing
    assert run("rename", path, "*xx", "*x", "--layer").err == "renamed: xx -> x, xxx -> xx\n"
    assert [layer.name for layer in nnp.load(path).graph] == ["in0", "x", "xx"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["reluu", "x"], "there is no layer or blob 'reluu'\n  hint: did you mean relu"),
        (["relu", "sig"], "there is a layer 'sig' already"),
        (["x*", "y*"], "no name matches 'x*'"),
        (["relu*", "sig*"], "there is a layer 'sig' already"),
        (["t", "u"], "there is a blob 'u' already"),
        (["t", "a b"], "must be one word"),
        (["t", ""], "must be one word"),
        (["t", "x" * 256], "too long"),
        (["t", "x", "--layer"], "there is no layer 't'"),
        (["t", "x", "--both"], "there is no layer 't'"),
        (["conv1", "sig", "--both"], "there is a layer 'sig' already"),
        (["conv1", "t", "--both"], "there is a blob 't' already"),  # the layer is not renamed either
    ],
)
def test_wrong_use_changes_nothing(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("rename", model, *args)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err
    assert model.read_text() == SMALL


def test_the_same_name_changes_nothing(run: Run, model: Path) -> None:
    assert run("rename", model, "relu", "relu").err == "layer relu -> relu\n"
    assert model.read_text() == SMALL


def test_duplicate_names_of_a_broken_file(run: Run) -> None:
    result = run("rename", "-", "relu", "first", stdin=SMALL.replace("sig ", "relu"))
    assert "ReLU                     first" in result.out
    assert "Sigmoid                  relu" in result.out
    assert "warning: 'relu' was there more than once" in result.err


def test_real_process_keeps_bytes() -> None:
    text = SMALL.replace("sig ", "s\udcff ").encode("utf-8", "surrogateescape")
    done = ncnnparam("rename", "-", "relu", "act", "-o", "-", stdin=text)
    assert (done.returncode, done.stderr) == (0, b"layer relu -> act\n")
    assert done.stdout == text.replace(b"relu ", b"act  ")
