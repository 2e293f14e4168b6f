"""What ncnn's own tools and loaders pass over in silence, or crash on, is told of here with an exit code.

The loaders: each fault that one release takes for something else, takes without a word or dies of
(``FAULTS``, ``MISREAD``, ``UNREADABLE``, a ``.bin`` of another length). The tools: missing files
(``MISSING``), cuts with the counts of the whole, weights of custom layers. Those for int8 have a file of
their own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.ops import registry

from .conftest import Run

INPUT = "Input in0 0 1 in0 0=4\n"
CHAIN = INPUT + "ReLU a 1 1 in0 a\nReLU b 1 1 a out0\n"

FAULTS = {
    "layer count too small": ("2 3", CHAIN, "NP201"),
    "layer count too big": ("4 3", CHAIN, "NP201"),
    "blob count too small": ("3 2", CHAIN, "NP202"),
    "blob count too big": ("3 9", CHAIN, "NP202"),
    "undefined input": ("2 2", INPUT + "ReLU a 1 1 nowhere out0\n", "NP205"),
    "wrong order": ("3 3", INPUT + "ReLU b 1 1 a out0\nReLU a 1 1 in0 a\n", "NP206"),
    "misspelled type": ("2 2", INPUT + "ReLUU a 1 1 in0 out0\n", "NP214"),
    "id 32": ("2 2", INPUT + "ReLU a 1 1 in0 out0 32=1\n", "NP105"),
    "fan-out without Split": ("3 3", INPUT + "ReLU a 1 1 in0 out0\nReLU b 1 1 in0 out1\n", "NP207"),
    "Softmax without 1=1": ("2 2", INPUT + "Softmax a 1 1 in0 out0 0=1\n", "NP215"),
    "Reduction without 5=1": ("2 2", INPUT + "Reduction a 1 1 in0 out0 1=0 -23303=1,0\n", "NP215"),
    "two inputs of a one-input layer": (
        "3 3",
        INPUT + "Input in1 0 1 in1\nReLU a 2 1 in0 in1 out0\n",
        "NP211",
    ),
}
UNREADABLE = {
    "array shorter than declared": INPUT + "Reduction a 1 1 in0 out0 1=0 -23303=3,0,1 5=1\n",
    "minus infinity": INPUT + "ReLU a 1 1 in0 out0 0=-inf\n",
}
OLD = "ncnn-20250916"
MISREAD = {
    "lines after the last layer": ("2 2", INPUT + "ReLU a 1 1 in0 out0\nwhat is this\n", "NP114", "any"),
    "two outputs of one name": ("3 2", INPUT + "ReLU a 1 1 in0 b\nReLU c 1 1 in0 b\n", "NP204", "any"),
    "a param that is said twice": ("2 2", INPUT + "ReLU a 1 1 in0 out0 0=0.1 0=0.2\n", "NP113", "any"),
    "a hint of another length": ("2 2", INPUT + "ReLU a 1 1 in0 out0 -23330=3,1,2,3\n", "NP212", "any"),
    "a tab before a param": ("2 2", INPUT + "Softmax a 1 1 in0 out0 0=0\t1=1\n", "NP508", OLD),
    "params over several lines": ("2 2", INPUT + "ReLU a 1 1 in0 out0\n0=0.1\n", "NP104", "any"),
    "junk behind a number": ("2 2", INPUT + "Softmax a 1 1 in0 out0 0=0x 1=1\n", "NP103", "any"),
    "the suffix of a float": ("2 2", INPUT + "ReLU a 1 1 in0 out0 0=2.f\n", "NP103", "any"),
    "ten digits of a fraction": ("2 2", INPUT + "ReLU a 1 1 in0 out0 0=1.2345678901\n", "NP507", OLD),
    "more than 15 characters": ("2 2", INPUT + "ReLU a 1 1 in0 out0 0=0.12345678901234\n", "NP507", OLD),
    "an int for a float": ("2 2", INPUT + "ReLU a 1 1 in0 out0 0=1\n", "NP507", OLD),
    "floats for ints": ("2 2", INPUT + "Softmax a 1 1 in0 out0 0=0.5 1=1\n", "NP402", "any"),
    "a quoted string of 14": (
        "2 2",
        INPUT + 'Reshape a 1 1 in0 out0 0=1 1=1 6="0w,0h,+(0c,12)"\n',
        "NP509",
        OLD,
    ),
    "a new array of floats": ("2 2", INPUT + "Reduction a 1 1 in0 out0 1=0 3=1,2.5 5=1\n", "NP510", OLD),
    "a new array in an old release": (
        "2 2",
        INPUT + "Reduction a 1 1 in0 out0 1=0 3=1,2 5=1\n",
        "NP510",
        "ncnn-20240410",
    ),
}
"""What a release reads as something else: the rule that finds it, and the target if it is not always one."""
STRANGE_FILES = {
    "a comment": ("# a model\n7767517\n1 1\n" + INPUT, "NP102"),
    "a byte order mark": ("\ufeff7767517\n1 1\n" + INPUT, "NP102"),
    "a file of 2017": ("1 1\n" + INPUT, "NP102"),
    "a .pnnx.param": (
        "7767517\n2 1\npnnx.Input a 0 1 0\nnn.Linear b 1 1 0 1 bias=True @weight=(2,2)f32 #1=(1,2)f32\n",
        "pnnx",
    ),
}
TARGETS = ((), ("--target", "ncnn-20250916"), ("--target", "sherpa-ncnn-2.1.15"), ("--target", "latest"))


def write(path: Path, counts: str, layers: str) -> Path:
    path.write_text(f"7767517\n{counts}\n{layers}")
    return path


@pytest.mark.parametrize("target", TARGETS, ids=lambda words: "".join(words[1:]) or "any")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_a_loader_passes_over_is_found(
    fault: str, target: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    counts, layers, code = FAULTS[fault]
    path = write(tmp_path / "m.param", counts, layers)
    result = run("check", path, *target, "--format", "json")
    findings = json.loads(result.out)
    assert result.exit_code == 1
    assert code in result.out, findings
    assert "line" in result.out


@pytest.mark.parametrize("fault", MISREAD)
def test_what_a_loader_reads_as_something_else_is_found(fault: str, run: Run, tmp_path: Path) -> None:
    counts, layers, code, target = MISREAD[fault]
    path = write(tmp_path / "m.param", counts, layers)
    words = ("--target", target) if target != "any" else ()
    result = run("check", path, *words)
    assert result.exit_code == 1
    assert f" {code} " in result.out


def test_a_quoted_string_before_crlf_is_found(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    text = f'7767517\n2 2\n{INPUT}Reshape a 1 1 in0 out0 0=1 1=1 6="0w,0h"\n'
    path.write_bytes(text.replace("\n", "\r\n").encode())
    result = run("check", path)
    assert result.exit_code == 1
    assert " NP109 " in result.out


@pytest.mark.parametrize("fault", STRANGE_FILES)
def test_what_is_no_param_is_named(fault: str, run: Run, tmp_path: Path) -> None:
    text, said = STRANGE_FILES[fault]
    (tmp_path / "m.param").write_text(text, encoding="utf-8")
    result = run("check", tmp_path / "m.param")
    assert result.exit_code in (1, 2)
    assert said in result.out + result.err


@pytest.mark.parametrize("command", ["check", "opt", "show"])
@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_fault_that_a_loader_dies_of_is_trouble(fault: str, command: str, run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "m.param", "2 2", UNREADABLE[fault])
    output = ("-o", tmp_path / "out.param") if command == "opt" else ()
    result = run(command, path, *output)
    assert result.exit_code == 2
    assert "m.param:4:" in result.out + result.err
    assert not (tmp_path / "out.param").exists()


NET = "Input in0 0 1 in0 0=4\nMine mine 1 1 in0 a 0=4\nInnerProduct fc 1 1 a out0 0=3 1=1 2=12\n"
OPS = """
[Mine]
inputs = 1
outputs = 1
params = [{ id = 0, name = "size", type = "int" }]
weights = [{ name = "scale_data", kind = "raw", shape = ["size"] }]
"""
WEIGHTS = np.concatenate([np.arange(4), [0], np.arange(12), np.arange(3)]).astype("<f4").tobytes()


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a custom layer that has weights."""
    monkeypatch.setattr(registry, "_registered", {})
    (tmp_path / "my.toml").write_text(OPS)
    (tmp_path / "m.bin").write_bytes(WEIGHTS)
    return write(tmp_path / "m.param", "3 3", NET)


