"""Child processes that carry out an order."""

from __future__ import annotations

import json
import subprocess

import pytest

from ncnnparam.runtime.process import Child

ORDER = {"words": ["one", "zwölf"]}
MODULE = "json.tool"
"""Prints what it reads."""


def test_an_order_is_read() -> None:
    with Child(MODULE, ORDER, timeout=60) as child:
        ended = child.finish()
    assert (json.loads(ended.stdout), ended.returncode, ended.stderr) == (ORDER, 0, "")


def test_what_goes_wrong_is_told() -> None:
    with Child("ncnnparam.runtime.nowhere", ORDER, timeout=60) as child:
        ended = child.finish()
    assert ended.returncode == 1
    assert "No module named ncnnparam.runtime.nowhere" in ended.stderr


def test_time_is_counted_from_the_start() -> None:
    with Child(MODULE, ORDER, timeout=0) as child, pytest.raises(subprocess.TimeoutExpired):
        child.finish()


def test_one_that_has_ended_may_be_asked_late() -> None:
    with Child(MODULE, ORDER, timeout=0) as child:
        child._process.wait()
        ended = child.finish()
    assert json.loads(ended.stdout) == ORDER
