"""``ncnnparam diff``: what it prints and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.weights import Storage
from tests.cli.conftest import Run

OLD = """7767517
3 3
Input                    in0                      0 1 in0
InnerProduct             fc                       1 1 in0 1 0=10 1=1 2=160
ReLU                     act                      1 1 1 out0
"""
RENUMBERED = OLD.replace(" 1 0=10", " 7 0=10").replace("1 1 1 out0", "1 1 7 out0").replace("fc ", "fc_9")
SPELLED = OLD.replace("out0", "out0 0=0.0")
CHANGED = OLD.replace("0=10", "0=12")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = {"old": OLD, "renumbered": RENUMBERED, "spelled": SPELLED, "changed": CHANGED}
    for name, text in texts.items():
        (tmp_path / f"{name}.param").write_text(text)
    return tmp_path


@pytest.mark.parametrize("other", ["old", "renumbered", "spelled"])
def test_the_same_is_silent(run: Run, files: Path, other: str) -> None:
    result = run("diff", "old.param", f"{other}.param")
    assert (result.exit_code, result.out, result.err) == (0, "", "")


def test_different(run: Run, files: Path) -> None:
    result = run("diff", "old.param", "changed.param")
    assert result.exit_code == 1
    assert result.out == (
        "--- old.param\n+++ changed.param\n"
        "@@ -4 +4 @@ InnerProduct fc\n-num_output (0) = 10\n+num_output (0) = 12\n"
        "# 1 param changed; 3 layers are in both\n"
    )


@pytest.mark.parametrize(
    ("option", "other", "line"),
    [("--strict-names", "renumbered", "+name = fc_9"), ("--textual", "spelled", "+written 0=0.0")],
)
def test_stricter(run: Run, files: Path, option: str, other: str, line: str) -> None:
    result = run("diff", option, "old.param", f"{other}.param")
    assert result.exit_code == 1
    assert line in result.out.splitlines()


def test_json(run: Run, files: Path) -> None:
    result = run("diff", "--format", "json", "old.param", "changed.param")
    assert result.exit_code == 1
    data = json.loads(result.out)
    assert (data["first"], data["second"], data["same"]) == ("old.param", "changed.param", False)
    layer = {"type": "InnerProduct", "name": "fc", "line": 4}
    assert data["records"] == [
        {
            "kind": "param-changed",
            "before": layer,
            "after": layer,
            "id": 0,
            "name": "num_output",
            "old": 10,
            "new": 12,
            "implied": False,
        }
    ]


def test_json_of_no_difference(run: Run, files: Path) -> None:
    result = run("diff", "--format", "json", "old.param", "renumbered.param")
    assert result.exit_code == 0
    data = json.loads(result.out)
    assert (data["same"], data["by_structure"], data["records"]) == (True, 1, [])


def test_table(run: Run, files: Path) -> None:
    result = run("diff", "--format", "table", "old.param", "changed.param")
    assert result.exit_code == 1
    lines = [line.split() for line in result.out.splitlines()]
    assert [
        "4",
        "4",
        "InnerProduct",
        "fc",
        "num_output",
        "(0)",
        "=",
        "10",
        "num_output",
        "(0)",
        "=",
        "12",
    ] in lines
    assert result.out.endswith("1 param changed; 3 layers are in both\n")


def test_a_table_on_a_terminal(files: Path) -> None:
    """What a person sees who only types the command: what a terminal got, without its colours."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ncnnparam", "diff", "old.param", "changed.param"]
    done = subprocess.run(command, stdout=theirs, env={**os.environ, "COLUMNS": "120", "TERM": "dumb"})
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "in A" in seen
    assert "num_output (0) = 12" in seen


@pytest.mark.parametrize(("other", "code"), [("renumbered", 0), ("changed", 1)])
def test_quiet(run: Run, files: Path, other: str, code: int) -> None:
    result = run("diff", "-q", "old.param", f"{other}.param")
    assert (result.exit_code, result.out, result.err) == (code, "", "")


def test_one_side_from_stdin(run: Run, files: Path) -> None:
    assert run("diff", "-", "renumbered.param", stdin=OLD).exit_code == 0
    result = run("diff", "old.param", "-", stdin=CHANGED)
    assert result.exit_code == 1
    assert "+++ -" in result.out


