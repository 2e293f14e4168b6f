"""Lets a child process hear wavs, with limits on memory and time, and tells what went wrong in it.

The child gets an order on standard input and answers with lines of JSON: an empty object when it is ready,
what it heard in each wav, or a problem. ``serve`` is its side.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from ncnnparam.errors import BadItemError, NcnnParamError
from ncnnparam.runtime.limits import limit_memory
from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.heard import Heard, from_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Hear: TypeAlias = "Callable[[str, NDArray[np.float32]], Heard]"
"""``hear(name, samples)`` tells what is in a wav."""


_LAST = 4
"""Lines of what a child said that are told when it dies."""


@dataclass(frozen=True)
class Limits:
    """What a child may take.

    Attributes:
        memory: Address space in bytes; has no effect on Windows.
        timeout: Seconds until it is ready, and then for each wav.
    """

    memory: int
    timeout: float


def hear_in_child(
    module: str,
    order: Mapping[str, Any],
    wavs: Sequence[str | os.PathLike[str]],
    limits: Limits,
    *,
    what: str,
    hint: str,
    advance: Callable[[Heard], object] | None = None,
) -> list[Heard]:
    """Lets a module hear wavs in a child process.

    Args:
        module: The module, which calls ``serve``.
        order: What it needs to know.
        wavs: The wavs.
        limits: What it may take.
        what: What runs there, for errors.
        hint: What may help if it dies.
        advance: Is told of each wav that was heard.

    Raises:
        NcnnParamError: The child died or took too long, or could not do what it was asked to do.
    """
    names = [os.fspath(wav) for wav in wavs]
    heard: list[Heard] = []
    ready = False
    whole = {**order, "wavs": names, "memory": limits.memory}
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile() as said:
        json.dump(whole, asked)
        asked.seek(0)
        command = [sys.executable, "-m", module]
        with subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=said) as child:
            late = Event()
            try:
                for answer in _answers(child, limits.timeout, late):
                    if "problem" in answer:
                        raise NcnnParamError(answer["problem"], hint=answer["hint"], code=answer["code"])
                    if answer:
                        heard.append(from_json(answer))
                        if advance is not None:
                            advance(heard[-1])
                    ready = True
            finally:
                child.kill()
        if ready and len(heard) == len(names):  # how it ended after that does not matter
            return heard
        where = f"on {names[len(heard)]}" if ready else "while it loaded the model"
        if late.is_set():
            raise NcnnParamError(f"{what} was stopped after {limits.timeout:g} seconds {where}", hint=hint)
        last = "".join(f"\n  {line}" for line in _lines(said)[-_LAST:])
        raise NcnnParamError(f"{what} died by {_end(child.returncode)} {where}{last}", hint=hint)


def serve(prepare: Callable[[Mapping[str, Any]], Hear]) -> None:
    """Carries out an order in a child process.

    Args:
        prepare: Loads what the order asks for.
    """
    order = json.load(sys.stdin)
    # what libraries print may not come between the answers
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        limit_memory(order["memory"])

        def tell(answer: Mapping[str, Any]) -> None:
            print(json.dumps(answer), file=answers, flush=True)

        try:
            hear = prepare(order)
            tell({})
            for name in order["wavs"]:
                tell(hear(name, _read(name)).to_json())
        except NcnnParamError as error:
            tell({"problem": error.message, "hint": error.hint, "code": error.code})


def _read(name: str) -> NDArray[np.float32]:
    try:
        return read_wav(Path(name))
    except BadItemError as error:
        raise BadItemError(f"{name} {error.message}") from None


def _answers(child: subprocess.Popen[bytes], timeout: float, late: Event) -> Iterator[dict[str, Any]]:
    """What a child answers; it is stopped when it is silent for too long."""

    def stop() -> None:
        late.set()
        child.kill()

    assert child.stdout is not None
    while True:
        timer = Timer(timeout, stop)
        timer.start()
        line = child.stdout.readline()
        timer.cancel()
        if not line:
            child.wait()
            return
        yield json.loads(line)


def _end(code: int) -> str:
    return f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"


def _lines(stream: IO[bytes]) -> list[str]:
    """The last lines of what a child said."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4096))
    return [line for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
