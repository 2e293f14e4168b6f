"""``ncnnparam quantize``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load

from ..quantize.test_int8 import NET, ROWS, filled
from .conftest import Run

FILES = ("m.param", "m.bin", "q.param", "q.bin")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a float model and a table, where the commands run."""
    monkeypatch.chdir(tmp_path)
    filled(NET).save("m.param", "m.bin")
    Path("m.table").write_text(ROWS)
    return tmp_path


def test_a_model_and_its_report(run: Run, folder: Path) -> None:
    result = run("quantize", *FILES, "--table", "m.table")
    assert (result.exit_code, result.err) == (0, "")
    assert result.out.splitlines()[:2] == [
        "Convolution: 3 of 3 int8 (1 with int8 output)",
        "InnerProduct: 1 of 1 int8",
    ]
    after = load("q.param", "q.bin")
    assert after.graph.layer("fc").params[8] == 2
    size = Path("q.bin").stat().st_size
    assert result.out.splitlines()[2].startswith(
        f"weights: {Path('m.bin').stat().st_size:,} -> {size:,} bytes"
    )


def test_json(run: Run, folder: Path) -> None:
    Path("m.table").write_text(ROWS.replace("left 20\n", ""))
    answer = json.loads(run("quantize", *FILES, "--table", "m.table", "--format", "json").out)
    layers = {one["layer"]: one for one in answer["layers"]}
    assert layers["fc"]["int8"] is True
    assert layers["left"]["note"] == "the table has no row for its input"
    assert [one["code"] for one in answer["findings"]] == ["NP710"]
    assert answer["bytes_after"] < answer["bytes_before"]


def test_without_a_table(run: Run, folder: Path) -> None:
    result = run("quantize", *FILES)
    assert result.exit_code == 2
    assert "only calibration finds: first, left, right, fc" in result.err
    assert not Path("q.param").exists()


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (ROWS.replace("fc 10", "\nfc 10"), "NP701"),
        (ROWS.replace("fc 10", "fc ten"), "NP702"),
        (ROWS.replace("fc 10", "fc"), "NP703"),
        (ROWS.replace("40 41 42", "40 41"), "NP706"),
        (ROWS.replace("fc_param_0 40 41 42\n", ""), "NP709"),
        (ROWS.replace("fc_param_0", "#fc_param_0"), "NP709"),  # as the docs of the tool advise
    ],
)
def test_a_faulty_table_stops_it(run: Run, folder: Path, rows: str, code: str) -> None:
    Path("m.table").write_text(rows)
    result = run("quantize", *FILES, "--table", "m.table")
    assert (result.exit_code, result.out) == (2, "")
    assert f": {code} error " in result.err
    assert "nothing is written" in result.err
    assert sorted(path.name for path in folder.iterdir()) == ["m.bin", "m.param", "m.table"]


@pytest.mark.parametrize(
    "words",
    [
        ("m.param", "m.bin", "q.param", "m.bin", "--table", "m.table"),
        ("m.param", "m.bin", "q.param", "m.table", "--table", "m.table"),
        ("m.param", "m.bin", "m.bin", "m.param", "--table", "m.table"),
        ("m.param", "m.bin", "list", "q.bin", "--table", "m.table", "--npy", "list", "--min-sqnr", "5"),
        ("m.param", "m.bin", "one.npy", "q.bin", "--table", "m.table", "--npy", "list", "--min-sqnr", "5"),
        ("m.param", "m.bin", "q.param", "ops.toml", "--table", "m.table", "--ops", "ops.toml"),
    ],
)
def test_nothing_is_written_over(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    np.save("one.npy", np.ones((3, 6, 6), np.float32))
    Path("list").write_text("one.npy\n")
    Path("ops.toml").write_text("")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = run("quantize", *words)
    assert (result.exit_code, "would be written over" in result.err) == (2, True)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_nets_that_only_measure_are_not_written_over(run: Run, folder: Path) -> None:
    nets = ("--decoder", "d.param", "d.bin", "--joiner", "j.param", "j.bin")
    goal = ("--max-wer-loss", "1", "--wavs", "w", "--tokens", "tokens.txt", "--transcripts", "said")
    for new in (("d.param", "d.bin"), ("q.param", "tokens.txt")):
        result = run("quantize", "m.param", "m.bin", *new, *nets, *goal)
        assert (result.exit_code, "would be written over" in result.err) == (2, True)


def test_a_pair_may_be_quantised_in_place(run: Run, folder: Path) -> None:
    assert run("quantize", "m.param", "m.bin", "./m.param", "m.bin", "--table", "m.table").exit_code == 0
    assert 8 in load("m.param", "m.bin").graph.layer("fc").params


@pytest.mark.parametrize("missing", ["m.param", "m.bin", "m.table"])
def test_a_missing_file(run: Run, folder: Path, missing: str) -> None:
    Path(missing).unlink()
    for more in ((), ("--compat", "ncnn2int8")):
        result = run("quantize", *FILES, "--table", "m.table", *more)
        assert result.exit_code == 2
        assert f"{missing}: No such file" in result.err
        assert not Path("q.param").exists()


def test_nothing_to_quantise(run: Run, folder: Path) -> None:
    result = run("quantize", *FILES, "--only", "Split")
    assert result.exit_code == 2
    assert "no layer can be quantised; nothing is written" in result.err
    assert not Path("q.param").exists()


def test_in_place_and_dry(run: Run, folder: Path) -> None:
    before = Path("m.bin").read_bytes()
    assert run("quantize", *FILES[:2], *FILES[:2], "--table", "m.table", "-n").exit_code == 0
    assert Path("m.bin").read_bytes() == before
    assert run("quantize", *FILES[:2], *FILES[:2], "--table", "m.table", "--backup").exit_code == 0
    assert Path("m.bin.bak").read_bytes() == before
    assert load("m.param", "m.bin").graph.layer("fc").params[8] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("m.param", "m.bin", "q.param", "m.table", "--table", "m.table"),
        ("m.param", "m.bin", "q.param", "q.param"),
        ("m.param", "m.bin", "q.param", "m.bin", "--table", "m.table"),
        ("m.param", "m.bin", "m.param", "q.bin", "--table", "m.table"),
        ("m.param", "m.bin", "-", "q.bin", "--table", "m.table"),
        (*FILES, "--compat", "ncnn2int8", "--only", "LSTM"),
        (*FILES, "--compat", "ncnn2int8", "--storage", "fp32"),
        (*FILES, "--storage", "int8"),
        FILES[:3],
    ],
)
def test_command_lines_without_sense(run: Run, folder: Path, words: tuple[str, ...]) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = run("quantize", *words)
    assert (result.exit_code, result.out) == (2, "")
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_an_unknown_target_or_selector(run: Run, folder: Path) -> None:
    assert "no target" in run("quantize", *FILES, "--table", "m.table", "--target", "ncnn-3").err
    result = run("quantize", *FILES, "--table", "m.table", "--skip", "name=nobody")
    assert result.exit_code == 2
    assert "nobody" in result.err


