"""What a room and a microphone do to speech: silence around it, noise, another sound, another loudness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from demo_training.speech import RATE, Samples, fast_length

NOISES = ("none", "white", "pink", "babble")
_TILT = 6.0
"""Decibels by which low and high frequencies are at most raised or lowered."""
_BANDS = 6


def surround(samples: Samples, random: Generator) -> Samples:
    """Silence of up to 0.4 s before, and of up to 0.3 s after it."""
    before, after = int(random.uniform(0.02, 0.4) * RATE), int(random.uniform(0.0, 0.3) * RATE)
    return np.pad(samples, (before, after))


def colour(samples: Samples, random: Generator) -> Samples:
    """Another microphone: a smooth curve over the frequencies, drawn at a few of them."""
    length = fast_length(len(samples))
    spectrum = np.fft.rfft(samples, length)
    places = np.linspace(0, 1, len(spectrum)) ** 0.5
    decibels = np.interp(places, np.linspace(0, 1, _BANDS), random.uniform(-_TILT, _TILT, _BANDS))
    coloured = np.fft.irfft(spectrum * 10 ** (decibels / 20), length)
    return coloured.astype(np.float32)[: len(samples)]


def noise(kind: str, length: int, random: Generator, babble: list[Samples]) -> Samples:
    """Noise of a root mean square of 1.

    Args:
        kind: "white", "pink" (equal power in each octave) or "babble".
        length: Samples.
        random: What it is drawn with.
        babble: Other speech; three pieces of it make babble.
    """
    if kind == "babble":
        made = np.zeros(length, np.float32)
        for piece in random.choice(len(babble), size=3):
            made += np.roll(np.resize(babble[piece], length), random.integers(length))
    else:
        made = random.standard_normal(fast_length(length), np.float32)
        if kind == "pink":
            spectrum = np.fft.rfft(made)
            spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
            made = np.fft.irfft(spectrum, len(made)).astype(np.float32)
        made = made[:length]
    return made / np.float32(root_mean_square(made))


def disturb(speech: Samples, kind: str, ratio: float, random: Generator, babble: list[Samples]) -> Samples:
    """Speech with silence around it, of another loudness, with noise.

    Args:
        speech: As `speech.speak` makes it.
        kind: One of `NOISES`.
        ratio: Signal to noise, in decibels.
        random: What the rest is drawn with.
        babble: Other speech.

    Returns:
        Samples that 16 bits can hold.
    """
    level = root_mean_square(speech)
    samples = surround(speech, random)
    if kind != "none":
        samples = samples + noise(kind, len(samples), random, babble) * np.float32(level / 10 ** (ratio / 20))
    peak = 10 ** random.uniform(-1.3, -0.05)
    return samples * np.float32(peak / np.abs(samples).max())


def root_mean_square(samples: npt.NDArray[np.float32]) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(samples**2)))