def test_both_sides_from_stdin_is_a_mistake(run: Run) -> None:
    result = run("diff", "-", "-")
    assert result.exit_code == 2
    assert "only one of the two" in result.err


def test_trouble(run: Run, files: Path) -> None:
    (files / "bad.param").write_text("7767517\n1 1\nInput\n")
    for other in ("missing.param", "bad.param", "."):
        result = run("diff", "old.param", other)
        assert (result.exit_code, result.out) == (2, "")
        assert result.err.startswith("error: ")
        assert other in result.err


def test_names_of_any_bytes(run: Run, files: Path) -> None:
    (files / "bytes.param").write_bytes(CHANGED.encode().replace(b"fc ", b"\xffc "))
    result = run("diff", "old.param", "bytes.param")
    assert result.exit_code == 1
    assert run("diff", "--format", "json", "old.param", "bytes.param").exit_code == 1


FLOAT = OLD.replace("1=1 2=160", "2=160")
INT8 = FLOAT.replace("2=160", "2=160 8=2")


@pytest.fixture
def pairs(files: Path) -> Path:
    """``float`` and ``half`` with the same numbers, ``int8`` with those rounded."""
    numbers = np.random.default_rng(1).normal(size=160).astype(np.float16).astype(np.float32)
    scales = 127 / np.abs(numbers.reshape(10, 16)).max(1)
    ints = np.rint(numbers.reshape(10, 16) * scales[:, np.newaxis]).astype(int)
    for name, text, stored in (
        ("float", FLOAT, (numbers, Storage.FLOAT32)),
        ("half", FLOAT, (numbers, Storage.FLOAT16)),
        ("int8", INT8, (ints, Storage.INT8)),
    ):
        model = nnp.loads(text)
        weights = model.graph.layer("fc").weights
        weights.put("weight_data", *stored)
        if name == "int8":
            weights["weight_data_int8_scales"] = scales
            weights["bottom_blob_int8_scales"] = np.array([50])
        model.save(files / f"{name}.param", files / f"{name}.bin")
    return files


def test_weights(run: Run, pairs: Path) -> None:
    result = run("diff", "float.param", "float.bin", "int8.param", "int8.bin")
    assert (result.exit_code, result.err) == (1, "")
    lines = result.out.splitlines()
    assert lines[:5] == [
        "--- float.param float.bin",
        "+++ int8.param int8.bin",
        "@@ -4 +4 @@ InnerProduct fc: fp32 -> int8",
        "@@ weights @@",
        "layer  type          array                    in A  in B  bytes A  bytes B  max error  mean error"
        "    cosine  SQNR dB  note",
    ]
    words = lines[5].split()
    assert words[:7] == ["fc", "InnerProduct", "weight_data", "fp32", "int8", "644", "164"]
    assert 40 < float(words[-1]) < 60
    assert lines[6].split() == ["weight_data_int8_scales", "raw", "40", "only", "in", "B"]
    assert lines[8:10] == [
        "@@ quantised @@",
        "layer  type          in A  in B  bytes A  bytes B    of B  SQNR dB",
    ]
    assert lines[11:] == [
        "@@ size @@",
        "A  644 B: fp32 644 B",
        "B  208 B: int8 164 B, raw 44 B; 32.3% of A",
        "a byte for each of the 160 weights would be 160 B, 24.8% of A; B has 48 B more:",
        "bytes   of B  why",
        "   44  21.2%  scales, which int8 adds",
        "    4   1.9%  tags, padding, lookup tables",
        "# 1 layer quantised; 3 layers are in both; arrays: 3 differ, 0 are the same",
    ]


def test_weights_found_by_name(run: Run, pairs: Path) -> None:
    named = run("diff", "float.param", "float.bin", "half.param", "half.bin")
    assert run("diff", "--weights", "float.param", "half.param") == named
    assert named.exit_code == 1
    assert "exact" in named.out
    assert "quantised" not in named.out
    for options in ([], ["-q"], ["--format", "json"]):
        assert run("diff", *options, "--weights", "half.param", "half.param").exit_code == 0
    assert run("diff", "--weights", "half.param", "half.param").out == ""
    assert run("diff", "float.param", "half.param").exit_code == 0


