"""Graphs that somebody broke: a pass does its work, declines, or says what is wrong; it never falls over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncnnparam import Model, dumps, loads
from ncnnparam.errors import NcnnParamError
from ncnnparam.passes import catalog
from ncnnparam.passes.compat import Lower
from ncnnparam.selectors import select

HERE = Path(__file__).parent
CASES = sorted((*HERE.glob("optimize/cases/*.param"), *HERE.glob("compat/*/*.param")))
STRANGE = ["0", "1", "2", "9", "0=1", "0=1.5", "1=-1", "1=1,1", "2=abc", "-23303=0", "0=2147483647", "in0"]
STRANGE += ["Split", "MemoryData", "Input", "Concat", "BinaryOp", "Reduction", "CumulativeSum", "Tile"]


@st.composite
def broken(draw: st.DrawFn) -> Model:
    """A model of a case, with some words that were others."""
    rows = [line.split() for line in draw(st.sampled_from(CASES)).read_text().splitlines()[2:]]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from(rows))
        place = draw(st.integers(0, len(row)))
        row[place : place + 1] = [draw(st.sampled_from([*row, *STRANGE]))]
    return loads(f"7767517\n{len(rows)} 999\n" + "".join(" ".join(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def passes() -> list[catalog.Factory]:
    return [factory for name in catalog.names() for factory in catalog.find(name) if name != "fold-constants"]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_pass(passes: list[catalog.Factory], data: st.DataObject) -> None:
    try:
        model = data.draw(broken())
    except NcnnParamError:
        return
    for one in (*passes, lambda: Lower("ncnn-20220729"), lambda: Lower("sherpa-ncnn-2.1.15")):
        copy = Model(model.graph.copy())
        try:
            one()(copy)
        except NcnnParamError:
            continue
        assert dumps(loads(dumps(copy))) == dumps(copy)
    assert select(model.graph, "*") == list(model.graph)
