"""An utterance that is heard bit by bit: samples in, tokens out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.speech.features import Fbank
from ncnnparam.speech.flags import SUBSAMPLING
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.nets import Nets, Search
from ncnnparam.speech.streaming import SAMPLE_RATE
from ncnnparam.speech.tokens import to_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAIL = 4800
"""Zeros behind the samples, so that the last word comes out: 0.3 s, as sherpa-ncnn's own command has it."""

PIECE = SAMPLE_RATE // 10
"""Samples that ``listen`` takes at a time."""


class Stream:
    """An utterance, as far as it was heard.

    Args:
        nets: The transducer.
        search: What looks for its tokens, at its begin.
        words: What the tokens are called.
    """

    def __init__(self, nets: Nets, search: Search, words: Mapping[int, str] | None = None) -> None:
        self._nets, self._search = nets, search
        self._words = words or {}
        self._features = Fbank()
        self._states = nets.how.zeros()
        self._start = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens that were found so far."""
        return tuple(self._search.tokens)

    @property
    def timestamps(self) -> tuple[float, ...]:
        """When each token was found, in seconds from the begin: 0.04 for an encoder frame."""
        return tuple(SUBSAMPLING * frame / 100 for frame in self._search.frames)

    @property
    def text(self) -> str:
        """The text that was found so far."""
        return to_text(self._search.tokens, self._words)

    def accept(self, samples: NDArray[np.float32]) -> None:
        """Listens on.

        Args:
            samples: Of 16 kHz, between -1 and 1.
        """
        self._features.accept(samples)
        self._listen()

    def finish(self, tail: int = TAIL) -> None:
        """Says that there are no more samples.

        Args:
            tail: Zeros to put behind them.
        """
        self._features.accept(np.zeros(tail, np.float32))
        self._features.finish()
        self._listen()

    def _listen(self) -> None:
        how = self._nets.how
        while how.ready(self._start, len(self._features)):
            features = self._features.frames(self._start, self._start + how.segment)
            frames, self._states = self._nets.encode(features, self._states)
            for frame in frames:
                self._search.advance(frame)
            self._start += how.offset


def listen(
    begin: Callable[[], Stream],
    name: str,
    samples: NDArray[np.float32],
    *,
    tail: int = TAIL,
    partial: Callable[[Stream], object] | None = None,
) -> Heard:
    """Hears a whole utterance, and takes the time; see ``Recognizer.hear``."""
    start = time.perf_counter()
    stream = begin()
    for place in range(0, len(samples), PIECE):
        stream.accept(samples[place : place + PIECE])
        if partial is not None:
            partial(stream)
    stream.finish(tail)
    seconds = time.perf_counter() - start
    return Heard(name, stream.tokens, stream.text, stream.timestamps, seconds, len(samples) / SAMPLE_RATE)
