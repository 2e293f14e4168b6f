"""Programs as child processes: what they print is kept and told line by line, and none runs for ever."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ncnnparam.errors import FileError, NcnnParamError

Line = Callable[[str], object]
"""Is told of each line that a program prints."""

_BLOCK = 1 << 16
_LONGEST = 1 << 16
"""The most bytes of a line; a longer one is cut."""
_LAST = 40
"""Lines that an error may want to look at."""
_WAIT = 0.5
"""Seconds between two looks at whether a program has ended, though something keeps its output open."""


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; below 0 the signal that killed it.
        timed_out: It was killed because its time was over.
        seconds: How long it ran.
        last: The last lines that it printed.
    """

    status: int
    timed_out: bool
    seconds: float
    last: tuple[str, ...]

    @property
    def died(self) -> bool:
        """A signal killed it that nobody here sent."""
        return self.status < 0 and not self.timed_out

    @property
    def how(self) -> str:
        """The end in words."""
        if self.timed_out:
            return f"was stopped after {self.seconds:.0f} seconds"
        if self.status >= 0:
            return f"ended with exit code {self.status}"
        with contextlib.suppress(ValueError):
            return f"died by signal {-self.status} ({signal.Signals(-self.status).name})"
        return f"died by signal {-self.status}"


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    timeout: float,
    memory: int | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    line: Line | None = None,
) -> Ended:
    """Runs a program to its end.

    Args:
        command: The program's path and its arguments.
        log: File for all that it prints, made anew.
        timeout: Seconds that it may run.
        memory: Bytes of address space that it may take; has no effect on Windows.
        folder: Where it runs.
        environment: Variables to set for it, beside those that are set.
        stdin: What it can read.
        line: Is told of each line, in this thread.

    Raises:
        NcnnParamError: It cannot be started.
        FileError: The log cannot be written.
    """
    words = [os.fspath(word) for word in command]
    if memory is not None and sys.platform != "win32":
        if not os.access(words[0], os.X_OK):
            raise NcnnParamError(f"cannot run {words[0]}: it is no program")
        words = [sys.executable, "-I", "-S", str(Path(__file__).with_name("limited.py")), str(memory), *words]
    started = time.monotonic()
    try:
        with log.open("wb") as file:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=None if environment is None else {**os.environ, **environment},
            )
            last: deque[str] = deque(maxlen=_LAST)
            try:
                _give(process, stdin)
                for text in _lines(process, file, started + timeout):
                    last.append(text)
                    if line is not None:
                        line(text)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, started + timeout - time.monotonic()))
                timed_out = process.poll() is None
            finally:
                process.kill()  # does nothing to one that has ended
                process.wait()
    except OSError as error:
        if error.filename in (None, os.fspath(log)):  # a write that fails names no file
            raise FileError(f"cannot write {log}: {error.strerror}") from None
        raise NcnnParamError(f"cannot run {os.fspath(command[0])}: {error.strerror}") from None
    return Ended(process.returncode, timed_out, time.monotonic() - started, tuple(last))


def _give(process: subprocess.Popen[bytes], stdin: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(stdin.encode())


def _lines(process: subprocess.Popen[bytes], log: IO[bytes], deadline: float) -> Iterator[str]:
    """What a program prints until it ends or its time is over."""
    assert process.stdout is not None
    blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, blocks), daemon=True).start()
    rest = b""
    while (left := deadline - time.monotonic()) > 0:
        try:
            block = blocks.get(timeout=min(left, _WAIT))
        except queue.Empty:
            if process.poll() is None:
                continue
            break  # it has ended, and a child of its own keeps the pipe open
        if not block:
            break
        log.write(block)
        log.flush()
        *whole, rest = re.split(rb"[\r\n]+", rest + block)
        if len(rest) > _LONGEST:
            whole, rest = [*whole, rest[:_LONGEST]], b""
        yield from (_text(text) for text in whole if text)
    if rest:
        yield _text(rest)


def _read(pipe: IO[bytes], blocks: queue.SimpleQueue[bytes]) -> None:
    with pipe, contextlib.suppress(OSError):
        while block := os.read(pipe.fileno(), _BLOCK):
            blocks.put(block)
    blocks.put(b"")


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()
