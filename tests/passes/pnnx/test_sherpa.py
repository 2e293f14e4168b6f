"""Repaired encoders in the real sherpa-ncnn: the text that greedy search in PyTorch gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ncnnparam.model import Model, loads, save
from ncnnparam.speech import from_layer, inject, verify

from .vectors import KINDS, Vectors

pytest.importorskip("sherpa_ncnn")

DECODE = """if True:
    import json, sys, wave
    import numpy as np
    import sherpa_ncnn
    files, wav, zeros = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    recognizer = sherpa_ncnn.Recognizer(**files, num_threads=1)
    with wave.open(wav) as sound:
        data = sound.readframes(sound.getnframes())
    samples = np.frombuffer(data, dtype=np.int16).astype(np.float32) / 32768
    recognizer.accept_waveform(16000, samples)
    recognizer.accept_waveform(16000, np.zeros(zeros, dtype=np.float32))
    recognizer.input_finished()
    print("TEXT" + recognizer.text)
"""


@pytest.mark.parametrize("storage", ["fp32", "fp16"])
@pytest.mark.parametrize("kind", KINDS)
def test_text(kind: str, storage: str, shared: Path, tmp_path: Path) -> None:
    vectors = Vectors(shared / "vectors" / kind)
    repaired = vectors.repair("sherpa-ncnn", storage).model
    model = Model(repaired.graph.copy(), file=repaired.file)
    metadata = from_layer(loads(f"7767517\n1 0\n{vectors.meta['sherpa_meta_data']}\n").graph.layers[0])
    assert verify(metadata, model.graph) == []
    inject(model.graph, metadata)
    param, weights = tmp_path / "encoder.param", tmp_path / "encoder.bin"
    save(model, param, weights)
    files = {
        "tokens": str(shared / "vectors/tokens.txt"),
        "encoder_param": str(param),
        "encoder_bin": str(weights),
    }
    for part in ("decoder", "joiner"):
        for end in ("param", "bin"):
            files[f"{part}_{end}"] = str(vectors.folder / f"raw/fp32/{part}_jit_trace_pnnx.ncnn.{end}")
    greedy = json.loads((vectors.folder / "greedy.json").read_text())
    wav = shared / "vectors/speech.wav"
    done = subprocess.run(
        [sys.executable, "-c", DECODE, json.dumps(files), str(wav), str(greedy["tail_zeros"])],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    texts = [line.removeprefix("TEXT") for line in done.stdout.splitlines() if line.startswith("TEXT")]
    assert texts == [greedy["text"]], done.stderr[-500:]
