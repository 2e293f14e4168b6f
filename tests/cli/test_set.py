"""``ncnnparam set``: params by name and id."""

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


def params(path: Path, layer: str) -> dict[int, object]:
    return dict(nnp.load(path).graph.layer(layer).params)


def test_one_line_changes_and_no_other(run: Run, model: Path) -> None:
    result = run("set", model, "relu", "slope=0.25")
    assert (result.exit_code, result.out, result.err) == (0, "", "slope 1.0e-1 -> 0.25: relu\n")
    assert model.read_text() == SMALL.replace("0=1.0e-1", "0=0.25")
    assert loads_in_ncnn(model)


@pytest.mark.parametrize(
    ("assignment", "id", "value"),
    [
        ("num_output=16", 0, 16),
        ("0=16", 0, 16),
        ("pad_value=1", 18, 1.0),  # an int for a float param is written as a float
        ("18=1", 18, 1.0),
        ("activation_params=0.5", 10, (0.5,)),
        ("activation_params=0.5,", 10, (0.5,)),
        ("activation_params=0,6.5", 10, (0.0, 6.5)),
        ("activation_params=[]", 10, ()),
        ("30=3,2,2,8", 30, (3, 2, 2, 8)),
        ("7=1.5", 7, 1.5),  # not a param of the type, but of some later release perhaps
    ],
)
def test_values(run: Run, model: Path, assignment: str, id: int, value: object) -> None:
    assert run("set", model, "conv1", assignment).exit_code == 0
    stated = params(model, "conv1")[id]
    assert stated == pytest.approx(value)
    assert type(stated) is type(value)


def test_strings_get_quotes_where_the_language_wants_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "reshape.param"
    path.write_text("7767517\n2 2\nInput in0 0 1 in0\nReshape shape 1 1 in0 out0\n")
    assert run("set", path, "shape", "shape_expr=1w,1h*2").exit_code == 0
    assert '6="1w,1h*2"' in path.read_text()
    assert run("set", path, "shape", 'shape_expr="a b"').exit_code == 0
    assert '6="a b"' in path.read_text()


def test_array_as_the_file_writes_it(run: Run, model: Path) -> None:
    assert run("set", model, "conv1", "--", "-23310=2,1.0,2.0").exit_code == 0
    assert params(model, "conv1")[10] == (1.0, 2.0)


@pytest.mark.parametrize("how", [["--unset", "activation_params"], ["activation_params="], ["10="]])
def test_unset(run: Run, model: Path, how: list[str]) -> None:
    result = run("set", model, "conv1", *how)
    assert result.err == "activation_params 1.000000e-01 removed: conv1\n"
    assert model.read_text() == SMALL.replace(" -23310=1,1.000000e-01", "")
    assert run("set", model, "conv1", *how).err == "activation_params is not stated: conv1\n"


def test_glob_and_type(run: Run, model: Path) -> None:
    assert (
        run("set", model, "*", "--type", "*o*", "31=1").err
        == "featmask not stated -> 1: conv1, sig, d1, prob\n"
    )
    assert [layer.name for layer in nnp.load(model).graph if 31 in layer.params] == [
        "conv1",
        "sig",
        "d1",
        "prob",
    ]


def test_selectors(run: Run, model: Path) -> None:
    assert run("set", model, "after(sp) and not Split", "31=1", "--type", "[DS]*").err == (
        "featmask not stated -> 1: sig, d1, prob\n"
    )
    assert run("set", model, "BinaryOp[op_type=add]", "op_type=2").err == "op_type 0 -> 2: add\n"
    result = run("set", model, "BinaryOp[op_type=add]", "op_type=1")
    assert (result.exit_code, result.err) == (2, "error: no layer matches 'BinaryOp[op_type=add]'\n")
    result = run("set", model, "ReLU or Sigmoid", "slope=0.5")  # one of them cannot take it
    assert result.exit_code == 2
    assert params(model, "relu") == {0: pytest.approx(0.1)}


