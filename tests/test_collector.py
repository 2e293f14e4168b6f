"""The collector is paused while a graph is made, and only then."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import ncnnparam as nnp
from ncnnparam.collector import collector_paused


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_it_is_paused_and_goes_on() -> None:
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(nnp.ParseError):
        nnp.loads("no file")
    assert gc.isenabled()


def test_who_had_it_off_finds_it_off() -> None:
    gc.disable()
    nnp.loads("7767517\n1 1\nInput in 0 1 in\n").graph.copy()
    assert not gc.isenabled()
