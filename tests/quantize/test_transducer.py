"""Greedy search and the tables of a transducer, against sherpa-ncnn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load, loads, save
from ncnnparam.errors import MetadataError
from ncnnparam.passes.pnnx import named_target, read_pnnx, repair
from ncnnparam.quantize.calibrate import prepare_transducer
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.runners import Pair
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import PARAM, Table
from ncnnparam.quantize.wavs import wav_items
from ncnnparam.runtime.session import Session
from ncnnparam.speech import from_layer, inject
from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.features import fbank
from ncnnparam.speech.streaming import streaming
from ncnnparam.speech.transducer import Transducer

pytest.importorskip("kaldi_native_fbank")
pytest.importorskip("soundfile")
NEAR = 5e-3
TAIL = 4800
"""Zeros that the sherpa-ncnn command adds to a wav."""


def nets(shared: Path) -> tuple[Pair, Pair, Pair]:
    folder = shared / "golden/sherpa_small"
    encoder, decoder, joiner = (
        (str(folder / f"{name}.param"), str(folder / f"{name}.bin")) for name in ("enc", "dec", "joi")
    )
    return encoder, decoder, joiner


def test_features_are_those_of_sherpa_ncnn(shared: Path) -> None:
    samples = read_wav(shared / "vectors/speech.wav")
    features = fbank(np.concatenate([samples, np.zeros(8000, np.float32)]))
    assert features == pytest.approx(np.load(shared / "vectors/speech_fbank.npy"), abs=1e-5)


@pytest.mark.parametrize(("wavs", "suffix"), [("wavs.txt", ""), ("wavs1.txt", "1")])
def test_tables_are_those_of_generate_int8_scale_table(shared: Path, wavs: str, suffix: str) -> None:
    folder = shared / "golden/sherpa_small"
    runner, encoder, joiner = prepare_transducer(*nets(shared), compat=True)
    statistics = Statistics()
    collect(runner, wav_items(folder / wavs).good, statistics)
    for part, name in ((encoder, "enc"), (joiner, "joi")):
        made, wanted = part.table(statistics), Table.read(folder / f"{name}{suffix}.table")
        assert list(made) == list(wanted)
        for key, scales in wanted.items():
            if PARAM in key:
                assert made.row(key).words == wanted.row(key).words
            else:
                assert made[key] == pytest.approx(scales, rel=NEAR)


@pytest.mark.parametrize("name", ["w0.wav", "w1.wav"])  # in w2.wav two logits are only 2e-5 apart
def test_text_is_that_of_sherpa_ncnn(shared: Path, name: str) -> None:
    folder = shared / "golden/sherpa_small"
    encoder, decoder, joiner = nets(shared)
    runner, _, _ = prepare_transducer(encoder, decoder, joiner)
    tokens = [line.split()[0] for line in (folder / "tokens.txt").read_text("utf-8").splitlines()]
    said = dict(line.split("\t") for line in (folder / "say.fp32.txt").read_text("utf-8").splitlines())
    transducer = Transducer(
        Session(*encoder, runner.types), Session(*decoder), Session(*joiner), streaming(runner.metadata)
    )
    samples = np.concatenate([read_wav(folder / name), np.zeros(TAIL, np.float32)])
    found = transducer.search(fbank(samples))
    transducer.close()
    assert "".join(tokens[token] for token in found).replace("▁", " ").strip() == said[name].strip()


@pytest.mark.parametrize("model", ["conv-emformer", "lstm", "zipformer"])
@pytest.mark.parametrize("target", ["ncnn", "sherpa-ncnn"])
def test_tokens_are_those_of_torch(shared: Path, tmp_path: Path, model: str, target: str) -> None:
    raw = shared / "vectors" / model / "raw/fp32"
    about = json.loads((shared / "vectors" / model / "meta.json").read_text())
    wanted = json.loads((shared / "vectors" / model / "greedy.json").read_text())
    pnnx = read_pnnx(raw / "encoder_jit_trace_pnnx.pnnx.param")
    name = "{}_jit_trace_pnnx.ncnn.{}"
    broken = load(*(raw / name.format("encoder", ending) for ending in ("param", "bin")))
    repaired = repair(broken, pnnx, named_target(target)).model
    layer = loads(f"7767517\n1 0\n{about['sherpa_meta_data']}\n").graph.layer("sherpa_meta_data1")
    inject(repaired.graph, from_layer(layer))
    encoder = str(tmp_path / "e.param"), str(tmp_path / "e.bin")
    save(repaired, *encoder)
    decoder, joiner = (
        (str(raw / name.format(net, "param")), str(raw / name.format(net, "bin")))
        for net in ("decoder", "joiner")
    )
    runner, _, _ = prepare_transducer(encoder, decoder, joiner)
    nets = Session(*encoder, runner.types), Session(*decoder), Session(*joiner)
    transducer = Transducer(*nets, streaming(runner.metadata))
    samples = read_wav(shared / "vectors/speech.wav")
    tail = np.zeros(wanted["tail_zeros"], np.float32)
    assert transducer.search(fbank(np.concatenate([samples, tail]))) == wanted["ids"]
    transducer.close()


def test_an_encoder_without_metadata(shared: Path) -> None:
    _, decoder, joiner = nets(shared)
    with pytest.raises(MetadataError, match="has no SherpaMetaData"):
        prepare_transducer(joiner, decoder, joiner)
