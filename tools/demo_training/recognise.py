"""Words that a transducer hears, and how many of them are wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import kaldialign
import torch
from demo_transducer.transducer import Transducer
from torch import Tensor

from demo_training.corpus import Corpus


@torch.no_grad()
def recognise(model: Transducer, features: Tensor, text: Callable[[list[int]], str]) -> str:
    """What a model hears, by streaming greedy search.

    Args:
        model: The model.
        features: (frames, 80).
        text: Text of tokens.
    """
    frames = model.encoder.frames(torch.tensor(len(features)))
    return text(model.search(model.encoder.encode(features[None].float())[0, :frames]))


def errors_by_voice(
    model: Transducer, corpus: Corpus, text: Callable[[list[int]], str]
) -> dict[str, tuple[int, int]]:
    """Wrong words and all words of each voice."""
    errors: dict[str, int] = defaultdict(int)
    words: dict[str, int] = defaultdict(int)
    for said, voice, features in zip(corpus.texts, corpus.voices, corpus.features, strict=True):
        heard = recognise(model, features, text)
        errors[voice] += kaldialign.edit_distance(said.split(), heard.split())["total"]
        words[voice] += len(said.split())
    return {voice: (errors[voice], words[voice]) for voice in sorted(words)}


def word_error_rate(counts: Iterable[tuple[int, int]]) -> float:
    """Wrong words by all words, in percent."""
    wrong, words = (sum(numbers) for numbers in zip(*counts, strict=True))
    return 100 * wrong / words
