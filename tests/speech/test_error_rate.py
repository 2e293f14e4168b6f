"""Errors among words and tokens."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.speech.error_rate import error_rate, word_errors

pytest.importorskip("kaldialign")
WORDS = st.lists(st.sampled_from("abc"), max_size=8)


def distance(right: list, found: list) -> int:
    return error_rate([(right, found)]).errors


@given(WORDS, WORDS, WORDS)
def test_errors_are_a_distance(a: list[str], b: list[str], c: list[str]) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))


@pytest.mark.parametrize(
    ("right", "found", "errors"),
    [("kitten", "sitting", 3), ("", "ab", 2), ("ab", "", 2), ("flaw", "lawn", 2)],
)
def test_known_ones(right: str, found: str, errors: int) -> None:
    assert distance(list(right), list(found)) == errors
    assert distance([ord(one) for one in right], [ord(one) for one in found]) == errors


def test_rates() -> None:
    assert error_rate([((1, 2, 3), (1, 3)), ((4,), (4,))]).to_json() == {
        "errors": 1,
        "length": 4,
        "rate": 0.25,
    }
    assert word_errors({"x/a.wav": "Hello big world"}, {"a": "HELLO WORLD"}).to_json() == {
        "errors": 1,
        "length": 2,
        "rate": 0.5,
    }
    assert error_rate([([], [])]).rate == 0
    assert error_rate([([], ["a"])]).rate == inf
    assert error_rate([([], ["a"])]).to_json()["rate"] is None
