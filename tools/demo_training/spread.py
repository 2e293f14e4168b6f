"""Where in an utterance each token may be, guessed from its loudness: what a model starts to learn from.

Both losses sum over all alignments, and a model that knows nothing finds none of them better: for long it
learns only what is commonly said, and to be silent. So the first steps learn from one alignment, the tokens
spread evenly over the speech, as hidden Markov models are started.
"""

from __future__ import annotations

import torch
from torch import Tensor

from demo_training.batches import Batch

DELAY = 8
"""Feature frames by which a token may be told after it was said: an encoder hears little or nothing ahead."""
_SUBSAMPLING = 4


def spread(batch: Batch, frames: int) -> Tensor:
    """The token of each encoder frame, (batch, frames); 0 before and after the speech."""
    targets = torch.zeros(len(batch.features), frames, dtype=torch.int64)
    for target, features, length, tokens, count in zip(
        targets, batch.features, batch.frames.tolist(), batch.tokens, batch.lengths.tolist(), strict=True
    ):
        first, last = (int((place + DELAY) / _SUBSAMPLING) for place in speech(features[:length]))
        last = min(last, frames - 1)
        if first < last:
            places = torch.linspace(0, count, last - first + 1)[:-1].long()
            target[first:last] = tokens[places]
    return targets


def speech(features: Tensor) -> tuple[int, int]:
    """The first and the last loud frame of features (frames, 80) that end with zeros."""
    loudness = features.mean(dim=1)
    heard = loudness[loudness > loudness[-1] + 0.5]
    threshold = (heard.quantile(0.1) + heard.quantile(0.9)) / 2
    loud = (loudness > threshold).nonzero()
    return int(loud[0]), int(loud[-1])
