"""Pairs made in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ncnnparam.checks import Finding, check
from ncnnparam.checks.pairs import FIT_RULES, PAIR_RULES, Pair
from ncnnparam.weights import WeightFile

from ..cases import graph_of

Examine = Callable[..., list[Finding]]


@pytest.fixture
def examine() -> Examine:
    """``examine(text, data)``: what the rules about pairs find; ``deep=True`` looks at the numbers too."""

    def call(text: str, data: bytes | bytearray, *, deep: bool = False) -> list[Finding]:
        graph = graph_of(text)
        pair = Pair(graph, WeightFile(memoryview(data)))
        return check(graph, rules=[one.on(pair) for one in (PAIR_RULES if deep else FIT_RULES)])

    return call
