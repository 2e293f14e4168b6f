"""Runs the command line as a user does, in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from ncnnparam.cli.main import main


@dataclass
class Result:
    """What a command did."""

    exit_code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("check", "a.param", stdin=text)``: the exit code and what was printed."""

    def call(*args: object, stdin: str | bytes = "") -> Result:
        data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        words: Sequence[str] = [str(arg) for arg in args]
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(list(words))
        printed = capfd.readouterr()
        code = stopped.value.code
        assert isinstance(code, int)
        return Result(code, printed.out, printed.err)

    return call
