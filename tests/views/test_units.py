"""Large numbers in few characters."""

from __future__ import annotations

import pytest

from ncnnparam.views.units import short, short_bytes


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 K"),
        (1234, "1.23 K"),
        (9_994, "9.99 K"),
        (9_996, "10.0 K"),
        (99_960, "100 K"),
        (999_499, "999 K"),
        (999_500, "1.00 M"),
        (15_470_264_320, "15.5 G"),
        (2 * 10**15, "2000 T"),
    ],
)
def test_short(number: int, text: str) -> None:
    assert short(number) == text


def test_bytes() -> None:
    assert [short_bytes(number) for number in (0, 12, 1000, 296_000_000)] == [
        "0 B",
        "12 B",
        "1.00 KB",
        "296 MB",
    ]
