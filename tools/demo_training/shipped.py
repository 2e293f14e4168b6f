"""The shipped recordings: some by held-out voices, to try the models with, and some to calibrate with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from demo_training.corpus import babble
from demo_training.disturb import disturb
from demo_training.speech import RATE, speak
from demo_training.voices import HELD_OUT, Speaking, training_voice

TEST = (
    ("turn on the light in the kitchen", "none"),
    ("seven three nine one", "none"),
    ("what time is it", "pink"),
    ("set a timer for five minutes", "none"),
    ("call number two zero four", "none"),
    ("play music volume down", "white"),
    ("close the window", "none"),
    ("good morning what is the weather today", "babble"),
    ("make it warmer in the bedroom", "none"),
    ("lock the door good night", "none"),
    ("eight six zero five", "pink"),
    ("switch the garden lamp off", "none"),
)
"""What is said in the test, and the noise."""

CALIBRATION = (
    ("turn off the heating", "none"),
    ("five zero two six", "white"),
    ("open the door", "none"),
    ("set the hall light to green", "pink"),
    ("next song", "none"),
    ("one four nine eight", "babble"),
)
"""Likewise, for calibration; voices of training say it."""

_RATIO = 18.0
"""Signal to noise, in decibels."""
_SPEED, _PITCH = 150, 50


def write(folder: Path, seed: int) -> None:
    """Write `test` and `calibration` into a folder: wavs of 16 bits, and `transcripts.txt`."""
    random = np.random.default_rng(seed)
    voices = [HELD_OUT[index % len(HELD_OUT)] for index in range(len(TEST))]
    _write(folder / "test", TEST, voices, seed)
    _write(folder / "calibration", CALIBRATION, [training_voice(random) for _ in CALIBRATION], seed)


def _write(folder: Path, said: tuple[tuple[str, str], ...], voices: list[str], seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, ((text, noise), voice) in enumerate(zip(said, voices, strict=True), 1):
        random = np.random.default_rng((seed, number))
        spoken = speak(text, Speaking(voice, _SPEED, _PITCH))
        name = f"{number:02}.wav"
        samples = disturb(spoken, noise, _RATIO, random, babble(seed))
        soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
        lines.append(f"{name} {text}\n")
    (folder / "transcripts.txt").write_text("".join(lines), encoding="utf-8")
