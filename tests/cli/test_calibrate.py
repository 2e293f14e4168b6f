"""``ncnnparam calibrate``."""

from __future__ import annotations

import json
import os
import re
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.quantize.table import Table

from .conftest import Run

NET = """7767517
3 3
Input         in   0 1 in0
InnerProduct  fc   1 1 in0 a 0=2 2=6
InnerProduct  fc2  1 1 a out0 0=1 2=2
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and three inputs, in which the command runs."""
    (tmp_path / "m.param").write_text(NET)
    first, second = np.arange(6, dtype=np.float32), np.ones(2, np.float32)
    (tmp_path / "m.bin").write_bytes(bytes(4) + first.tobytes() + bytes(4) + second.tobytes())
    (tmp_path / "inputs").mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        np.save(tmp_path / f"inputs/{number}.npy", random.standard_normal((50, 3)).astype(np.float32))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_npy(run: Run, net: Path) -> None:
    result = run(
        "calibrate", "m.param", "m.bin", "--npy", "inputs", "--table", "t.table", "--method", "minmax"
    )
    assert result.exit_code == 0
    assert result.out.splitlines()[-1] == "t.table: 4 rows from 3 items"
    table = Table.read("t.table")
    assert list(table) == ["fc_param_0", "fc2_param_0", "fc", "fc2"]
    assert table["fc_param_0"].tolist() == [63.5, np.float32(25.4)]
    largest = max(np.abs(np.load(file)).max() for file in (net / "inputs").iterdir())
    assert table["fc"] == pytest.approx([127 / largest])


def test_a_page(run: Run, net: Path) -> None:
    pytest.importorskip("jinja2")
    words = ("--npy", "inputs", "--table", "t.table", "--html", "page.html")
    assert run("calibrate", "m.param", "m.bin", *words).exit_code == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "minmax" in text
    assert run("calibrate", "m.param", "m.bin", *words[:-1], "nowhere/page.html").exit_code == 2


def test_json(run: Run, net: Path) -> None:
    words = ("--npy", "inputs", "--table", "t.table", "--format", "json")
    said = json.loads(run("calibrate", "m.param", "m.bin", *words).out)
    (table,) = said["tables"]
    assert (said["method"], said["items"], table["rows"]) == ("mse", 3, 4)
    assert [row["layer"] for row in table["inputs"]] == ["fc", "fc2"]
    for row in table["inputs"]:
        assert row["scale"] * row["threshold"] == pytest.approx(127)


def test_statistics_serve_other_methods(run: Run, net: Path) -> None:
    base = ("calibrate", "m.param", "m.bin", "--stats", "s.npz")
    assert run(*base, "--npy", "inputs", "--table", "a.table").exit_code == 0
    assert run(*base, "--table", "b.table", "--method", "mse").exit_code == 0
    assert run(*base, "--table", "c.table", "--method", "percentile", "--percent", "50").exit_code == 0
    a, b, c = (Table.read(f"{name}.table") for name in "abc")
    assert list(a) == list(b) == list(c)
    assert c["fc"] > b["fc"]


def test_merge(run: Run, net: Path) -> None:
    base = ("calibrate", "m.param", "m.bin")
    for number in range(3):
        words = ("--npy", f"inputs/{number}.npy", "--stats", f"{number}.npz", "--table", "part.table")
        assert run(*base, *words).exit_code == 0
    merge = ("--stats", "0.npz", "--merge", "1.npz", "--merge", "2.npz")
    assert run(*base, *merge, "--table", "merged.table").exit_code == 0
    assert run(*base, "--npy", "inputs", "--table", "whole.table").exit_code == 0
    assert Path("merged.table").read_text() == Path("whole.table").read_text()
    shutil.copyfile("1.npz", "again.npz")
    twice = run(*base, "--stats", "1.npz", "--merge", "again.npz", "--table", "x.table")
    assert twice.exit_code == 2
    assert "both statistics have run" in twice.err


