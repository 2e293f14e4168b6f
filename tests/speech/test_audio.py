"""Audio is read, or refused for a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.speech.audio import read_wav
from tests.speech.wavs import SPEECH, write

soundfile = pytest.importorskip("soundfile")


def test_a_good_one(tmp_path: Path) -> None:
    samples = read_wav(write(tmp_path / "a.wav"))
    assert np.array_equal(samples, SPEECH.astype(np.float32) / 32768)


def test_chunks_before_the_data(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    content = path.read_bytes()
    path.write_bytes(content[:36] + b"LIST\x03\x00\x00\x00abc\x00" + content[36:])
    assert len(read_wav(path)) == len(SPEECH)
