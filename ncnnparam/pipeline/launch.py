"""Runs a stage in a child process of its own: what crashes or eats memory there does not end the run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ncnnparam.errors import NcnnParamError

Message = dict[str, Any]

_GRACE = 5.0
"""Seconds that a child gets to end by itself when it has answered."""


def launch(order: Message, log: Path, scratch: Path, hear: Callable[[Message], None]) -> Message:
    """Has a child carry out an order.

    Args:
        order: What to do; see ``child``.
        log: File that gets all that it prints.
        scratch: Folder for temporary files.
        hear: Is called with what it says on the way.

    Returns:
        The child's answer.

    Raises:
        NcnnParamError: The stage cannot do its work, or the child died.
    """
    with log.open("ab") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "ncnnparam.pipeline.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "TMPDIR": str(scratch)},
            start_new_session=True,  # Ctrl-C reaches this process alone, which ends the child
        )
    try:
        return _talk(child, order, log, hear)
    finally:
        _end(child)


def _talk(
    child: subprocess.Popen[bytes], order: Message, log: Path, hear: Callable[[Message], None]
) -> Message:
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # it died; how, its exit tells
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
    for line in child.stdout:
        if not line.endswith(b"\n"):
            break  # it died while it spoke
        message: Message = json.loads(line)
        if "answer" in message:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
            answer: Message = message["answer"]
            return answer
        if "error" in message:
            raise NcnnParamError(message["error"], hint=message["hint"], code=message["code"])
        hear(message)
    code = child.wait()
    how = f"died by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with {code}"
    raise NcnnParamError(f"its process {how}{_last_words(log)}")


def _last_words(log: Path) -> str:
    """The last line of a log, which may tell why a process died."""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a child that has not ended, and all that it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
