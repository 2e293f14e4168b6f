"""Batches of utterances of about the same length, with parts of their features masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

SILENCE = -15.9424
"""A log mel feature of zeros: the logarithm of the smallest number that kaldi adds."""
_FREQUENCIES, _FRAMES = 8, 8
"""Bins and frames that are at most masked at a time."""


@dataclass(frozen=True)
class Batch:
    """Utterances side by side.

    Attributes:
        features: (batch, most frames, 80).
        frames: (batch,): feature frames of each.
        tokens: (batch, most tokens).
        lengths: (batch,): tokens of each.
    """

    features: Tensor
    frames: Tensor
    tokens: Tensor
    lengths: Tensor


def batches(
    features: list[Tensor],
    tokens: list[Tensor],
    most: int,
    generator: torch.Generator,
    *,
    shortest_first: bool = False,
) -> Iterator[Batch]:
    """All utterances in batches of at most `most` frames, padding included, in random order or by length."""
    # Lengths with some noise, so that an utterance has other neighbours each time.
    noisy = torch.tensor([len(each) for each in features]) * (
        1 + 0.1 * torch.rand(len(features), generator=generator)
    )
    groups: list[list[int]] = [[]]
    longest = 0
    for index in noisy.argsort().tolist():
        longest = max(longest, len(features[index]))
        if groups[-1] and longest * (len(groups[-1]) + 1) > most:
            groups.append([])
            longest = len(features[index])
        groups[-1].append(index)
    order = (
        range(len(groups)) if shortest_first else torch.randperm(len(groups), generator=generator).tolist()
    )
    for group in order:
        yield _batch([features[index] for index in groups[group]], [tokens[index] for index in groups[group]])


def mask(batch: Batch, generator: torch.Generator) -> Batch:
    """The batch with a band of frequencies and one of time of each utterance set to its mean."""
    features = batch.features.clone()
    for utterance, frames in zip(features, batch.frames.tolist(), strict=True):
        mean = utterance[:frames].mean()
        width, place = _draw(_FREQUENCIES, features.shape[2], generator)
        utterance[:frames, place : place + width] = mean
        width, place = _draw(_FRAMES, frames, generator)
        utterance[place : place + width] = mean
    return Batch(features, batch.frames, batch.tokens, batch.lengths)


def _batch(features: list[Tensor], tokens: list[Tensor]) -> Batch:
    pad = torch.nn.utils.rnn.pad_sequence
    return Batch(
        pad([each.float() for each in features], batch_first=True, padding_value=SILENCE),
        torch.tensor([len(each) for each in features]),
        pad(tokens, batch_first=True),
        torch.tensor([len(each) for each in tokens]),
    )


def _draw(most: int, size: int, generator: torch.Generator) -> tuple[int, int]:
    width = int(torch.randint(most + 1, (), generator=generator))
    return width, int(torch.randint(size - width, (), generator=generator))
