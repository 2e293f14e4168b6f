"""Synthetic speech: what is said, resampling, noise of the right loudness."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest


def test_sentences_are_the_same_for_a_seed_and_use_every_word(training: SimpleNamespace) -> None:
    def some(seed: int) -> list[str]:
        random = np.random.default_rng(seed)
        return [training.sentences.sentence(random) for _ in range(2000)]

    first = some(1)
    assert first == some(1) != some(2)
    words = {word for sentence in first for word in sentence.split()}
    known = training.sentences
    for group in (known.DIGITS, known.DEVICES, known.ROOMS, known.OPENINGS, known.COLOURS, known.PLAIN):
        assert {word for phrase in group for word in phrase.split()} <= words


def test_held_out_voices_are_in_no_accent_of_training(training: SimpleNamespace) -> None:
    held_out = {voice.split("+")[1] for voice in training.voices.HELD_OUT}
    assert not held_out & set(training.voices.VARIANTS)


@pytest.mark.parametrize("factor", [16000 / 22050, 0.5, 1.37])
def test_resampled_is_the_same_tone(training: SimpleNamespace, factor: float) -> None:
    def tone(length: int, cycles_per_sample: float) -> np.ndarray:
        return np.sin(2 * np.pi * cycles_per_sample * np.arange(length)).astype(np.float32)

    made = training.speech.resample(tone(20000, 0.01), factor)
    assert len(made) == round(20000 * factor)
    middle = slice(len(made) // 4, 3 * len(made) // 4)
    np.testing.assert_allclose(made[middle], tone(len(made), 0.01 / factor)[middle], atol=0.01)


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
def test_noise_has_the_ratio_asked_for(training: SimpleNamespace, kind: str) -> None:
    random = np.random.default_rng(1)
    babble = [random.standard_normal(4000, np.float32) for _ in range(3)]
    made = training.disturb.noise(kind, 16001, random, babble)
    assert len(made) == 16001
    assert training.disturb.root_mean_square(made) == pytest.approx(1, abs=1e-3)


def test_pink_noise_has_equal_power_in_each_octave(training: SimpleNamespace) -> None:
    made = training.disturb.noise("pink", 1 << 16, np.random.default_rng(1), [])
    power = np.abs(np.fft.rfft(made)) ** 2
    octaves = [power[1 << octave : 2 << octave].sum() for octave in range(8, 15)]
    assert max(octaves) < 1.5 * min(octaves)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_speech_is_the_same_each_time_and_slower_when_stretched(training: SimpleNamespace) -> None:
    how = training.voices.Speaking("en-us+f3", 150, 50)
    spoken = training.speech.speak("seven", how)
    assert np.array_equal(spoken, training.speech.speak("seven", how))
    assert np.abs(spoken).max() == pytest.approx(0.5)
    assert 0.2 * 16000 < len(spoken) < 0.8 * 16000
    slower = training.speech.speak("seven", how, stretch=1.1)
    assert len(slower) / len(spoken) == pytest.approx(1.1, rel=0.02)
