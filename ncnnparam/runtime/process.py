"""Modules of this package that run in a child process, with a limit on time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any


class Child:
    """A child process that carries out an order; it is killed when its ``with`` block ends.

    Args:
        module: Name of the module that it runs. It reads the order as JSON from standard input.
        order: What it has to do.
        timeout: Seconds that it may run from now on.
    """

    def __init__(self, module: str, order: Mapping[str, Any], timeout: float) -> None:
        self._deadline = time.monotonic() + timeout
        with tempfile.TemporaryFile("w+") as asked:  # nobody has to stand by to fill a pipe
            json.dump(order, asked)
            asked.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # does nothing to one that has ended
        self._process.__exit__(kind, error, trace)

    def finish(self) -> subprocess.CompletedProcess[str]:
        """Waits for the end, and tells what it printed.

        Raises:
            subprocess.TimeoutExpired: Its time is over.
        """
        in_time = self._process.poll() is not None  # it may have ended long before it is asked
        left = None if in_time else max(0.0, self._deadline - time.monotonic())
        output, messages = self._process.communicate(timeout=left)
        return subprocess.CompletedProcess(self._process.args, self._process.returncode, output, messages)
