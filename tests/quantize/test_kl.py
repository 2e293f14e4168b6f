"""All thresholds at once give what the definition gives one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.quantize.kl import STEPS, kl_divergences

FLOOR = 1e-4


def plain(counts: list[float], threshold: int) -> float:
    """The divergence by its definition, bin by bin."""
    total = sum(counts)
    shares = [float(np.float32(count / total)) for count in counts]
    clipped = [share + FLOOR for share in shares[:threshold]]
    clipped[-1] += sum(shares[threshold:])
    width = threshold / STEPS
    spread = [FLOOR] * threshold
    for step in range(STEPS):
        begin, end = step * width, (step + 1) * width
        parts = {
            bin: min(end, bin + 1) - max(begin, bin)
            for bin in range(int(begin), min(math.ceil(end), threshold))
        }
        level = sum(shares[bin] * part for bin, part in parts.items()) / width
        for bin, part in parts.items():
            spread[bin] += level * part
    return sum(p * math.log(p / q) for p, q in zip(clipped, spread, strict=True))


@given(
    seed=st.integers(0, 2**32 - 1),
    bins=st.integers(STEPS + 1, 420),
    density=st.sampled_from([0.02, 0.5, 1.0]),
    threshold=st.integers(0, 10_000),
)
def test_equals_the_definition(seed: int, bins: int, density: float, threshold: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(1, 1000, bins) * (random.random(bins) < density).astype(float)
    counts[random.integers(bins)] = 5
    divergences = kl_divergences(counts)
    assert divergences.shape == (bins - STEPS,)
    index = threshold % len(divergences)
    assert divergences[index] == pytest.approx(plain(list(counts), STEPS + index), abs=1e-6)


def test_no_loss_is_no_divergence() -> None:
    counts = np.zeros(2048)
    counts[:STEPS] = np.tile([1.0, 9.0], STEPS // 2)  # each step of the first threshold is one bin
    divergences = kl_divergences(counts)
    assert divergences[0] == pytest.approx(0, abs=1e-9)
    assert int(np.argmin(divergences)) == 0
    assert divergences[-1] > 0.1
