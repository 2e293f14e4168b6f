"""The shipped recordings: some by held-out voices, to try the models with, and some to calibrate with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from demo_training.corpus import babble
from demo_training.disturb import disturb
from demo_training.sentences import sentence
from demo_training.speech import RATE, speak
from demo_training.voices import HELD_OUT, Speaking, training_voice

TEST, CALIBRATION = 12, 6
"""Recordings of each kind."""
_WORDS = range(4, 8)
"""Words of a recording."""
_NOISES = ("none", "white", "none", "none", "pink", "none", "babble")
_RATIO = 20.0
"""Signal to noise, in decibels."""
_SPEED, _PITCH = 155, 50


def write(folder: Path, seed: int) -> None:
    """Write `test` and `calibration` into a folder: wavs of 16 bits, and `transcripts.txt`."""
    random = np.random.default_rng(seed)
    _write(folder / "test", [HELD_OUT[number % len(HELD_OUT)] for number in range(TEST)], random, seed)
    _write(folder / "calibration", [training_voice(random) for _ in range(CALIBRATION)], random, seed)


def _write(folder: Path, voices: Sequence[str], random: Generator, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, voice in enumerate(voices):
        text = sentence(random)
        while len(text.split()) not in _WORDS:
            text = sentence(random)
        spoken = speak(text, Speaking(voice, _SPEED, _PITCH))
        samples = disturb(spoken, _NOISES[number % len(_NOISES)], _RATIO, random, babble(seed))
        name = f"{number + 1:02}.wav"
        soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
        lines.append(f"{name} {text}\n")
    (folder / "transcripts.txt").write_text("".join(lines), encoding="utf-8")