def test_a_name_with_brackets_is_a_name_first(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("7767517\n3 3\nInput in0 0 1 in0\nReLU r[1] 1 1 in0 x\nReLU r1 1 1 x out0\n")
    assert run("set", path, "r[1]", "slope=0.5").err == "slope not stated -> 0.5: r[1]\n"


def test_same_value_leaves_the_file_alone(run: Run, model: Path) -> None:
    before = model.stat()
    assert run("set", model, "relu", "slope=0.1").err == "slope is 1.0e-1 already: relu\n"
    assert model.read_text() == SMALL
    assert model.stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["conv1", "num_outputs=1"], "has no param 'num_outputs'\n  hint: did you mean num_output"),
        (["convv1", "num_output=1"], "there is no layer 'convv1'\n  hint: did you mean conv1"),
        (["conv1", "num_output=1.5"], "num_output is an int, not 1.5"),
        (["conv1", "num_output=abc"], "num_output is an int, not 'abc'"),
        (["conv1", "num_output=1,2"], "num_output is an int, not (1, 2)"),
        (["conv1", "num_output=9999999999"], "beyond a 32-bit int"),
        (["conv1", "pad_value=1e39"], "beyond a 32-bit float"),
        (["conv1", "stride_w=0"], "the least is 1"),
        (["conv1", "num_output=8x"], "'8x' has something behind the number"),
        (["conv1", "num_output=1 2=3"], "more than one value"),
        (["conv1", "32=1"], "32 is not within 0 to 31"),
        (["conv1", "--", "-23310=3,1.0"], "says it has 3 elements"),
        (["*", "--type", "Conv2D", "31=1"], "no layer is of a type 'Conv2D'"),
        (["conv1"], "say what to change"),
        (["conv1", "num_output"], "'num_output' is not of the form KEY=VALUE"),
        (["conv1", "=1"], "'=1' is not of the form KEY=VALUE"),
        (["*", "slope=1"], "has no param 'slope'"),  # the first layer that cannot stops it all
    ],
)
def test_wrong_use_changes_nothing(run: Run, model: Path, args: list[str], said: str) -> None:
    result = run("set", model, *args)
    assert result.exit_code == 2
    assert said in result.err
    assert "Traceback" not in result.err
    assert model.read_text() == SMALL


def test_unknown_type_takes_ids_only(run: Run) -> None:
    text = SMALL.replace("Dropout ", "Torchout ")
    assert run("set", "-", "d1", "scale=1", stdin=text).exit_code == 2
    result = run("set", "-", "d1", "0=1", stdin=text)
    assert "1 1 t u 0=1\n" in result.out


def test_dry_run_shows_the_lines(run: Run, model: Path) -> None:
    result = run("set", model, "relu", "slope=0.2", "--dry-run")
    line = next(line for line in SMALL.splitlines() if "relu" in line)
    assert result.out.splitlines() == [
        f"--- {model}",
        f"+++ {model}",
        "@@ -6 +6 @@",
        f"-{line}",
        f"+{line.replace('1.0e-1', '0.2')}",
    ]
    assert model.read_text() == SMALL


def test_output_and_backup(run: Run, model: Path, tmp_path: Path) -> None:
    assert run("set", model, "relu", "slope=0.2", "-o", tmp_path / "out.param").exit_code == 0
    assert model.read_text() == SMALL
    assert (tmp_path / "out.param").read_text() == SMALL.replace("1.0e-1", "0.2")
    assert run("set", model, "relu", "slope=0.2", "--backup").exit_code == 0
    assert Path(f"{model}.bak").read_text() == SMALL


def test_pipe_of_real_processes() -> None:
    text = SMALL.replace("\n", "\r\n").encode() + b"\xff"
    done = ncnnparam("set", "-", "relu", "slope=0.2", stdin=text)
    assert done.returncode == 0
    assert done.stdout == text.replace(b"1.0e-1", b"0.2")
    done = ncnnparam("set", "/no/such.param", "relu", "slope=0.2")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"error: NP801 cannot read /no/such.param: No such file or directory\n"
