"""PyTorch and ncnn hear the same wavs: the example LSTM model, traced and converted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load, save
from ncnnparam.examples import example_folder
from ncnnparam.speech import Lstm, inject

from .conftest import Run

for package in ("torch", "pnnx", "sentencepiece", "kaldi_native_fbank", "kaldialign", "soundfile"):
    pytest.importorskip(package)
NETS = ("encoder", "decoder", "joiner")
SCRIPTS = tuple(f"{net}_jit_trace-pnnx.pt" for net in NETS)
WAVS = ("01.wav", "02.wav")
B = tuple(word for net in NETS for word in (f"--{net}", f"{net}.ncnn.param", f"{net}.ncnn.bin"))
WITH_WAVS = ("--wavs", "wavs", "--tokens", "tokens.txt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ncnnparam.export import convert, read_tokens, trace_factory, write_tokens

    folder, examples = tmp_path_factory.mktemp("scripts"), example_folder()
    traced = trace_factory(
        "demo_transducer.export:lstm", folder, path=examples, checkpoint=examples / "lstm/model.pt"
    )
    for net in NETS:
        convert(getattr(traced, net), folder, fp16=False, name=net)
    pair = folder / "encoder.ncnn.param", folder / "encoder.ncnn.bin"
    encoder = load(*pair)
    inject(encoder.graph, Lstm(num_encoder_layers=3, encoder_dim=96, rnn_hidden_size=144))
    save(encoder, *pair)
    write_tokens(read_tokens(examples / "bpe.model"), folder / "tokens.txt")
    (folder / "wavs").mkdir()
    for name in WAVS:
        shutil.copyfile(examples / "speech/test" / name, folder / "wavs" / name)
    shutil.copyfile(examples / "speech/test/transcripts.txt", folder / "transcripts.txt")
    return folder


@pytest.fixture(autouse=True)
def there(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)


def test_both_hear_the_same(run: Run) -> None:
    result = run("compare", *SCRIPTS, *B, *WITH_WAVS, "--transcripts", "transcripts.txt")
    assert (result.exit_code, result.err) == (0, "")
    assert "texts: 2 of 2 are the same" in result.out
    assert "is near enough to A over 2 items; wanted: the same texts" in result.out


def test_ncnn_hears_nothing(run: Run) -> None:
    model = load("joiner.ncnn.param", "joiner.ncnn.bin")
    (last,) = (layer for layer in model.graph.find("InnerProduct") if layer["num_output"] == 120)
    blank = np.zeros(120, np.float32)
    blank[0] = 1000
    last.weights["bias_data"] = blank
    save(model, "deaf.param", "deaf.bin")
    result = run(
        "compare", *SCRIPTS, *B[:6], "--joiner", "deaf.param", "deaf.bin", *WITH_WAVS, "--format", "json"
    )
    said = json.loads(result.out)
    assert (result.exit_code, said["same"]) == (1, False)
    assert all(one["first"] and not one["second"] for one in said["utterances"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((*SCRIPTS[:2], *B, *WITH_WAVS), "the three TorchScript files of A"),
        ((*SCRIPTS[:2], "encoder.ncnn.param", *B, *WITH_WAVS), "the three TorchScript files of A"),
        ((*SCRIPTS, *B[:6], *WITH_WAVS), "once, for B"),
        ((*SCRIPTS, *B, "--wavs", "wavs"), "--tokens is needed"),
        ((*SCRIPTS, *B, *WITH_WAVS, "--min-sqnr", "20"), "texts are compared"),
        ((*SCRIPTS, *B, "--wavs", "wavs", "--tokens", "no.txt"), "no.txt"),
    ],
)
def test_wrong_command_lines(run: Run, words: tuple[str, ...], why: str) -> None:
    result = run("compare", *words)
    assert result.exit_code == 2
    assert why in " ".join(result.err.split())
