"""Thresholds of distributions for which the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ncnnparam.quantize.histogram import Histogram
from ncnnparam.quantize.thresholds import METHODS, gaussian_clip, input_scale, mse, noise, percentile

NORMAL = Histogram.of([np.random.default_rng(0).standard_normal(60_000).astype(np.float32)])
OUTLIER = Histogram.of([np.append(np.linspace(-1, 1, 20_000), 50).astype(np.float32)])


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_zeros_have_no_threshold(method: object) -> None:
    assert callable(method)
    assert method(Histogram.of([np.zeros(4, np.float32)])) == 0


@pytest.mark.parametrize("name", ["kl", "percentile", "mse", "minmax"])
def test_threshold_is_within_the_numbers(name: str) -> None:
    for histogram in (NORMAL, OUTLIER):
        assert 0 < METHODS[name](histogram) <= histogram.absmax * 1.0003


def test_scale() -> None:
    assert input_scale(2.0) == 63.5
    assert input_scale(0.0) == math.inf


def test_an_outlier_is_clipped() -> None:
    assert METHODS["minmax"](OUTLIER) == 50
    assert METHODS["percentile"](OUTLIER) == pytest.approx(1, abs=0.03)
    assert METHODS["kl"](OUTLIER) < 10


def test_percentile_is_of_numbers_other_than_0() -> None:
    histogram = Histogram.of([np.concatenate([np.zeros(1000), np.arange(1, 1001)]).astype(np.float32)])
    assert percentile(histogram, 50) == pytest.approx(500, rel=0.01)
    assert percentile(histogram, 100) == pytest.approx(1000)


def test_mse_beats_its_neighbours() -> None:
    sizes = np.abs(np.random.default_rng(0).standard_normal(60_000))
    best = mse(NORMAL)

    def error(threshold: float) -> float:
        step = threshold / 127
        return float(np.square(np.minimum(np.rint(sizes / step), 127) * step - sizes).mean())

    assert error(best) < min(error(0.9 * best), error(1.1 * best), error(NORMAL.absmax * 1.2))


@pytest.mark.parametrize("share", [0.5, 1.0, 2.0])
def test_noise_is_the_mean_square_error(share: float) -> None:
    numbers = np.random.default_rng(2).standard_normal(50_000).astype(np.float32)
    histogram = Histogram.of([numbers, np.zeros(50_000, np.float32)])
    threshold = share * histogram.absmax
    int8 = np.clip(np.rint(numbers * 127 / threshold), -127, 127)
    error = np.square(int8 * threshold / 127 - numbers).sum() / 100_000
    assert noise(histogram, threshold) == pytest.approx(error, rel=0.03)
    assert noise(histogram, 0) == pytest.approx(np.square(numbers).sum() / 100_000, rel=0.01)


def test_gaussian_clip_of_normal_numbers() -> None:
    # 3.92 standard deviations for 8 bits; the deviation is only guessed from the largest number
    assert gaussian_clip(NORMAL.absmax, 60_000) == pytest.approx(3.92, rel=0.2)
    assert gaussian_clip(1.0, 60_000, 6) < gaussian_clip(1.0, 60_000, 8)


def test_gaussian_clip_of_one_number() -> None:
    assert gaussian_clip(3.0, 1) == math.inf
    assert gaussian_clip(0.0, 1) == 0
