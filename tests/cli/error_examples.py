"""A command that ends with each error that no rule finds, as the errors' pages show it."""

from __future__ import annotations

EXAMPLES = {
    "NP801-missing-file": ("quantize", "model.param", "model.bin", "q.param", "q.bin"),
    "NP802-unreadable-file": ("quantize", "model.param", "weights", "q.param", "q.bin"),
    "NP803-bad-item": ("calibrate", "model.param", "kept.bin", "--npy", "items", "--table", "t"),
}
"""By page: a command that ends with the error."""
