"""Histograms: exact while small, in bins when large, and the same in whatever order they are made."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ncnnparam.quantize.histogram import BINS, EXACT, FINE, Histogram

NUMBERS = st.lists(
    arrays(np.float32, st.integers(0, 40), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    min_size=1,
    max_size=4,
)


def large(seed: int, scale: float) -> Histogram:
    """A histogram with bins."""
    random = np.random.default_rng(seed)
    return Histogram.of([(random.standard_normal(EXACT + 1) * scale).astype(np.float32)])


def merged(*histograms: Histogram) -> Histogram:
    made = Histogram()
    for histogram in histograms:
        made.update(histogram)
    return made


@given(NUMBERS, NUMBERS, NUMBERS)
def test_small_ones_merge_in_any_order(one: list, two: list, three: list) -> None:
    a, b, c = Histogram.of(one), Histogram.of(two), Histogram.of(three)
    whole = Histogram.of([*one, *two, *three])
    assert merged(merged(a, b), c) == merged(a, merged(b, c)) == merged(c, a, b) == whole


@settings(max_examples=10)
@given(st.lists(st.floats(1e-20, 1e20), min_size=3, max_size=3), NUMBERS)
def test_large_ones_merge_in_any_order(scales: list[float], few: list) -> None:
    a, b = (large(seed, scale) for seed, scale in enumerate(scales[:2]))
    c = Histogram.of([numbers * np.float32(2.0**-99 * scales[2]) for numbers in few])
    assert merged(merged(a, b), c) == merged(a, merged(b, c)) == merged(c, a, b) == merged(b, c, a)


def test_pieces_count_as_the_whole() -> None:
    numbers = np.random.default_rng(3).standard_normal(3 * EXACT).astype(np.float32)
    whole, pieces = Histogram.of([numbers]), Histogram.of(np.split(numbers, 24))
    pieces.runs = whole.runs
    assert pieces == whole


def test_counts_and_zeros() -> None:
    histogram = Histogram.of([np.array([[0, -4], [1, 2.5]], np.float32), np.zeros(3, np.float32)])
    assert (histogram.absmax, histogram.total, histogram.runs) == (4.0, 7, 2)
    assert histogram.linear(4).tolist() == [0, 1, 1, 1]  # 0 is in no bin, and the largest is in the last


def test_power_of_numbers_and_of_rows() -> None:
    numbers = np.random.default_rng(1).standard_normal((3000, 40)).astype(np.float32)
    histogram = Histogram.of(np.split(numbers, 5))
    assert histogram.power == pytest.approx(np.square(numbers).mean(), rel=1e-3)
    assert histogram.row_power == pytest.approx(np.square(np.abs(numbers).max(axis=1)).mean(), rel=0.03)
    assert Histogram.of([numbers.reshape(-1)]).row_power == 0  # of vectors there are no rows
    assert Histogram().power == Histogram().row_power == 0


def test_only_zeros() -> None:
    histogram = Histogram.of([np.zeros(5, np.float32)])
    assert histogram.absmax == 0
    assert not histogram.linear().any()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_bins_of_many_numbers(scale: float) -> None:
    numbers = (np.random.default_rng(1).standard_normal(2 * EXACT) * scale).astype(np.float32)
    counts = Histogram.of([numbers]).linear()
    sizes = np.abs(numbers[numbers != 0]).astype(np.float64)
    exact = np.histogram(sizes, BINS, (0, sizes.max()))[0]
    assert counts.sum() == pytest.approx(exact.sum())
    assert np.abs(np.cumsum(counts) - np.cumsum(exact)).max() < 0.03 * exact.max()


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1.0, 1e37])
def test_each_number_is_in_its_fine_bin(scale: float) -> None:
    numbers = (np.random.default_rng(2).standard_normal(2 * EXACT) * scale).astype(np.float32)
    state = Histogram.of([numbers]).state()
    sizes = np.abs(numbers[numbers != 0]).astype(np.float64)
    places = np.floor(sizes / 2.0 ** state["facts"][3] * FINE).astype(int)  # no digit is lost
    assert np.array_equal(state["counts"], np.bincount(places, minlength=FINE))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number(bad: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        Histogram().add(np.array([1, bad], np.float32))


@pytest.mark.parametrize("histogram", [large(5, 3.0), Histogram.of([np.arange(9)]), Histogram()])
def test_state_is_all_of_it(histogram: Histogram) -> None:
    again = Histogram.restore(histogram.state())
    assert again == histogram
    assert np.array_equal(again.linear(), histogram.linear())


def test_goes_to_another_process_in_few_bytes() -> None:
    sent = pickle.dumps(large(6, 1.0))
    assert pickle.loads(sent) == large(6, 1.0)
    assert len(sent) < 2 * FINE
