"""``ncnnparam explain``: types and layers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ncnnparam.ops import registry
from ncnnparam.ops.formula import formula

from .conftest import Run
from .small import SMALL, ncnnparam, on_terminal


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


def rows(table: str) -> dict[str, list[str]]:
    """The rows of the table of params by id, cut at the double blanks."""
    lines = table.split("\n\n")[1].splitlines()[1:]
    return {
        cells[0]: cells[1:]
        for cells in ([cell for cell in line.strip().split("  ") if cell] for line in lines)
    }


def test_type(run: Run) -> None:
    result = run("explain", "Convolution")
    assert (result.exit_code, result.err) == (0, "")
    table = {id: [cell.strip() for cell in cells] for id, cells in rows(result.out).items()}
    assert table["0"][:3] == ["num_output", "int", "0"]
    assert table["11"][:3] == ["kernel_h", "int", "kernel_w"]
    assert "2 leakyrelu" in table["9"][3]
    assert "featmask" in table["31"]


@pytest.mark.parametrize(
    ("name", "said", "since"),
    [("CELU", "; in ncnn since 20231027\n", "20231027"), ("ReLU", "\n", "20210525"), ("Stack", "\n", None)],
)
def test_a_type_tells_since_when_ncnn_has_it(run: Run, name: str, said: str, since: str | None) -> None:
    first = run("explain", name).out.partition("\n\n")[0] + "\n"
    assert first.endswith(said)
    assert (" since " in first) == (name == "CELU")
    assert json.loads(run("explain", name, "--format", "json").out)["since"] == since


@pytest.mark.parametrize("name", registry.names())
def test_every_type_can_be_explained(run: Run, name: str) -> None:
    record = json.loads(run("explain", name, "--format", "json").out)
    layer_type = registry.get(name)
    assert layer_type is not None
    assert [param["name"] for param in record["params"][:-2]] == [spec.name for spec in layer_type.params]
    assert run("explain", name).exit_code == 0


def test_the_weights_of_a_type(run: Run) -> None:
    table = run("explain", "Convolution").out.split("\n\n")[2]
    assert re.search(r"^bias_data +raw +num_output +not dynamic_weight and bias_term$", table, re.MULTILINE)
    assert table.endswith("\ntaps is kernel_w * kernel_h\n")
    assert "weight" not in run("explain", "Softmax").out
    record = json.loads(run("explain", "Convolution", "--format", "json").out)
    assert record["terms"] == {"taps": "kernel_w * kernel_h"}
    assert record["weights"][1] == {
        "name": "bias_data",
        "kind": "raw",
        "shape": ["num_output"],
        "count": None,
        "when": "not dynamic_weight and bias_term",
    }


@pytest.mark.parametrize("name", registry.names())
def test_all_names_in_formulas_of_weights_are_explained(run: Run, name: str) -> None:
    record = json.loads(run("explain", name, "--format", "json").out)
    known = {param["name"] for param in record["params"]} | set(record["terms"])
    for spec in record["weights"]:
        texts = [str(size) for size in spec["shape"]] + [spec["count"] or "0", spec["when"] or "0"]
        assert set().union(*(formula(text).names for text in texts)) <= known


def test_the_weights_of_a_layer(run: Run) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nConvolution c 1 1 in0 out0 0=4 1=3 5=1 6=72\n"
    table = run("explain", "-", "c", stdin=text).out.split("\n\n")[2]
    assert [line.split("  ")[0] for line in table.splitlines()] == ["weight", "weight_data", "bias_data"]
    assert re.search(r"^weight_data +tagged +4 x 2 x 3 x 3 +72$", table, re.MULTILINE)
    record = json.loads(run("explain", "-", "c", "--format", "json", stdin=text).out)
    assert record["weights"][1] == {"name": "bias_data", "kind": "raw", "shape": [4], "count": 4}


def test_weights_of_senseless_size_are_no_failure(run: Run) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nConvolution c 1 1 in0 out0 0=4 1=3 6=-5\n"
    result = run("explain", "-", "c", stdin=text)
    assert result.exit_code == 0
    assert "make no sense for weights: ncnnparam check tells why" in result.out
    assert json.loads(run("explain", "-", "c", "--format", "json", stdin=text).out)["weights"] is None


def test_layer_marks_what_is_stated(run: Run, model: Path) -> None:
    out = run("explain", model, "conv1").out
    assert out.startswith("conv1, line 4\nConvolution: ")
    assert "  reads in0 from in0\n  writes conv1 for relu, sig\n" in out  # through the Split
    table = {id: [cell.strip() for cell in cells] for id, cells in rows(out).items()}
    assert table["1"][:3] == ["kernel_w", "3", "*"]
    assert table["9"][:3] == ["activation_type", "2 (leakyrelu)", "*"]
    assert table["11"][:3] == ["kernel_h", "3", "kernel_w"]  # not stated: follows kernel_w
    assert table["10"][1] == "1.000000e-01"


def test_layer_as_json(run: Run, model: Path) -> None:
    record = json.loads(run("explain", model, "conv1", "--format", "json").out)
    params = {param["name"]: param for param in record["params"]}
    assert (record["line"], record["inputs"], record["known"]) == (4, ["in0"], True)
    assert (params["kernel_h"]["value"], params["kernel_h"]["stated"]) == (3, False)
    assert (params["activation_params"]["value"], params["activation_params"]["stated"]) == ([0.1], True)


def test_layer_of_an_unknown_type_and_param(run: Run) -> None:
    text = SMALL.replace("Dropout ", "Torchout ").replace("t u", "t u 0=7").replace("0=0 1=1", "0=0 1=1 9=5")
    out = run("explain", "-", "d1", stdin=text).out
    assert "Torchout: a type that is not known\n" in out
    assert rows(out)["0"] == ["7", "*"] or [cell.strip() for cell in rows(out)["0"]] == ["7", "*"]
    assert [cell.strip() for cell in rows(run("explain", "-", "prob", stdin=text).out)["9"]] == ["5", "*"]


def test_params_that_make_no_sense_are_shown(run: Run) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nMultiHeadAttention att 1 1 in0 out0 0=8 1=0\n"
    assert run("explain", "-", "att", stdin=text).exit_code == 0


def test_metadata_has_the_names_of_the_flags(run: Run) -> None:
    line = "SherpaMetaData sherpa_meta_data1 0 0 0=1 1=12 2=32 3=31 4=8 5=32 6=8 7=512\n"
    out = run("explain", "-", "sherpa_meta_data1", stdin=SMALL.replace("8 9\n", "9 9\n" + line)).out
    table = {id: [cell.strip() for cell in cells] for id, cells in rows(out).items()}
    assert table["4"][:3] == ["--left-context-length / 4", "8", "*"]
    assert set(table) == {str(key) for key in range(8)}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["relu"], "there is no layer type 'relu'\n  hint: did you mean ReLU"),
        (["Convolutoin"], "hint: did you mean"),
        (["{model}"], "name a layer of it: ncnnparam explain"),
        (["{model}", "conv"], "there is no layer 'conv'\n  hint: did you mean conv1"),
        (["nofile", "conv"], "cannot read nofile"),
        ([], "Missing argument"),
    ],
)
def test_wrong_use(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("explain", *(arg.format(model=model) for arg in args))
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_terminal_and_pipe(model: Path) -> None:
    assert "\x1b[1m" in on_terminal("explain", model, "conv1")
    assert b"\x1b" not in ncnnparam("explain", model, "conv1").stdout
