"""Real pairs fit; each that is changed, cut, lengthened or given another's weights does not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ncnnparam.checks import check
from ncnnparam.checks.pairs import FIT_RULES, Misfit, Pair
from ncnnparam.graph import Graph
from ncnnparam.weights import WeightFile

from ...weights.pairs import corpus
from ..cases import graph_of

PAIRS = list(corpus())
CUTS = 12


def of(param: Path, data: bytes) -> Pair:
    return Pair(graph(param), WeightFile(memoryview(data)))


def graph(param: Path) -> Graph:
    return graph_of(param.read_bytes().decode("utf-8", "surrogateescape"))


def shape(pair: Pair) -> list[object]:
    """The layout of a pair: pairs of the same layout cannot be told apart."""
    return [(weight.storage, weight.count) for _, weight in pair.reading.arrays]


@pytest.mark.parametrize(("param", "weights", "consumed"), PAIRS)
def test_it_fits_exactly(param: Path, weights: Path, consumed: int) -> None:
    pair = of(param, weights.read_bytes())
    assert pair.reading.end == consumed
    assert pair.misfit is (Misfit.NONE if pair.reading.size == consumed else Misfit.LONG)
    assert check(pair.graph, rules=[one.on(pair) for one in FIT_RULES], ignore=["NP606"]) == []


@pytest.mark.parametrize(("param", "weights", "consumed"), PAIRS)
def test_the_weights_of_every_other_pair_are_caught(param: Path, weights: Path, consumed: int) -> None:
    own = of(param, weights.read_bytes())
    others = 0
    for other in (case.values for case in PAIRS):
        theirs = of(other[0], other[1].read_bytes())
        if shape(theirs) != shape(own):
            swapped = Pair(own.graph, theirs.file)
            assert swapped.misfit is not Misfit.NONE, other[1].name
            assert check(own.graph, rules=[one.on(swapped) for one in FIT_RULES])
            others += 1
    assert others >= len(PAIRS) - 2, "at most one other pair has the same layout"


@pytest.mark.parametrize(("param", "weights", "consumed"), PAIRS)
def test_every_cut_and_every_word_more_is_caught(param: Path, weights: Path, consumed: int) -> None:
    data, own = weights.read_bytes(), graph(param)
    whole = Pair(own, WeightFile(memoryview(data)))
    places = {weight.offset for _, weight in whole.reading.arrays} | {len(data)}
    near = [max(0, place + by) for place in places if place is not None for by in (-4, -1, 1, 4)]
    chosen = random.Random(len(data)).sample(sorted({*places, *near} - {None}), CUTS)
    for place in [*chosen, 0, len(data) - 1, len(data)]:
        if place < len(data):
            cut = Pair(own, WeightFile(memoryview(data)[:place]))
            assert cut.misfit is not Misfit.NONE, place
        for word in (b"\0\0\0\0", b"\x47\x6b\x30\x01", b"\x12\x34\x56\x3d"):
            more = Pair(own, WeightFile(memoryview(data[:place] + word + data[place:])))
            assert more.misfit is not Misfit.NONE, (place, word)
