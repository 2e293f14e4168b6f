"""``ncnnparam show``: summary, layers, types, neighbourhoods."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Run
from .small import SMALL, ncnnparam, on_terminal

METADATA = "SherpaMetaData sherpa_meta_data1 0 0 0=1 1=12 2=32 3=31 4=8 5=32 6=8 7=512\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.param"
    path.write_text(SMALL)
    return path


def test_summary(run: Run, model: Path) -> None:
    result = run("show", model)
    assert (result.exit_code, result.err) == (0, "")
    assert result.out == (
        f"{model}\n"
        "layers    8\n"
        "blobs     9\n"
        "inputs    1    in0\n"
        "outputs   1    out0\n"
        "\n"
        "count  type\n"
        "    1  BinaryOp\n"
        "    1  Convolution\n"
        "    1  Dropout\n"
        "    1  Input\n"
        "    1  ReLU\n"
        "    1  Sigmoid\n"
        "    1  Softmax\n"
        "    1  Split\n"
    )


def test_summary_tells_wrong_counts_unknown_types_and_metadata(run: Run) -> None:
    text = SMALL.replace("8 9\n", "7 9\n" + METADATA).replace("Dropout ", "Torchout ")
    out = run("show", "-", stdin=text).out
    assert out.startswith(
        "<stdin>\ndeclares  7 layers and 9 blobs, which is wrong: see ncnnparam check\nlayers    9\n"
    )
    assert "metadata  conv-emformer --num-encoder-layers 12 --memory-size 32" in out
    assert "--left-context-length 32 " in out  # the flag's value, not the stored quarter
    assert "1  Torchout (unknown to ncnn)\n" in out


def test_summary_tells_what_is_wrong_with_the_metadata(run: Run) -> None:
    out = run("show", "-", stdin=SMALL.replace("8 9\n", "9 9\n" + METADATA.replace("0=1 ", "0=9 "))).out
    assert "metadata  layer 'sherpa_meta_data1': key 0, the kind of the model, is 9\n" in out


def test_summary_as_json(run: Run, model: Path) -> None:
    shown = json.loads(run("show", model, "--format", "json").out)
    assert (shown["layers"], shown["blobs"], shown["declared"], shown["metadata"]) == (8, 9, None, None)
    assert shown["inputs"] == [{"name": "in0", "shape": None}]
    assert {"type": "Split", "count": 1, "known": True} in shown["types"]


def test_layers_with_names_of_params(run: Run, model: Path) -> None:
    lines = run("show", model, "--layers").out.splitlines()
    assert lines[0].split() == ["index", "type", "name", "inputs", "outputs", "params"]
    assert len(lines) == 9
    assert lines[2].split() == [
        *("1", "Convolution", "conv1", "in0", "conv1"),
        *("num_output=8", "kernel_w=3", "weight_data_size=216", "activation_type=2"),
        "activation_params=1.000000e-01",
    ]
    starts = {
        line.index(word) for line, word in zip(lines[1:], ["in0", "conv1", "sp", "relu", "sig"], strict=False)
    }
    assert len(starts) == 1  # aligned


def test_filters(run: Run, model: Path) -> None:
    assert run("show", model, "--type", "*o*").out.count("\n") == 1 + 4
    assert [line.split()[2] for line in run("show", model, "--name", "s*").out.splitlines()[1:]] == [
        "sp",
        "sig",
    ]
    types = json.loads(run("show", model, "--types", "--name", "s*", "--format", "json").out)
    assert types == [
        {"type": "Sigmoid", "count": 1, "known": True},
        {"type": "Split", "count": 1, "known": True},
    ]


def test_layers_as_json(run: Run, model: Path) -> None:
    (row,) = json.loads(run("show", model, "--name", "conv1", "--format", "json").out)
    assert (row["index"], row["line"], row["inputs"], row["outputs"]) == (1, 4, ["in0"], ["conv1"])
    assert row["params"][-1] == {"id": 10, "name": "activation_params", "value": [0.1]}


def test_around_sees_through_splits(run: Run, model: Path) -> None:
    out = run("show", model, "--around", "relu").out
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["-1", "1", "Convolution"],
        [">", "3", "ReLU"],
        ["+1", "5", "BinaryOp"],
    ]
    assert out.splitlines()[2].split()[4] == "conv1"  # the blob behind the Split


def test_around_goes_as_deep_as_asked(run: Run, model: Path) -> None:
    shown = json.loads(run("show", model, "--around", "add", "--depth", 2, "--format", "json").out)
    assert {row["name"]: row["step"] for row in shown} == {
        "conv1": -2,
        "relu": -1,
        "sig": -1,
        "add": 0,
        "d1": 1,
        "prob": 2,
    }


def test_around_a_blob(run: Run, model: Path) -> None:
    shown = json.loads(run("show", model, "--around", "t", "--format", "json").out)
    assert {row["name"]: row["step"] for row in shown} == {"add": -1, "d1": 1}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--around", "relux"], "there is no layer or blob 'relux'\n  hint: did you mean relu"),
        (["--type", "Convolutio"], "no layer matches --type 'Convolutio'\n  hint: did you mean Convolution"),
        (["--type", "ReLU", "--name", "x*"], "no layer matches --type 'ReLU' and --name 'x*'"),
        (["--layers", "--types"], "take one of"),
        (["--around", "relu", "--type", "ReLU"], "take one of"),
        (["--depth", "0", "--around", "relu"], "0 is not in the range"),
    ],
)
def test_wrong_use(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("show", model, *args)
    assert (result.exit_code, result.out) == (2, "")
    assert said in result.err


def test_terminal_gets_a_rich_table_and_a_hint(model: Path) -> None:
    out = on_terminal("show", model)
    assert "\x1b[1mcount" in out
    assert "--around NAME" in out


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "odd.param"
    path.write_bytes(b"7767517\n2 2\nInput a\x1b]0;title\x07 0 1 b\n\xff\xfe r[bold] 1 1 b c\n")
    shown = on_terminal("show", path, "--layers")
    assert "a\\x1b]0;title\\x07" in shown
    assert "\\xff\\xfe  r[bold]" in shown
    assert b"\xff\xfe     r[bold]" in ncnnparam("show", path, "--layers").stdout  # a pipe gets the bytes
    names = json.loads(ncnnparam("show", path, "--layers", "--format", "json").stdout)
    assert [row["type"] for row in names] == ["Input", "\ufffd\ufffd"]


def test_rich_is_not_loaded_for_a_pipe(model: Path) -> None:
    code = (
        "import sys\nfrom ncnnparam.cli.main import main\n"
        "try: main(['show', sys.argv[1], '--layers'])\n"
        "except SystemExit: print('rich' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False False"


def test_real_encoder(run: Run, shared: Path) -> None:
    path = shared / "corpus/icefall/conv_emformer_encoder.param"
    out = run("show", path).out
    assert "layers    1365\nblobs     1729\ninputs    49   in0..in48\n" in out
    assert len(run("show", path, "--layers").out.splitlines()) == 1366
