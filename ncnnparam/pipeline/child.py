"""The child process of ``launch``: reads an order from standard input, and answers with lines of JSON.

Its input stays open as long as the run that started it lives. When it ends, even by a kill, so does this
process, with all that it has started. What anything prints here goes to the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

import msgspec

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import File, Files
from ncnnparam.pipeline.space import full_disk_hint
from ncnnparam.pipeline.stage import Job, Result
from ncnnparam.pipeline.stages import stage_named


def main() -> None:
    """Carries out one order."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = stage_named(order["stage"]).run(_job(order, _Channel(channel)))
    except (NcnnParamError, OSError) as error:
        full = full_disk_hint(error)
        if isinstance(error, NcnnParamError):
            _say(channel, {"error": error.message, "hint": full or error.hint, "code": error.code})
        else:
            where = f"{error.filename}: " if error.filename else ""
            code = "NP801" if isinstance(error, FileNotFoundError) else None
            _say(channel, {"error": f"{where}{error.strerror or error}", "hint": full, "code": code})
    else:
        _say(channel, {"answer": _answer(result)})


class _Channel:
    def __init__(self, channel: IO[str]) -> None:
        self._channel = channel

    def line(self, text: str) -> None:
        """Says something that people may want to read."""
        _say(self._channel, {"line": text})

    def advance(self, done: int, total: int) -> None:
        """Says how much of the work is done."""
        _say(self._channel, {"done": done, "total": total})


def _say(channel: IO[str], message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _job(order: dict[str, Any], channel: _Channel) -> Job:
    files = {role: File(Path(path), sha256, stage) for role, (path, sha256, stage) in order["files"].items()}
    return Job(
        decode_model(order["model"]),
        Files(files),
        order["facts"],
        Path(order["folder"]),
        Path(order["keep"]),
        order["jobs"],
        channel,
    )


def encode_model(model: Model) -> Any:
    """A config in types that ``json.dumps`` takes."""
    return msgspec.to_builtins(model, enc_hook=str)


def decode_model(data: Any) -> Model:
    """What ``encode_model`` was given."""
    return msgspec.convert(data, Model, dec_hook=lambda kind, value: kind(value))


def _answer(result: Result) -> dict[str, Any]:
    return {
        "files": {role: str(path) for role, path in result.files.items()},
        "facts": result.facts,
        "problems": result.problems,
    }


def _end_with_parent() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # not of sys.stdin, whose lock would be held when this process ends
            pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():  # a group that was made for this process
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
