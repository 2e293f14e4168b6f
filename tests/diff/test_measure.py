"""Distances between arrays are those that float64 gives, whatever the numbers."""

from __future__ import annotations

from math import inf, log10
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ncnnparam.diff.measure import PIECE, Distance, measure

NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)


def distance(a: Any, b: Any) -> Distance:
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)

    def read(numbers: Any) -> Any:
        return lambda start, out: np.copyto(out, numbers[start : start + len(out)])

    return measure(read(a), read(b), len(a))


def plainly(a: Any, b: Any) -> Distance:
    """The definition, in one go."""
    lost = int(np.count_nonzero(~np.isfinite(a))), int(np.count_nonzero(~np.isfinite(b)))
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both].astype(np.float64), b[both].astype(np.float64)
    if not len(a):
        return Distance(0, 0, 1, inf, lost)
    e = np.abs(b - a)
    powers = a @ a, b @ b, e @ e
    cosine = (
        (a @ b) / np.sqrt(powers[0]) / np.sqrt(powers[1])
        if powers[0] and powers[1]
        else float(powers[0] == powers[1])
    )
    sqnr = inf if not powers[2] else 10 * log10(powers[0] / powers[2]) if powers[0] else -inf
    return Distance(e.max(), e.mean(), cosine, sqnr, lost)


def assert_close(found: Distance, expected: Distance) -> None:
    assert found.not_finite == expected.not_finite
    assert found.max_abs == pytest.approx(expected.max_abs, rel=1e-5)
    assert found.mean_abs == pytest.approx(expected.mean_abs, rel=1e-5)
    assert found.cosine == pytest.approx(expected.cosine, abs=1e-6)
    assert found.sqnr == pytest.approx(expected.sqnr, abs=1e-4)


@given(st.data(), st.integers(1, 30))
def test_any_numbers(data: st.DataObject, count: int) -> None:
    a, b = (data.draw(arrays(np.float32, count, elements=NUMBERS)) for _ in range(2))
    assert_close(distance(a, b), plainly(a, b))


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17])
@pytest.mark.parametrize("noise", [1e-6, 0.01, 1])
def test_pieces(size: int, noise: float) -> None:
    generator = np.random.default_rng(size)
    a = generator.normal(size=size).astype(np.float32)
    b = (a + noise * generator.normal(size=size)).astype(np.float32)
    assert_close(distance(a, b), plainly(a, b))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2], [1, 2], Distance(0, 0, 1, inf)),
        ([0, 0], [0, 0], Distance(0, 0, 1, inf)),
        ([0, 0], [0, 1], Distance(1, 0.5, 0, -inf)),
        ([3, 4], [0, 0], Distance(4, 3.5, 0, 0)),
        ([1, 1], [-1, -1], Distance(2, 2, -1, -20 * log10(2))),
        ([np.nan, 1, np.inf], [1, np.nan, np.inf], Distance(0, 0, 1, inf, (2, 2))),
        ([1e-30, 1e-30], [1e-30, 2e-30], Distance(1e-30, 5e-31, 3 / 10**0.5, 10 * log10(2))),
        ([1e30], [2e30], Distance(1e30, 1e30, 1, 0)),
    ],
)
def test_special_numbers(a: Any, b: Any, expected: Distance) -> None:
    assert_close(distance(a, b), expected)


def test_json_has_no_infinity() -> None:
    assert distance([1], [1]).to_json()["sqnr"] is None
    assert distance([1, 2], [1, 3]).to_json()["sqnr"] == pytest.approx(10 * log10(5))
