"""The progress bar shows itself to a terminal, and only if work takes long."""

from __future__ import annotations

import io

import pytest

from ncnnparam.cli import progress
from ncnnparam.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, patience: float) -> str:
    monkeypatch.setattr(progress, "PATIENCE", patience)
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("comparing", 4) as advance:
        for _ in range(4):
            advance(1)
    return stderr.getvalue()


def test_long_work_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "comparing" in shown(monkeypatch, Terminal(), -1)


@pytest.mark.parametrize(("stderr", "patience"), [(Terminal(), 1000), (io.StringIO(), -1)])
def test_short_work_and_a_pipe(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, patience: float) -> None:
    assert shown(monkeypatch, stderr, patience) == ""
