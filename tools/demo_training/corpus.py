"""Features of spoken sentences, made by several processes and kept in a file."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from demo_training.disturb import NOISES, colour, disturb
from demo_training.sentences import any_order, sentence
from demo_training.speech import RATE, Samples, speak
from demo_training.voices import HELD_OUT, VARIANTS, speaking, training_voice
from ncnnparam.speech.features import fbank

TAIL = (0.3, 0.5)
"""Seconds of zeros after the end, least and most: what decoders add so that the last words are heard."""
_ANY_ORDER = 0.15
"""Share of training in which words stand in any order."""
_BABBLE = 24
"""Utterances that babble is made of."""
_AT_ONCE = 16


@dataclass(frozen=True)
class Utterance:
    """What was said, and the samples."""

    text: str
    voice: str
    samples: Samples


@dataclass
class Corpus:
    """Utterances as features.

    Attributes:
        texts: What was said in each.
        voices: By whom.
        features: float16, (frames, 80) of each; the zeros after its end are among them.
    """

    texts: list[str]
    voices: list[str]
    features: list[torch.Tensor]

    @property
    def hours(self) -> float:
        """How long all of it is, in hours."""
        return sum(len(each) for each in self.features) / 100 / 3600


def training_utterance(seed: int, number: int) -> Utterance:
    """Utterance `number` of training: a voice of training, two in three of them with noise."""
    random = np.random.default_rng((seed, number))
    text = any_order(random) if random.random() < _ANY_ORDER else sentence(random)
    how = speaking(training_voice(random), random)
    samples = colour(speak(text, how, random.uniform(0.9, 1.1)), random)
    kind = random.choice(NOISES, p=(0.34, 0.22, 0.22, 0.22))
    return Utterance(text, how.voice, disturb(samples, kind, random.uniform(5, 30), random, babble(seed)))


def test_utterance(seed: int, number: int) -> Utterance:
    """Utterance `number` of the test: a held-out voice, half of them with noise."""
    random = np.random.default_rng((seed, number))
    text = sentence(random)
    how = speaking(HELD_OUT[number % len(HELD_OUT)], random)
    kind = random.choice(NOISES, p=(0.5, 0.2, 0.2, 0.1))
    return Utterance(
        text, how.voice, disturb(speak(text, how), kind, random.uniform(12, 30), random, babble(seed))
    )


@cache
def babble(seed: int) -> list[Samples]:
    """Speech of training voices that stands in the background of others."""
    random = np.random.default_rng(seed)
    voices = random.choice(VARIANTS, size=_BABBLE)
    return [speak(sentence(random), speaking(f"en-us+{voice}", random)) for voice in voices]


def padded(samples: Samples, random: np.random.Generator) -> Samples:
    """Samples as a decoder sees them, with zeros after the end."""
    return np.pad(samples, (0, int(random.uniform(*TAIL) * RATE)))


def training(count: int, seed: int, cache_folder: Path) -> Corpus:
    """The corpus that is trained on; made if `cache_folder` has none of this count, seed and code."""
    made = hashlib.sha256(f"{count} {seed}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        if source.stem in ("sentences", "voices", "speech", "disturb", "corpus"):
            made.update(source.read_bytes())
    path = cache_folder / f"corpus-{made.hexdigest()[:12]}.pt"
    if path.exists():
        return Corpus(**torch.load(path, weights_only=True))
    corpus = collect(_in_parallel(partial(_training_item, seed), count))
    cache_folder.mkdir(parents=True, exist_ok=True)
    torch.save(vars(corpus), path)
    return corpus


def test(count: int, seed: int) -> Corpus:
    """The corpus that is measured on."""
    return collect(_in_parallel(partial(_test_item, seed), count))


Item = tuple[str, str, npt.NDArray[np.float16]]


def collect(items: Iterator[Item]) -> Corpus:
    """Items as a corpus."""
    corpus = Corpus([], [], [])
    for text, voice, features in items:
        corpus.texts.append(text)
        corpus.voices.append(voice)
        corpus.features.append(torch.from_numpy(features))
    return corpus


def _training_item(seed: int, number: int) -> Item:
    return _item(training_utterance(seed, number), np.random.default_rng((seed, number, 1)))


def _test_item(seed: int, number: int) -> Item:
    return _item(test_utterance(seed, number), np.random.default_rng((seed, number, 1)))


def _item(spoken: Utterance, random: np.random.Generator) -> Item:
    return spoken.text, spoken.voice, fbank(padded(spoken.samples, random)).astype(np.float16)


def _in_parallel(make: partial[Item], count: int) -> Iterator[Item]:
    with multiprocessing.Pool() as pool:
        yield from pool.imap(make, range(count), _AT_ONCE)
