"""Tokens spread over the speech: found by loudness, in order, silence around them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")


def test_tokens_stand_in_order_where_it_is_loud(training: SimpleNamespace) -> None:
    generator = torch.Generator().manual_seed(4)
    features = torch.randn(1, 200, 80, generator=generator) * 0.5 - 12
    features[:, 40:120] += 8
    features[:, 160:] = training.batches.SILENCE
    assert training.spread.speech(features[0]) == (40, 119)
    batch = training.batches.Batch(
        features, torch.tensor([200]), torch.tensor([[7, 9, 7, 5]]), torch.tensor([4])
    )
    (target,) = training.spread.spread(batch, 48)
    values, counts = torch.unique_consecutive(target, return_counts=True)
    assert values.tolist() == [0, 7, 9, 7, 5, 0]
    assert counts.tolist() == [12, 5, 5, 5, 4, 17]
