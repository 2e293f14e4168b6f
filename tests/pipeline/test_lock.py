"""Two runs on one folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.lock import locked

pytest.importorskip("fcntl")


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    state = tmp_path / "out/.ncnnparam"
    with (
        locked(state),
        pytest.raises(NcnnParamError, match=f"process {os.getpid()}") as caught,
        locked(state),
    ):
        pass
    assert caught.value.hint is not None
    with locked(state):
        pass


def test_a_killed_run_lets_go(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ncnnparam.pipeline.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"in\n"
        with pytest.raises(NcnnParamError, match=f"process {child.pid}"), locked(tmp_path):
            pass
        child.kill()
        child.wait()
    with locked(tmp_path):
        pass
