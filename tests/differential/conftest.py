"""One ncnn for all comparisons."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import pytest

from ..oracle.oracle import Oracle

JUDGE = "1.0.20261020"
"""The release whose language the strict dialect is."""


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """The real ncnn, in child processes."""
    try:
        installed = version("ncnn")
    except PackageNotFoundError:
        pytest.skip("needs ncnn")
    if installed != JUDGE:
        pytest.skip(f"compares with ncnn {JUDGE}, {installed} is installed")
    if sys.platform != "linux":
        pytest.skip("the oracle forks, and catches messages with memfd_create")
    with Oracle() as oracle:
        yield oracle
