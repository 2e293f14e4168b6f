"""A real SIGKILL at every step of replacing a file: old or new, never half, and the next run works."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SOUND, Run, environment

EDIT = ("set", "sound.param", "relu_1", "slope=0.2", "--backup")
EDITED = SOUND.replace(b"0=0.1", b"0=0.2")

# the command line in a process that stops before or after its first call of one function
DRIVER = """
import os, signal, sys
from ncnnparam.cli.main import main
name, when = sys.argv[1:3]
real = getattr(os, name)
def stop():
    os.write(1, b"stopped\\n")
    signal.pause()
def call(*args, **kwargs):
    if when == "before":
        stop()
    real(*args, **kwargs)
    stop()
setattr(os, name, call)
main(sys.argv[3:])
"""


@pytest.mark.parametrize(
    ("function", "when", "done"),
    [
        ("fsync", "before", False),
        ("fsync", "after", False),
        ("chmod", "after", False),
        ("replace", "before", False),
        ("replace", "after", True),
    ],
)
def test_killed(function: str, when: str, done: bool, run: Run, sound: Path, tmp_path: Path) -> None:
    sound.chmod(0o640)
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, function, when, *EDIT],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"stopped\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert sound.read_bytes() == (EDITED if done else SOUND)
    backup = tmp_path / "sound.param.bak"
    assert not backup.exists() or backup.read_bytes() == SOUND
    leftovers = [path for path in tmp_path.iterdir() if path not in (sound, backup)]
    assert len(leftovers) == (0 if done else 1)

    result = run(*EDIT)
    assert result.returncode == 0, result.stderr
    assert sound.read_bytes() == EDITED
    assert sound.stat().st_mode & 0o777 == 0o640
    assert [path for path in tmp_path.iterdir() if path not in (sound, backup)] == leftovers
