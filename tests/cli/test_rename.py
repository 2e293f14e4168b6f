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


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["reluu", "x"], "there is no layer or blob 'reluu'\n  hint: did you mean relu"),
        (["relu", "sig"], "there is a layer 'sig' already"),
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
