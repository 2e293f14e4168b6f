"""Audio is read, or refused for a reason."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.speech.audio import read_wav

soundfile = pytest.importorskip("soundfile")
SPEECH = (np.sin(np.arange(16_000) / 9) * 9000).astype(np.int16)


def write(path: Path, samples: np.ndarray = SPEECH, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def test_a_good_one(tmp_path: Path) -> None:
    samples = read_wav(write(tmp_path / "a.wav"))
    assert np.array_equal(samples, SPEECH.astype(np.float32) / 32768)


def test_chunks_before_the_data(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    content = path.read_bytes()
    path.write_bytes(content[:36] + b"LIST\x03\x00\x00\x00abc\x00" + content[36:])
    assert len(read_wav(path)) == len(SPEECH)