def test_weights_as_json(run: Run, pairs: Path) -> None:
    result = run("diff", "--format", "json", "--weights", "float.param", "int8.param")
    assert result.exit_code == 1
    data = json.loads(result.out)
    assert (data["first_bin"], data["second_bin"], data["same"]) == ("float.bin", "int8.bin", False)
    assert data["weights"]["old"]["by_storage"] == {"fp32": 644}
    (layer,) = data["weights"]["layers"]
    assert [array["name"] for array in layer["arrays"]] == [
        "weight_data",
        "weight_data_int8_scales",
        "bottom_blob_int8_scales",
    ]


def test_weights_as_a_table(run: Run, pairs: Path) -> None:
    result = run("diff", "--format", "table", "--weights", "float.param", "int8.param")
    assert result.exit_code == 1
    assert ["4", "4", "InnerProduct", "fc", "fp32", "int8"] in [
        line.split() for line in result.out.splitlines()
    ]
    assert "@@ weights @@" in result.out
    same = run("diff", "--format", "table", "--weights", "half.param", "half.param")
    assert same.out == "# no difference; 3 layers are in both; arrays: 0 differ, 1 are the same\n"


def test_what_stayed_float(run: Run, pairs: Path) -> None:
    """Of many arrays left in float only the largest are shown."""
    number = 15
    head = f"7767517\n{number + 2} {number + 2}\nInput in0 0 1 b0\n"
    lines = [f"Convolution1D c{n} 1 1 b{n} b{n + 1} 0=2 1=1 6={4 + 2 * n}\n" for n in range(number)]
    model = nnp.loads(head + "".join(lines) + "Embed e 1 1 b15 out0 0=2 1=2 3=4 18=2\n")
    for layer in model.graph.find("Convolution1D"):
        layer.weights["weight_data"] = np.ones(int(layer["weight_data_size"]))
    weights = model.graph.layer("e").weights
    weights.put("weight_data", np.ones(4, int), Storage.INT8)
    weights["weight_data_int8_scale"] = np.array([1])
    model.save("many.param", "many.bin")
    weights["weight_data_int8_scale"] = np.array([2])
    model.save("other.param", "other.bin")
    result = run("diff", "--weights", "many.param", "other.param")
    section = result.out.partition("@@ left in float @@\n")[2].partition("@@")[0].splitlines()
    assert [line.split()[0] for line in section[1:-1]] == [f"c{n}" for n in range(14, 2, -1)]
    assert section[-1] == "and 3 smaller ones"
    assert "ncnn has no int8 Convolution1D" in section[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["float.param"], "two .param files"),
        (["float.param", "float.bin", "half.param"], "two pairs"),
        (["--weights", "float.param", "float.bin", "half.param", "half.bin"], "two .param files"),
        (["--weights", "-", "half.param"], "no .bin beside it"),
        (["float.param", "-", "half.param", "half.bin"], "name a file for the .bin"),
        (["--weights", "old.param", "half.param"], "old.bin"),
        (["float.param", "float.bin", "half.param", "short.bin"], "short.bin: layer 'fc'"),
        (["float.param", "old.param", "half.param", "half.bin"], "weight_data"),
    ],
)
def test_weights_that_cannot_be_compared(run: Run, pairs: Path, arguments: list[str], words: str) -> None:
    (pairs / "short.bin").write_bytes((pairs / "half.bin").read_bytes()[:100])
    result = run("diff", *arguments)
    assert (result.exit_code, result.out) == (2, "")
    assert words in result.err


def test_a_pair_from_stdin(run: Run, pairs: Path) -> None:
    result = run("diff", "-", "float.bin", "half.param", "half.bin", stdin=FLOAT)
    assert result.exit_code == 1
    assert "exact" in result.out


def test_bytes_that_no_layer_reads(run: Run, pairs: Path) -> None:
    with (pairs / "half.bin").open("ab") as file:
        file.write(b"1234")
    result = run("diff", "-q", "--weights", "half.param", "half.param")
    assert result.exit_code == 0
    assert "warning: half.param does not read the last 4 bytes of half.bin" in result.err


def test_comparing_graphs_needs_no_numpy(files: Path) -> None:
    code = (
        "import sys\n"
        "from ncnnparam.cli.main import main\n"
        "try: main(['diff', 'old.param', 'changed.param'])\n"
        "except SystemExit: print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
