"""``ncnnparam find``: the layers that a selector means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run
from .small import SMALL, ncnnparam, on_terminal


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


def test_table(run: Run, model: Path) -> None:
    result = run("find", model, "ReLU[slope=0.1] or BinaryOp")
    assert (result.exit_code, result.err) == (0, "")
    assert result.out == (
        "line  type      name  params\n   6  ReLU      relu  slope=1.0e-1\n   8  BinaryOp  add   op_type=0\n"
    )


def test_json_is_that_of_show(run: Run, model: Path) -> None:
    found = json.loads(run("find", model, "Convolution", "--format", "json").out)
    assert found == json.loads(run("show", model, "--type", "Convolution", "--format", "json").out)
    assert found[0]["params"][-1] == {"id": 10, "name": "activation_params", "value": [0.1]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("relu", ["relu"]),
        ("s*", ["sp", "sig"]),
        ("Softmax", ["prob"]),
        ("Soft*", ["prob"]),
        ("conv[0-9]", ["conv1"]),
        ("name=s* and not Split", ["sig"]),
        ("between(conv1, u) and not Split", ["relu", "sig", "add", "d1"]),
        ("*[activation_params=0.1]", ["conv1"]),
    ],
)
def test_words_and_selectors(run: Run, model: Path, text: str, names: list[str]) -> None:
    found = json.loads(run("find", model, text, "--format", "json").out)
    assert [layer["name"] for layer in found] == names


def test_a_name_comes_before_a_glob_and_a_glob_before_a_type(run: Run) -> None:
    text = SMALL.replace("sig ", "d?  ").replace("relu", "Soft")
    for word, lines in (("d?", [7]), ("d*", [7, 9]), ("Soft*", [6]), ("type=Soft*", [10]), ("Drop*", [9])):
        found = json.loads(run("find", "-", word, "--format", "json", stdin=text).out)
        assert [layer["line"] for layer in found] == lines


@pytest.mark.parametrize("name", ["ReLU", "a|b", "after(in0)", "name=sig", "not"])
def test_a_name_that_looks_like_a_selector(run: Run, name: str) -> None:
    text = SMALL.replace("Dropout                  d1", f"Dropout {name}")
    found = json.loads(run("find", "-", name, "--format", "json", stdin=text).out)
    assert [layer["type"] for layer in found] == ["Dropout"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reluu", "there is no layer 'reluu'\n  hint: did you mean relu?\n"),
        ("Sofmax", "there is no layer 'Sofmax'\n  hint: did you mean Softmax?\n"),
        ("Pooling[pad_left=1]", "no layer matches 'Pooling[pad_left=1]'\n"),
        ("name=reluu", "there is no layer 'reluu'\n  hint: did you mean relu?\n"),
        ("after(x)", "there is no layer, blob or type 'x'\n"),
    ],
)
def test_none_as_grep_has_it(run: Run, model: Path, text: str, said: str) -> None:
    result = run("find", model, text)
    assert (result.exit_code, result.out, result.err) == (1, "", said)
    assert run("find", model, text, "--format", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Conv and", "selector:1:9: something is missing here"),
        (
            "ReLU[slop=1]",
            "ReLU has no param 'slop'\n    ReLU[slop=1]\n         ^\n  hint: did you mean slope?",
        ),
        ("Convolutoin or ReLU", "there is no layer type 'Convolutoin'"),
        ("", "selector:1:1: something is missing here"),
    ],
)
def test_no_selector(run: Run, model: Path, text: str, said: str) -> None:
    result = run("find", model, text)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_real_process_and_terminal(model: Path) -> None:
    done = ncnnparam("find", "-", "Split", stdin=SMALL.encode())
    assert (done.returncode, done.stdout) == (0, b"line  type   name  params\n   5  Split  sp\n")
    assert ncnnparam("find", "-", "Crop", stdin=SMALL.encode()).returncode == 1
    assert "conv1" in on_terminal("find", model, "Conv*[kernel_w=3]")


def test_real_zipformer(run: Run, shared: Path) -> None:
    path = shared / "corpus/icefall/zipformer_encoder_raw.param"
    found = json.loads(run("find", path, "Convolution and before(out0)", "--format", "json").out)
    assert found
    assert {layer["type"] for layer in found} == {"Convolution"}
