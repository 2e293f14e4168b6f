"""``ncnnparam decode``."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from ncnnparam.cli.live import live_text

from .conftest import Run

pytest.importorskip("kaldi_native_fbank")
pytest.importorskip("sherpa_ncnn")
pytest.importorskip("soundfile")

NAMED = ("--encoder", "e", "b", "--decoder", "d", "b", "--joiner", "j", "b", "--tokens", "t")


@pytest.fixture
def small(shared: Path) -> Path:
    return shared / "golden/sherpa_small"


@pytest.fixture
def model(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model and its int8 form in one folder, and wavs in another."""
    (tmp_path / "model").mkdir()
    (tmp_path / "wavs").mkdir()
    for short, name in (("enc", "encoder"), ("dec", "decoder"), ("joi", "joiner")):
        for ending in ("param", "bin"):
            target = tmp_path / "model" / f"{name}_jit_trace-pnnx.ncnn.{ending}"
            shutil.copyfile(small / f"{short}.{ending}", target)
            if name != "decoder":
                shutil.copyfile(small / f"{short}.q.{ending}", target.with_suffix(f".int8.{ending}"))
    shutil.copyfile(small / "tokens.txt", tmp_path / "model/tokens.txt")
    for name in ("w0.wav", "w1.wav"):
        shutil.copyfile(small / name, tmp_path / "wavs" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(small: Path) -> str:
    """What sherpa-ncnn's own command printed, as we print it."""
    rows = [line.split("\t") for line in (small / "say.fp32.txt").read_text("utf-8").splitlines()]
    return "".join(f"wavs/{name}\t{text.strip()}\n" for name, text in rows[:2])


@pytest.mark.parametrize("engine", ["ncnn", "sherpa"])
def test_both_engines(run: Run, model: Path, small: Path, engine: str) -> None:
    result = run("decode", "model", "wavs", "--engine", engine)
    assert (result.exit_code, result.out, result.err) == (0, said(small), "")


def test_a_bin_that_is_too_long_is_told_of(run: Run, model: Path, small: Path) -> None:
    with (model / "model/joiner_jit_trace-pnnx.ncnn.bin").open("ab") as file:
        file.write(bytes(8))
    result = run("decode", "model", "wavs")
    assert (result.exit_code, result.out) == (0, said(small))
    assert "warning: NP605 model/joiner_jit_trace-pnnx.ncnn.bin: 8 bytes are left over" in result.err


def test_int8(run: Run, model: Path, small: Path) -> None:
    command = ("decode", "model", "wavs", "--int8", "--engine")
    ours, theirs = (run(*command, engine) for engine in ("ncnn", "sherpa"))
    assert (ours.exit_code, ours.out) == (theirs.exit_code, theirs.out)
    assert ours.exit_code == 0
    assert ours.out != said(small)


@pytest.mark.parametrize("engine", ["ncnn", "sherpa"])
def test_json(run: Run, model: Path, engine: str) -> None:
    (model / "said.txt").write_text("w1 A B\nw0 C\n")
    words = ("--transcripts", "said.txt", "--method", "modified-beam", "--beam", "2", "--format", "json")
    result = run("decode", "model", "wavs/w1.wav", "gone.wav", "--engine", engine, *words)
    assert result.exit_code == 2
    found = json.loads(result.out)
    (heard,) = found["heard"]
    assert (found["engine"], found["method"]) == (engine, "modified-beam")
    assert found["skipped"] == [{"item": "gone.wav", "why": "does not exist"}]
    assert heard["name"] == "wavs/w1.wav"
    assert len(heard["tokens"]) == len(heard["timestamps"]) > 10
    assert heard["rtf"] == pytest.approx(heard["seconds"] / heard["audio_seconds"])
    assert found["word_errors"]["length"] == 2


def test_word_error_rates(run: Run, model: Path, small: Path) -> None:
    heard = dict(line.split("\t") for line in said(small).splitlines())
    first = heard["wavs/w0.wav"].split()
    second = heard["wavs/w1.wav"].split()
    (model / "said.txt").write_text(f"w0 {' '.join(first).lower()}\nw1.wav {' '.join(second[1:])}\n")
    result = run("decode", "model", "wavs", "--transcripts", "said.txt")
    assert result.exit_code == 0
    lines = result.out.splitlines()
    count = len(first) + len(second) - 1
    assert [line.split()[:3] for line in lines[2:5]] == [
        ["wav", "errors", "words"],
        ["wavs/w0.wav", "0", str(len(first))],
        ["wavs/w1.wav", "1", str(len(second) - 1)],
    ]
    assert lines[5] == f"word error rate: {100 / count:.2f} % (1 of {count})"


def test_bad_wavs_are_named_and_the_others_decoded(run: Run, model: Path, small: Path) -> None:
    (model / "wavs/a.wav").write_text("no audio")
    result = run("decode", "model", "wavs")
    assert (result.exit_code, result.out) == (2, said(small))
    assert result.err.startswith(
        "error: NP803 1 of 3 items cannot be used:\n  wavs/a.wav: cannot be read as audio"
    )
    result = run("decode", "model", "wavs", "--skip-bad")
    assert (result.exit_code, result.out) == (0, said(small))
    assert result.err.startswith("skipped wavs/a.wav: cannot be read as audio")


def test_named_files(run: Run, model: Path, small: Path) -> None:
    words: list[object] = []
    for net, name in (("encoder", "enc"), ("decoder", "dec"), ("joiner", "joi")):
        words += [f"--{net}", small / f"{name}.param", small / f"{name}.bin"]
    result = run("decode", *words, "--tokens", small / "tokens.txt", "wavs")
    assert (result.exit_code, result.out) == (0, said(small))


def test_a_model_that_does_not_fit(run: Run, model: Path) -> None:
    encoder = model / "model/encoder_jit_trace-pnnx.ncnn.param"
    encoder.write_text(encoder.read_text().replace("out8", "out9"))
    result = run("decode", "model", "wavs")
    assert result.exit_code == 2
    assert "ncnn cannot compute 'out8'" in result.err


def test_a_joiner_that_gives_nothing(run: Run, model: Path) -> None:
    joiner = model / "model/joiner_jit_trace-pnnx.ncnn.param"
    magic, counts, *layers = joiner.read_text().replace("out0", "logits").splitlines()
    counts = " ".join(str(int(count) + 1) for count in counts.split())
    joiner.write_text("\n".join([magic, counts, *layers, "Noop nothing 0 1 out0", ""]))
    result = run("decode", "model", "wavs")
    assert result.exit_code == 2
    assert "the joiner gives no numbers as 'out0'" in result.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name a MODEL_DIR and wavs"),
        (("model",), "name wavs"),
        (("wavs/w0.wav", "wavs/w1.wav"), "w0.wav is not a folder"),
        (("wavs", "wavs/w1.wav"), "wavs has no encoder*.param"),
        (("--encoder", "e", "b", "x.wav"), "also give --decoder, --joiner, --tokens"),
        (("--int8", *NAMED, "x.wav"), "--int8 is for a MODEL_DIR"),
        (("model", "wavs", "--transcripts", "model/tokens.txt"), "has no transcript of wavs/w0.wav"),
        (("model", "nowhere"), "cannot read nowhere"),
    ],
)
def test_wrong_command_lines(run: Run, model: Path, words: tuple[str, ...], why: str) -> None:
    result = run("decode", *words)
    assert result.exit_code == 2
    assert why in result.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stderr", [Terminal(), io.StringIO()])
def test_partial_results_on_a_terminal(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> None:
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with live_text("a.wav") as update:
        update("HELLO\x1b")
    shown = stderr.getvalue()
    assert ("HELLO\\x1b" in shown) == ("a.wav" in shown) == stderr.isatty()