def test_numbers_that_float16_cannot_hold(run: Run, folder: Path) -> None:
    model = load("m.param", "m.bin")
    weights = model.graph.layer("right").weights
    numbers = weights["weight_data"].numpy().copy()
    numbers[0] = 1e6
    weights["weight_data"] = numbers
    model.save()
    result = run("quantize", *FILES, "--table", "m.table", "--skip", "name=right")
    assert result.exit_code == 0
    assert "right: 36 numbers of weight_data are too large for fp16" in result.err
    assert (
        run("quantize", *FILES, "--table", "m.table", "--skip", "name=right", "--storage", "keep").err == ""
    )


def test_as_the_tool_does(run: Run, folder: Path, shared: Path) -> None:
    golden = shared / "golden" / "cnn_chain"
    words = ("--compat", "ncnn2int8", "--table", golden / "blank.table")
    result = run("quantize", golden / "m.param", golden / "m.bin", "q.param", "q.bin", *words)
    assert (result.exit_code, result.out) == (0, "int8 as ncnn2int8 makes it: 0 layers\n")
    assert "NP701 error" in result.err
    assert Path("q.bin").read_bytes() == (golden / "blank.q.bin").read_bytes()
    assert Path("q.param").read_bytes() == (golden / "blank.param").read_bytes()


def test_made_up_weights(run: Run, shared: Path, tmp_path: Path) -> None:
    golden = shared / "golden" / "tails"
    out = tmp_path / "q.param", tmp_path / "q.bin"
    result = run("quantize", golden / "rnd.param", "null", *out, "--compat", "ncnn2int8", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.out)["int8"] == ["gm"]
    assert out[1].read_bytes() == (golden / "rnd.n.bin").read_bytes()
    assert run("quantize", golden / "rnd.param", "null", *out).exit_code == 2


def test_low_bits(run: Run, folder: Path) -> None:
    text = "7767517\n3 3\nInput in0 0 1 in0\nGemm g 1 1 in0 a 5=1 8=6 9=64 10=-1\nReLU r 1 1 a b\n"
    filled(text).save("m.param", "m.bin")
    result = run("quantize", *FILES, "--low-bit", "4", "--block", "32", "--clip", "minmax")
    assert result.exit_code == 0
    assert result.out.startswith("Gemm: 1 of 1 4 bit in blocks of 32\n")
    assert load("q.param", "q.bin").graph.layer("g").params[18] == 400
    assert Path("q.bin").stat().st_size == 6 * 32 + 6 * 2 * 4
    assert run("quantize", *FILES, "--low-bit", "4", "--table", "m.table").exit_code == 2
    assert run("quantize", *FILES, "--low-bit", "5").exit_code == 2


