"""Where the example models are that come with the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def example_folder() -> Path:
    """The folder ``examples``: inside the package when installed, beside it in a checkout."""
    installed = _PACKAGE / "_examples"
    return installed if installed.is_dir() else _PACKAGE.parent / "examples"