def test_images(run: Run, net: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    for shade in (0, 80):
        pillow.new("RGB", (5, 4), (shade, 2 * shade, 255)).save(f"inputs/{shade}.png")
    (net / "m.param").write_text(
        "7767517\n2 2\nInput in 0 1 in0\nConvolution c 1 1 in0 out0 0=2 1=1 5=0 6=6\n"
    )
    (net / "m.bin").write_bytes(bytes(4) + np.arange(6, dtype=np.float32).tobytes())
    words = (
        "--images",
        "inputs",
        "--size",
        "4,4",
        "--mean",
        "0,0,127.5",
        "--norm",
        "0.5",
        "--method",
        "minmax",
    )
    result = run("calibrate", "m.param", "m.bin", *words, "--table", "t.table")
    assert result.exit_code == 0
    assert Table.read("t.table")["c"] == pytest.approx([127 / 80])
    words = (*words, "--stats", "s.npz", "--table", "t.table")
    assert run("calibrate", "m.param", "m.bin", *words).exit_code == 0
    other = run("calibrate", "m.param", "m.bin", *words, "--pixels", "bgr")
    assert other.exit_code == 2
    assert "preparation was rgb" in other.err


def test_eq(run: Run, net: Path) -> None:
    words = ("--npy", "inputs", "--table", "t.table", "--method", "eq")
    assert run("calibrate", "m.param", "m.bin", *words).exit_code == 0
    assert list(Table.read("t.table")) == ["fc_param_0", "fc2_param_0", "fc", "fc2"]


def test_bad_items(run: Run, net: Path) -> None:
    np.save("inputs/nan.npy", np.array([np.nan] * 3))
    Path("inputs/text.npy").write_text("x")
    base = ("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table", "t.table")
    refused = run(*base)
    assert refused.exit_code == 2
    assert "2 of 5 items cannot be used" in refused.err
    assert "inputs/nan.npy: it has NaN or infinity" in refused.err
    assert "--skip-bad" in refused.err
    assert not Path("t.table").exists()
    skipped = run(*base, "--skip-bad")
    assert skipped.exit_code == 0
    assert "skipped inputs/text.npy: " in skipped.err
    assert "from 3 items" in skipped.out


@pytest.mark.parametrize("method", ["mse", "eq"])
def test_an_item_that_a_layer_cannot_take(run: Run, net: Path, method: str) -> None:
    np.save("inputs/wide.npy", np.ones(4, np.float32))
    base = ("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table", "t.table", "--method", method)
    refused = run(*base)
    assert refused.exit_code == 2
    assert "inputs/wide.npy: blob" in refused.err
    assert "takes rows of 3 numbers" in refused.err
    assert not Path("t.table").exists()
    skipped = run(*base, "--skip-bad")
    assert skipped.exit_code == 0
    assert "skipped inputs/wide.npy: blob" in skipped.err
    assert "from 3 items" in skipped.out


def test_statistics_of_another_model(run: Run, net: Path) -> None:
    base = ("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table", "t.table", "--stats", "s.npz")
    assert run(*base).exit_code == 0
    content = bytearray(Path("m.bin").read_bytes())
    content[-1] ^= 1
    Path("m.bin").write_bytes(content)
    result = run(*base)
    assert result.exit_code == 2
    assert re.search(
        r"s\.npz cannot be gone on with: model was [0-9a-f]{8}\.\.\. and is [0-9a-f]{8}\.\.\.", result.err
    )
    other = NET.replace("fc2", "out")
    Path("m.param").write_text(other)  # the blobs are the same, the model is not
    assert "gone on with: model was" in run(*base).err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name MODEL and BIN and --table"),
        (("m.param", "m.bin"), "name MODEL and BIN and --table"),
        (("m.param", "m.bin", "--table", "t"), "nothing was run"),
        (("m.param", "m.bin", "--table", "t", "--npy", "nowhere"), "cannot read nowhere"),
        (("m.param", "gone.bin", "--table", "t", "--npy", "inputs"), "gone.bin"),
        (("m.param", "m.bin", "--table", "t", "--npy", "inputs", "--images", "x"), "name one of them"),
        (("m.param", "m.bin", "--table", "t", "--images", "x", "--mean", "1,2"), "three channels"),
        (("m.param", "m.bin", "--table", "t", "--images", "x", "--mean", "nan"), "three channels"),
        (("m.param", "m.bin", "--table", "t", "--images", "x", "--size", "3"), "WIDTH,HEIGHT"),
        (("m.param", "m.bin", "--table", "t", "--npy", "inputs", "-j", "0"), "1 or more processes"),
        (("m.param", "m.bin", "--table", "t", "--joiner-table", "j"), "is for transducers"),
        (("m.param", "m.bin", "--table", "inputs", "--npy", "inputs"), "inputs: it is a folder"),
        (("m.param", "m.bin", "--table", "nowhere/t", "--npy", "inputs"), "nowhere is no folder"),
        (
            ("m.param", "m.bin", "--table", "t", "--npy", "inputs", "--stats", "nowhere/s"),
            "nowhere is no folder",
        ),
        (("--wavs", "x"), "also needs --encoder"),
        (("m.param", "m.bin", "--table", "t", "--npy", "inputs", "--mean", "0"), "--mean is for --images"),
        (("m.param", "m.bin", "--table", "t", "--npy", "inputs", "--save-every", "9"), "is for --stats"),
        (("m.param", "m.bin", "--table", "t", "--npy", "inputs", "--percent", "9"), "is for --method perc"),
    ],
)
def test_wrong_command_lines(run: Run, net: Path, words: tuple[str, ...], why: str) -> None:
    result = run("calibrate", *words)
    assert result.exit_code == 2
    assert why in result.err
    assert not Path("t").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--table", "m.param"),
        ("--table", "m.bin"),
        ("--table", "./m.bin"),
        ("--table", "t", "--html", "t"),
        ("--table", "t", "--stats", "t"),
        ("--table", "inputs/0.npy"),
        ("--table", "t", "--ops", "ops.toml", "--html", "ops.toml"),
        ("--table", "seen.npz", "--merge", "seen.npz"),
    ],
)
def test_nothing_is_written_over(run: Run, net: Path, words: tuple[str, ...]) -> None:
    Path("ops.toml").write_text("")
    run("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table", "old", "--stats", "seen.npz")
    before = {path: path.read_bytes() for path in net.rglob("*") if path.is_file()}
    result = run("calibrate", "m.param", "m.bin", "--npy", "inputs", *words)
    assert (result.exit_code, "would be written over" in result.err) == (2, True)
    assert before == {path: path.read_bytes() for path in net.rglob("*") if path.is_file()}


