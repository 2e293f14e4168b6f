"""``--ops``: layer types of the user's own, on every command that speaks of params."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncnnparam.ops import registry

from .conftest import Run

TYPE = """\
[GroupedScale]
summary = "each group of channels times a number"
inputs = 1
outputs = 1
params = [
  { id = 0, name = "groups", type = "int", default = 1, minimum = 1, meaning = "number of groups" },
  { id = 1, name = "channels", type = "int", requires = ["channels % groups == 0"] },
]
"""
OTHER = "[Other]\nparams = []\n"
MODEL = """\
7767517
3 3
Input                    in0                      0 1 in0
GroupedScale             scale                    1 1 in0 a 0=1 1=8
Other                    other                    1 1 a out0
"""
COMMANDS = ("check", "show", "explain", "set", "diff")


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    return


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("my.toml", TYPE), ("other.toml", OTHER), ("m.param", MODEL)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_check_knows_declared_types(run: Run, files: Path) -> None:
    without = run("check", "m.param")
    assert without.out.count("NP214") == 2
    both = run("check", "--ops", "my.toml", "--ops", "other.toml", "m.param")
    assert (both.exit_code, both.out) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0=1 1=8", "0=0 1=8", "NP403 error GroupedScale 'scale': groups is 0, and the least is 1"),
        ("0=1 1=8", "0=3 1=8", "NP403 error GroupedScale 'scale': ncnn demands channels % groups == 0"),
        ("0=1 1=8", "0=2.0 1=8", "NP402 error GroupedScale 'scale': groups is an int, not 2.0"),
        ("0=1 1=8", "5=1 1=8", "NP401 info '5=1' has no effect: GroupedScale reads no param 5"),
        ("1 1 in0 a", "2 1 in0 in0 a", "NP211 error GroupedScale 'scale' should have 1 input and 1 output"),
    ],
)
def test_check_holds_layers_against_the_declaration(
    run: Run, files: Path, old: str, new: str, said: str
) -> None:
    (files / "m.param").write_text(MODEL.replace(old, new))
    assert said not in run("check", "m.param").out
    assert said in run("check", "m.param", "--ops", "my.toml").out
    found = json.loads(run("check", "--ops", "my.toml", "m.param", "--format", "json").out)
    assert not any(finding["refused"] for finding in found)  # ncnn leaves it to the program's own layer


def test_show_names_the_params(run: Run, files: Path) -> None:
    assert "GroupedScale (unknown to ncnn)" in run("show", "m.param").out
    out = run("show", "m.param", "--ops", "my.toml").out
    assert "GroupedScale" in out
    assert "GroupedScale (unknown to ncnn)" not in out
    assert "Other (unknown to ncnn)" in out
    assert "groups=1 channels=8" in run("show", "m.param", "--layers", "--ops", "my.toml").out


def test_explain(run: Run, files: Path) -> None:
    assert run("explain", "GroupedScale").exit_code == 2
    out = run("explain", "GroupedScale", "--ops", "my.toml").out
    assert out.startswith("GroupedScale: each group of channels times a number; inputs: 1; outputs: 1")
    assert "number of groups" in out
    assert "channels" in run("explain", "--ops", "my.toml", "m.param", "scale").out


def test_set_takes_names_and_refuses_what_the_type_does(run: Run, files: Path) -> None:
    assert "whose params are not known" in run("set", "m.param", "scale", "groups=4").err
    assert run("set", "--ops", "my.toml", "m.param", "scale", "groups=4").exit_code == 0
    assert (files / "m.param").read_text() == MODEL.replace("0=1 1=8", "0=4 1=8")
    refused = run("set", "--ops", "my.toml", "m.param", "scale", "groups=0")
    assert (refused.exit_code, refused.err) == (2, "error: layer 'scale': groups is 0, and the least is 1\n")


def test_diff_knows_the_defaults(run: Run, files: Path) -> None:
    (files / "n.param").write_text(MODEL.replace("0=1 1=8", "1=8"))
    assert run("diff", "m.param", "n.param").exit_code == 1
    assert run("diff", "--ops", "my.toml", "m.param", "n.param").exit_code == 0


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            TYPE.replace("minimum", "minimun"),
            "error: bad.toml:6: layer type GroupedScale: param 'groups' has no field 'minimun'\n"
            "  hint: did you mean minimum?\n",
        ),
        (TYPE.replace("params = [", "params ="), "error: bad.toml:5:"),
        (
            OTHER.replace("Other", "ReLU"),
            "error: bad.toml:1: there is a layer type 'ReLU' already\n",
        ),
        (None, "error: NP801 cannot read bad.toml"),
    ],
)
def test_mistakes(run: Run, files: Path, command: str, text: str | None, said: str) -> None:
    if text is not None:
        (files / "bad.toml").write_text(text)
    more = {"explain": ["scale"], "set": ["scale", "0=2"], "diff": ["m.param"]}.get(command, [])
    result = run(command, "m.param", *more, "--ops", "my.toml", "--ops", "bad.toml")
    assert (result.exit_code, result.out) == (2, "")
    assert result.err.startswith(said)
    assert (files / "m.param").read_text() == MODEL


def test_standard_input_is_for_models(run: Run, files: Path) -> None:
    result = run("check", "--ops", "-", "m.param", stdin=TYPE)
    assert result.exit_code == 2
    assert "standard input is for models" in result.err
    assert run("check", "--ops", "my.toml", "--ops", "other.toml", "-", stdin=MODEL).exit_code == 0