def test_what_the_tool_loses_is_told(run: Run, folder: Path) -> None:
    text = (
        "7767517\n3 3\nInput in0 0 1 in0 0=4\nFlip f 1 1 in0 a -23300=1,0\nGemm g 1 1 a b 5=1 8=2 9=4 10=-1\n"
    )
    filled(text).save("m.param", "m.bin")
    result = run("quantize", *FILES, "--compat", "ncnn2int8")
    assert result.exit_code == 0
    assert "NP713 warning ncnn2int8 does not write param 0 of layer 'f'" in result.err
    custom = text.replace("Flip f 1 1 in0 a -23300=1,0", "SimpleUpsample f 1 1 in0 a 0=2 1=4 2=8")
    filled(custom).save("m.param", "m.bin")
    result = run("quantize", *FILES[:2], "x.param", "x.bin", "--compat", "ncnn2int8")
    assert result.exit_code == 2
    assert "NP712 error ncnn2int8 does not read the weights of layer 'f'" in result.err
    assert not Path("x.param").exists()


@pytest.fixture
def goldens(shared: Path, tmp_path: Path) -> list[str]:
    """A float model, where its int8 form goes, its table, and data."""
    folder = shared / "golden/cnn_chain"
    made = [str(tmp_path / "q.param"), str(tmp_path / "q.bin")]
    files = [str(folder / name) for name in ("m.param", "m.bin")]
    return [*files, *made, "--table", str(folder / "kl.table"), "--npy", str(folder / "list.txt")]


def test_mixed_precision_by_sqnr(run: Run, goldens: list[str]) -> None:
    pytest.importorskip("ncnn")
    said = run("quantize", *goldens, "--min-sqnr", "25", "--format", "json")
    assert said.exit_code == 0
    answer = json.loads(said.out)
    assert answer["kept"][0]["layer"] == "fcrelu_0"
    kept = {one["layer"] for one in answer["kept"]}
    assert kept == {one["layer"] for one in answer["layers"] if one["note"] == "it was not asked for"}
    data = goldens[-2:]
    assert run("compare", *goldens[:4], *data, "--min-sqnr", "25").exit_code == 0
    told = run("quantize", *goldens, "--keep-worst", "1")
    assert "in float, because they hurt most: fcrelu_0 (5.2 dB alone)\n" in told.out
    Path(goldens[2]).unlink()
    refused = run("quantize", *goldens, "--min-sqnr", "199")
    assert refused.exit_code == 2
    assert "not near enough even with all of these layers in float" in refused.err
    assert not Path(goldens[2]).exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--npy", "x"), "--npy is for --keep-worst, --min-sqnr and --max-wer-loss"),
        (("--skip-bad",), "--skip-bad is for --keep-worst"),
        (("--min-sqnr", "3"), "--min-sqnr is measured on data: name --npy, or --wavs for an encoder"),
        (("--min-sqnr", "3", "--npy", "x", "--wavs", "x"), "--min-sqnr is measured on data"),
        (("--min-sqnr", "3", "--keep-worst", "3"), "--keep-worst and --min-sqnr: name one of them"),
        (("--min-sqnr", "3", "--npy", "x", "--tokens", "x"), "--tokens is for --max-wer-loss"),
        (("--min-sqnr", "3", "--npy", "x", "--low-bit", "4"), "does not go with --low-bit"),
        (("--max-wer-loss", "1", "--npy", "x"), "--max-wer-loss is measured on data: name --wavs"),
        (("--block", "64"), "--block is for --low-bit"),
        (("--max-wer-loss", "1", "--wavs", "x"), "needs --tokens, --transcripts, and of --encoder"),
    ],
)
def test_options_without_sense(run: Run, folder: Path, words: tuple[str, ...], why: str) -> None:
    result = run("quantize", *FILES, *words)
    assert result.exit_code == 2
    assert why in " ".join(result.err.split())


def test_mixed_precision_by_words(run: Run, shared: Path, tmp_path: Path) -> None:
    for package in ("ncnn", "kaldi_native_fbank", "kaldialign", "soundfile"):
        pytest.importorskip(package)
    folder = shared / "golden/sherpa_small"
    said = tmp_path / "said.txt"
    said.write_text("w1 SOMETHING ELSE\n")
    nets = [f"{folder / name}" for name in ("enc.param", "enc.bin", "dec.param", "dec.bin")]
    words = ["--encoder", *nets[:2], "--decoder", *nets[2:], "--tokens", folder / "tokens.txt"]
    joiner = [folder / "joi.param", folder / "joi.bin", tmp_path / "q.param", tmp_path / "q.bin"]
    goal = ["--wavs", folder / "w1.wav", "--transcripts", said, "--max-wer-loss", "0"]
    result = run("quantize", *joiner, "--table", folder / "joi.table", *words, *goal)
    assert (result.exit_code, result.err) == (0, "")
    assert "InnerProduct: " in result.out
    assert (tmp_path / "q.bin").exists()
    (tmp_path / "few.txt").write_text("<blk> 0\n<sos/eos> 1\n<unk> 2\n")
    words[-1] = tmp_path / "few.txt"
    result = run("quantize", *joiner, "--table", folder / "joi.table", *words, *goal)
    assert result.exit_code == 2
    assert "has 3 tokens, and the joiner gives 500 logits" in result.err