def test_a_device_takes_two_things_and_standard_output_one(run: Run, net: Path) -> None:
    base = ("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table")
    assert run(*base, os.devnull, "--html", os.devnull).exit_code == 0
    nets = [word for name in ("encoder", "decoder", "joiner") for word in (f"--{name}", name, f"{name}.bin")]
    result = run("calibrate", *nets, "--wavs", "w", "--encoder-table", "-", "--joiner-table", "-")
    assert (result.exit_code, "two things cannot go to standard output" in result.err) == (2, True)


def test_two_tables_in_one_place(run: Run, net: Path) -> None:
    nets = [word for name in ("encoder", "decoder", "joiner") for word in (f"--{name}", name, f"{name}.bin")]
    result = run("calibrate", *nets, "--wavs", "w", "--encoder-table", "t", "--joiner-table", "t")
    assert (result.exit_code, "t is named twice" in result.err) == (2, True)


def test_a_table_for_standard_output_stands_alone(run: Run, net: Path) -> None:
    base = ("calibrate", "m.param", "m.bin", "--npy", "inputs", "--table")
    assert run(*base, "t").exit_code == 0
    assert run(*base, "-").out == Path("t").read_text()
    result = run(*base, "-", "--format", "json")
    assert (result.exit_code, result.out) == (2, "")


def test_transducer(run: Run, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    folder = shared / "golden/sherpa_small"
    with wave.open(str(tmp_path / "rate.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(32_000))
    (tmp_path / "list").write_text(f"{folder / 'w1.wav'}\nrate.wav\n")
    monkeypatch.chdir(tmp_path)
    nets = [
        word
        for name, file in (("encoder", "enc"), ("decoder", "dec"), ("joiner", "joi"))
        for word in (f"--{name}", folder / f"{file}.param", folder / f"{file}.bin")
    ]
    base = ("calibrate", *nets, "--wavs", "list", "--encoder-table", "e.table", "--joiner-table", "j.table")
    refused = run(*base)
    assert refused.exit_code == 2
    assert "rate.wav: has 8000 samples a second" in refused.err
    ours = json.loads(run(*base, "--skip-bad", "--format", "json").out)
    inputs = {one["layer"]: one for one in ours["tables"][0]["inputs"]}
    assert inputs["gemm_0"]["type"] == "Gemm"  # it is nearer to float as it is
    assert inputs["gemm_0"]["scale"] is None
    result = run(*base, "--skip-bad", "--compat")
    assert result.exit_code == 0
    assert "skipped rate.wav: has 8000 samples a second" in result.err
    for made, wanted in (("e.table", "enc1.table"), ("j.table", "joi1.table")):
        golden = Table.read(folder / wanted)
        assert list(Table.read(made)) == list(golden)
        for key, scales in Table.read(made).items():
            assert scales == pytest.approx(golden[key], rel=5e-3)
