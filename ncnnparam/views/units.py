"""Numbers for people: large ones in three digits and a unit, a thousand of the one before; decibels."""

from __future__ import annotations

from math import inf

_STEPS = ("", "K", "M", "G", "T")


def short(number: int) -> str:
    """A number in few characters: ``987``, ``1.23 K``, ``45.6 M``."""
    value, step = float(number), 0
    while abs(value) >= 999.5 and step < len(_STEPS) - 1:
        value /= 1000
        step += 1
    if step == 0:
        return str(number)
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f} {_STEPS[step]}"


def short_bytes(number: int) -> str:
    """A number of bytes in few characters: ``987 B``, ``1.23 KB``; a KB is 1000 bytes."""
    text = short(number)
    return f"{text} B" if text.isdigit() else f"{text}B"


def decibel(number: float | None) -> str:
    """A number of dB: ``21.8``; ``equal`` for infinity, and nothing for what is not known."""
    if number is None:
        return ""
    if abs(number) == inf:
        return "equal" if number > 0 else "-inf"
    return f"{number:.1f}"
