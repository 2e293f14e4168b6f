"""Factories for ``trace_factory`` that are none; they import no torch, and so are quick to fail."""

from __future__ import annotations

from typing import Any


def lacking(checkpoint: Any) -> dict[str, Any]:
    """Forgets the joiner."""
    return {"encoder": None, "decoder": None}


def alone(checkpoint: Any) -> dict[str, Any]:
    """Gives modules without examples."""
    return {"encoder": None, "decoder": None, "joiner": None}


def failing(checkpoint: Any) -> dict[str, Any]:
    """Has a fault of its own."""
    raise ZeroDivisionError("no layers")


def hanging(checkpoint: Any) -> dict[str, Any]:
    """Never returns."""
    while True:
        pass
