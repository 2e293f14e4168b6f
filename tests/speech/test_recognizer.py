"""Our recogniser beside PyTorch's and sherpa-ncnn's."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.errors import ConfigError, MetadataError
from ncnnparam.quantize.int8 import quantize
from ncnnparam.quantize.table import Table
from ncnnparam.speech import sherpa
from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.files import ModelFiles, find_model
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.recognizer import Recognizer
from ncnnparam.speech.stream import TAIL, Stream

from .models import KINDS, greedy, repaired, sherpa_small

pytest.importorskip("kaldi_native_fbank")
pytest.importorskip("sherpa_ncnn")
pytest.importorskip("soundfile")


def hear(model: ModelFiles, wavs: list[Path], tail: int = TAIL, **options: object) -> list[Heard]:
    with Recognizer(model, **options) as recognizer:
        return [recognizer.hear(str(wav), read_wav(wav), tail=tail) for wav in wavs]


def told(heard: list[Heard]) -> list[tuple[object, ...]]:
    return [(one.name, one.tokens, one.text, one.timestamps, one.audio_seconds) for one in heard]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["ncnn", "sherpa-ncnn"])
def test_ncnn_hears_what_torch_hears(shared: Path, tmp_path: Path, kind: str, target: str) -> None:
    wanted = greedy(shared, kind)
    model = find_model(repaired(shared, tmp_path, kind, target))
    (heard,) = hear(model, [shared / "vectors/speech.wav"], wanted["tail_zeros"])
    assert list(heard.tokens) == wanted["ids"]
    assert heard.text == wanted["text"].strip()
    assert heard.timestamps == pytest.approx([0.04 * frame for frame in wanted["timestamps"]])
    assert heard.audio_seconds == 3
    assert heard.rtf == heard.seconds / 3


@pytest.mark.parametrize("kind", KINDS)
def test_sherpa_ncnn_hears_what_torch_hears(shared: Path, tmp_path: Path, kind: str) -> None:
    wanted = greedy(shared, kind)
    model = find_model(repaired(shared, tmp_path, kind))
    (heard,) = sherpa.decode(model, [shared / "vectors/speech.wav"], tail=wanted["tail_zeros"])
    assert list(heard.tokens) == wanted["ids"]
    assert heard.text == wanted["text"].strip()
    assert heard.timestamps == pytest.approx([0.04 * frame for frame in wanted["timestamps"]])


@pytest.mark.parametrize("kind", KINDS)
def test_beam_search_of_both(shared: Path, tmp_path: Path, kind: str) -> None:
    model = find_model(repaired(shared, tmp_path, kind))
    wavs = [shared / "vectors/speech.wav"]
    options = {"method": "modified-beam", "beam": 4}
    ours = hear(model, wavs, **options)
    assert told(ours) == told(sherpa.decode(model, wavs, **options))
    assert ours[0].tokens != hear(model, wavs)[0].tokens


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize(
    "options", [{}, *({"method": "modified-beam", "beam": beam} for beam in (2, 7))], ids=str
)
def test_both_hear_the_same(shared: Path, int8: bool, options: dict) -> None:
    model = sherpa_small(shared, int8=int8)
    wavs = [shared / f"golden/sherpa_small/w{number}.wav" for number in range(3)]
    assert told(hear(model, wavs, **options)) == told(sherpa.decode(model, wavs, **options))


def test_both_hear_the_same_of_what_quantize_makes(shared: Path, tmp_path: Path) -> None:
    model = sherpa_small(shared)
    folder = shared / "golden/sherpa_small"
    pairs = {}
    for name in ("enc", "joi"):
        net = load(folder / f"{name}.param", folder / f"{name}.bin")
        done = quantize(net.graph, Table.read(folder / f"{name}.table"))
        assert any(layer.int8 for layer in done.layers)
        pairs[name] = str(tmp_path / f"{name}.param"), str(tmp_path / f"{name}.bin")
        net.save(*pairs[name])
    model = replace(model, nets=model.nets._replace(encoder=pairs["enc"], joiner=pairs["joi"]))
    wavs = [folder / f"w{number}.wav" for number in range(3)]
    heard = hear(model, wavs)
    assert all(one.text for one in heard)
    assert told(heard) == told(sherpa.decode(model, wavs))


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_when_a_segment_is_run(shared: Path, extra: int) -> None:
    """sherpa-ncnn runs a segment only when a frame is behind it."""
    model = sherpa_small(shared)
    wav = shared / "golden/sherpa_small/w0.wav"
    samples = read_wav(wav)
    frames = len(samples) // 160
    segment, offset = 51, 32
    tail = (-(frames - segment) % offset + extra) * 160 - len(samples) % 160
    (ours,) = hear(model, [wav], tail)
    assert told([ours]) == told(sherpa.decode(model, [wav], tail=tail))


def test_partial_results(shared: Path) -> None:
    texts: list[str] = []
    wav = shared / "golden/sherpa_small/w0.wav"
    with Recognizer(sherpa_small(shared)) as recognizer:
        heard = recognizer.hear("w0", read_wav(wav), partial=lambda stream: texts.append(stream.text))
    texts.append(heard.text)
    assert texts[0] == ""
    assert len(set(texts)) > 5
    assert all(after.startswith(before) for before, after in pairwise(texts))


def test_two_streams_at_a_time(shared: Path) -> None:
    wavs = [shared / f"golden/sherpa_small/w{number}.wav" for number in range(2)]
    with Recognizer(sherpa_small(shared)) as recognizer:
        alone = [recognizer.hear("", read_wav(wav)).tokens for wav in wavs]
        streams = [recognizer.stream() for _ in wavs]
        samples = [read_wav(wav) for wav in wavs]
        for place in range(0, max(map(len, samples)), 1000):
            for stream, wave in zip(streams, samples, strict=True):
                stream.accept(wave[place : place + 1000])
        for stream in streams:
            stream.finish()
        assert [stream.tokens for stream in streams] == alone


def test_silence_is_no_text(shared: Path) -> None:
    with Recognizer(sherpa_small(shared)) as recognizer:
        stream: Stream = recognizer.stream()
        stream.accept(np.zeros(100, np.float32))
        stream.finish(tail=0)
    assert (stream.text, stream.tokens, stream.timestamps) == ("", (), ())


def test_a_method_that_is_none(shared: Path) -> None:
    with pytest.raises(ConfigError, match="no method 'gredy'") as caught:
        Recognizer(sherpa_small(shared), method="gredy")
    assert "did you mean greedy?" in str(caught.value)


def test_tokens_of_another_model(shared: Path) -> None:
    wrong = replace(sherpa_small(shared), tokens=str(shared / "vectors/tokens.txt"))
    with pytest.raises(ConfigError, match="has 40 tokens, and the joiner gives 500 logits"):
        Recognizer(wrong)


def test_an_encoder_without_metadata(shared: Path) -> None:
    model = sherpa_small(shared)
    wrong = ModelFiles(model.nets._replace(encoder=model.nets.joiner), model.tokens)
    with pytest.raises(MetadataError, match="has no SherpaMetaData"):
        Recognizer(wrong)