def test_weights_of_custom_layers_go_along(run: Run, pair: Path) -> None:
    """ncnnoptimize neither reads nor writes them, and all that follows in its .bin is wrong."""
    output = pair.with_name("out.param")
    result = run("opt", "--ops", pair.with_name("my.toml"), pair, pair.with_suffix(".bin"), "-o", output)
    assert result.exit_code == 0, result.err
    made = load(output, output.with_suffix(".bin"))
    np.testing.assert_array_equal(made.graph.layer("mine").weights["scale_data"].numpy(), np.arange(4))
    np.testing.assert_array_equal(made.graph.layer("fc").weights["bias_data"].numpy(), np.arange(3))


def test_weights_that_nobody_knows_of_are_not_guessed(run: Run, pair: Path) -> None:
    output = pair.with_name("out.param")
    result = run("opt", pair, pair.with_suffix(".bin"), "-o", output)
    assert result.exit_code == 2
    assert "Mine" in result.err
    assert not output.exists()


MISSING = {
    "opt": ("opt", "no.param", "-o", "out.param"),
    "opt of a pair": ("opt", "m.param", "no.bin", "-o", "out.param"),
    "rewrite": ("rewrite", "no.param", "--rule", "rule.txt", "-o", "out.param"),
    "repair": ("repair", "no.param", "-o", "out.param"),
    "convert": ("convert", "no.param", "out.param.bin"),
    "extract": ("extract", "no.param", "--outputs", "a", "-o", "out.param"),
    "quantize": ("quantize", "no.param", "m.bin", "q.param", "q.bin"),
    "calibrate": ("calibrate", "no.param", "m.bin", "--npy", ".", "--table", "t.table"),
    "a table": ("table", "check", "no.table", "m.param"),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_file_is_no_empty_model(
    case: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "m.param", "3 3", CHAIN)
    (tmp_path / "rule.txt").write_text("Dropout d 1 1 x y\n=>\ny = x\n")
    before = sorted(tmp_path.iterdir())
    result = run(*MISSING[case])
    assert result.exit_code == 2
    assert any(name in result.err for name in ("no.param", "no.bin", "no.table"))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("change", "code"), [(WEIGHTS[:-1], "NP604"), (WEIGHTS + bytes(4), "NP605")])
def test_a_bin_of_another_length_is_told_of(change: bytes, code: str, run: Run, pair: Path) -> None:
    pair.with_suffix(".bin").write_bytes(change)
    result = run("check", "--ops", pair.with_name("my.toml"), pair, pair.with_suffix(".bin"))
    assert result.exit_code in (1, 2)
    assert code in result.out


def test_what_is_cut_off_has_true_counts(run: Run, tmp_path: Path) -> None:
    """ncnnoptimize keeps the counts of the whole when it cuts at a blob."""
    path = write(tmp_path / "m.param", "3 3", CHAIN)
    assert run("extract", path, "--outputs", "a", "-o", tmp_path / "part.param").exit_code == 0
    assert (tmp_path / "part.param").read_text().splitlines()[1] == "2 2"
