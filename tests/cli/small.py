"""A small sound model and ways to try what commands make of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SMALL = """\
7767517
8 9
Input                    in0                      0 1 in0
Convolution              conv1                    1 1 in0 conv1 0=8 1=3 6=216 9=2 -23310=1,1.000000e-01
Split                    sp                       1 2 conv1 a b
ReLU                     relu                     1 1 a r 0=1.0e-1
Sigmoid                  sig                      1 1 b s
BinaryOp                 add                      2 1 r s t 0=0
Dropout                  d1                       1 1 t u
Softmax                  prob                     1 1 u out0 0=0 1=1
"""


def ncnnparam(
    *args: object, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs the real program in a process of its own."""
    command = [sys.executable, "-m", "ncnnparam", *map(str, args)]
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=120, check=False, env={**os.environ, **(env or {})}
    )


def on_terminal(*args: object, columns: int = 200) -> str:
    """What the real program prints on a terminal."""
    import pty

    master, slave = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    command = [sys.executable, "-m", "ncnnparam", *map(str, args)]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not chunk:
                break
            shown += chunk
        process.wait(timeout=60)
    os.close(master)
    return shown.decode("utf-8", "replace")


def loads_in_ncnn(path: Path) -> bool:
    """Whether the real ncnn reads a model."""
    code = "import ncnn, sys; sys.exit(0 if ncnn.Net().load_param(sys.argv[1]) == 0 else 1)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0
