"""Features, against those of sherpa-ncnn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.features import Fbank, fbank

pytest.importorskip("kaldi_native_fbank")
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 8000).astype(np.float32)


def test_features_are_those_of_sherpa_ncnn(shared: Path) -> None:
    samples = read_wav(shared / "vectors/speech.wav")
    features = fbank(np.concatenate([samples, np.zeros(8000, np.float32)]))
    assert features == pytest.approx(np.load(shared / "vectors/speech_fbank.npy"), abs=1e-5)


@pytest.mark.parametrize("piece", [1, 160, 333, 7999])
def test_bit_by_bit(piece: int) -> None:
    features = Fbank()
    found: list[np.ndarray] = []
    for place in range(0, len(NOISE), piece):
        features.accept(NOISE[place : place + piece])
        found.append(features.frames(sum(map(len, found)), len(features)))
    features.finish()
    found.append(features.frames(sum(map(len, found)), len(features)))
    assert np.array_equal(np.concatenate(found), fbank(NOISE))


def test_nothing() -> None:
    assert fbank(NOISE[:0]).shape == (0, 80)
