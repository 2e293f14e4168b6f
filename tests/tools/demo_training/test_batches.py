"""Batches: every utterance once, none longer than asked for, padding and masks where they belong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture
def utterances() -> tuple[list[Any], list[Any]]:
    generator = torch.Generator().manual_seed(5)
    lengths = torch.randint(20, 200, (50,), generator=generator).tolist()
    features = [torch.full((length, 80), float(length), dtype=torch.float16) for length in lengths]
    return features, [torch.full((1 + length // 40,), length) for length in lengths]


@pytest.mark.parametrize("shortest_first", [False, True])
def test_every_utterance_once(
    training: SimpleNamespace, utterances: tuple[list[Any], list[Any]], shortest_first: bool
) -> None:
    features, tokens = utterances
    generator = torch.Generator().manual_seed(1)
    made = list(training.batches.batches(features, tokens, 1000, generator, shortest_first=shortest_first))
    seen = [length for batch in made for length in batch.frames.tolist()]
    assert sorted(seen) == sorted(map(len, features))
    for batch in made:
        assert batch.features.shape[0] * batch.features.shape[1] <= 1000
        for row, frames, said, count in zip(
            batch.features, batch.frames, batch.tokens, batch.lengths, strict=True
        ):
            assert (row[:frames] == float(frames)).all()
            assert (row[frames:] == training.batches.SILENCE).all()
            assert count == 1 + frames // 40
            assert (said[:count] == frames).all()
    mean_first = sum(seen[:10]) / 10
    assert (mean_first < 60) is shortest_first


def test_masks_hide_a_band_and_a_moment(training: SimpleNamespace) -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(40, 100, 80, generator=generator)
    count = torch.full((40,), 90)
    batch = training.batches.Batch(features, count, torch.zeros(40, 1), torch.ones(40))
    masked = training.batches.mask(batch, generator).features
    changed = masked != features
    whole_bins = changed[:, :90].all(dim=1).sum(dim=1)
    whole_frames = changed.all(dim=2).sum(dim=1)
    assert 0 < whole_bins.max() <= 8
    assert 0 < whole_frames.max() <= 8
    assert whole_bins.float().mean() > 2
    assert not (changed[:, 90:] & ~changed[:, 90:].all(dim=2, keepdim=True)).any()
