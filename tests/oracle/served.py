"""A child process with the real ncnn that answers requests, a line of json each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

S = TypeVar("S", bound="Served")


class Served:
    """Such a child; use as a context manager.

    Args:
        words: What Python is to run.
        options: Of ``subprocess.Popen``.
    """

    def __init__(self, *words: str | Path, **options: Any) -> None:
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(
            [sys.executable, *words], stdin=pipe, stdout=pipe, text=True, **options
        )

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate()

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(json.dumps(request), file=self._child.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer
