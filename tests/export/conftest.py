"""A traced transducer and stand-ins for programs, for all tests of the export."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[[str], Path]


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Any:
    """The small transducer's TorchScript files."""
    pytest.importorskip("torch")
    from ncnnparam.export import trace_factory

    folder = tmp_path_factory.mktemp("traced")
    return trace_factory("tests.export.small_transducer:make", folder, path=root)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Makes a program of some lines of Python, which has ``sys``, ``os`` and ``time``."""

    def write(text: str) -> Path:
        path = tmp_path / "program"
        path.write_text(f"#!{sys.executable} -S\nimport os, sys, time\n{text}\n")
        path.chmod(0o755)
        return path

    return write
