"""Programs that are run, and how they end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.export.process import run

ALLOCATE = "block = bytearray(1 << 30); print(len(block))"


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_lines_are_told_and_kept(tmp_path: Path) -> None:
    log, told = tmp_path / "log", []
    code = "import sys; print('one'); sys.stdout.flush(); print('two\\rthree', file=sys.stderr); sys.exit(3)"
    ended = run(python(code), log=log, timeout=60, line=told.append)
    assert told == ["one", "two", "three"]
    assert log.read_bytes() == b"one\ntwo\rthree\n"
    assert (ended.status, ended.timed_out, ended.died) == (3, False, False)
    assert ended.how == "ended with exit code 3"
    assert ended.last == ("one", "two", "three")


def test_what_it_can_read_and_where_it_is(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['COLOUR'])"
    ended = run(
        python(code),
        log=tmp_path / "log",
        timeout=60,
        stdin="hello",
        folder=tmp_path,
        environment={"COLOUR": "red"},
    )
    assert ended.last == (f"hello {tmp_path.resolve()} red",)


def test_one_that_hangs_is_stopped(tmp_path: Path) -> None:
    code = "import time; print('soon', flush=True); time.sleep(600)"
    ended = run(python(code), log=tmp_path / "log", timeout=3)
    assert ended.timed_out
    assert not ended.died
    assert ended.how.startswith("was stopped after")


def test_one_that_hangs_with_its_output_closed_is_stopped(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(600)"
    assert run(python(code), log=tmp_path / "log", timeout=3).timed_out


def test_a_child_that_keeps_the_output_open_does_not_count(tmp_path: Path) -> None:
    sleep = "[sys.executable, '-S', '-c', 'import time; time.sleep(9)']"
    code = f"import subprocess, sys; print('done', flush=True); subprocess.Popen({sleep})"
    ended = run(python(code), log=tmp_path / "log", timeout=600)
    assert (ended.status, ended.timed_out, ended.last) == (0, False, ("done",))


def test_a_signal_is_told_by_name(tmp_path: Path) -> None:
    ended = run(python("import os; os.kill(os.getpid(), 11)"), log=tmp_path / "log", timeout=60)
    assert ended.died
    assert ended.how == "died by signal 11 (SIGSEGV)"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to such limits")
def test_memory_has_a_limit(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run(python(ALLOCATE), log=log, timeout=60, memory=4 << 30).status == 0
    assert run(python(ALLOCATE), log=log, timeout=60, memory=1 << 29).status == 1
    assert "MemoryError" in log.read_text()


def test_very_long_lines_are_cut(tmp_path: Path) -> None:
    ended = run(python("print('x' * 1000000)"), log=tmp_path / "log", timeout=60)
    assert max(map(len, ended.last)) <= 1 << 17
    assert (tmp_path / "log").stat().st_size == 1000001


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(NcnnParamError, match="cannot run"):
        run([tmp_path / "nothing"], log=tmp_path / "log", timeout=60)
    with pytest.raises(NcnnParamError, match="it is no program"):
        run([tmp_path / "nothing"], log=tmp_path / "log", timeout=60, memory=1 << 30)
    with pytest.raises(FileError, match="cannot write"):
        run(python(""), log=tmp_path / "no" / "log", timeout=60)
