"""Runs ``python -m ncnnparam`` in a child, as a user's shell does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..oracle.sources import ROOT

SOUND = b"""7767517
3 3
Input                    in0                      0 1 in0
ReLU                     relu_1                   1 1 in0 a 0=0.1
ReLU                     relu_2                   1 1 a out0
"""

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run("check", "a.param")`` in ``tmp_path``; keywords go to ``subprocess.run``."""

    def call(*args: str | Path | bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "ncnnparam", *args]
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        for stream in ("stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        return subprocess.run(
            command, cwd=options.pop("cwd", tmp_path), env=environment(), timeout=60, **options
        )

    return call


def environment() -> dict[str, str]:
    """This checkout first, whatever else is installed."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A small model without faults."""
    path = tmp_path / "sound.param"
    path.write_bytes(SOUND)
    return path


def assert_trouble(result: subprocess.CompletedProcess[bytes], *words: str) -> None:
    """Exit code 2 and a short message with all the words: on stderr, or among the findings of ``check``."""
    said = (result.stdout or b"") + result.stderr
    text = said.decode("utf-8", "replace")
    assert result.returncode == 2, text[-2000:]
    assert "Traceback" not in text
    assert len(text) < 3000, "the message is no message but a flood"
    for word in words:
        assert word in text
