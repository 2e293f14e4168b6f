"""Nets in this process, which children have loaded before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.runtime.session import require_all_sound

NET = """7767517
2 2
Input   in   0 1 in0
{type}  one  1 1 in0 out0
"""

LEAVE_RUNNING = """
import sys
import numpy as np
from ncnnparam.runtime.session import Session

net = Session(*sys.argv[1:])
ring = [net, net.start({"in0": np.ones(3, np.float32)})]
ring.append(ring)
"""
"""Ends while a run is not over, which only the garbage collector frees."""


def pair(folder: Path, name: str, type: str) -> tuple[str, str]:
    param, weights = folder / f"{name}.param", folder / f"{name}.bin"
    param.write_text(NET.format(type=type))
    weights.write_bytes(b"")
    return str(param), str(weights)


def test_several_nets_are_sound(tmp_path: Path) -> None:
    require_all_sound([(pair(tmp_path, "a", "ReLU"), ()), (pair(tmp_path, "b", "Mine"), ("Mine",))])


def test_the_first_that_is_not_sound_is_named(tmp_path: Path) -> None:
    pairs = [pair(tmp_path, name, type) for name, type in (("a", "ReLU"), ("b", "Mine"), ("c", "Mine"))]
    with pytest.raises(NcnnParamError, match=r"b\.param"):
        require_all_sound([(files, ()) for files in pairs])


def test_a_process_may_end_within_a_run(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LEAVE_RUNNING, *pair(tmp_path, "a", "ReLU")]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
