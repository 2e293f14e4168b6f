"""Wavs for tests: good ones, and with odd rates, channels or samples."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

SPEECH = (np.sin(np.arange(16_000) / 9) * 9000).astype(np.int16)
"""A second of 16 kHz."""


def write(path: Path, samples: np.ndarray = SPEECH, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
