"""Files that somebody broke: a repair does its work, declines, or says what is wrong; it never falls over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import GraphError, NcnnParamError
from ncnnparam.graph import correct_counts
from ncnnparam.model import dumps, loads
from ncnnparam.passes.pnnx import SHERPA_PASSES, parse_pnnx

from .test_cases import CASES, FOLDERS, repair_of

COUNTS = "7767517\n999 999\n"


def lines(case: str, name: str) -> list[str]:
    return (CASES / case / name).read_text().splitlines()[2:]


@given(st.data())
def test_broken_graphs(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(FOLDERS))
    rows = [line.split() for line in lines(case, "before.param")]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.sampled_from(rows))
        place = data.draw(st.integers(0, len(row) - 1))
        row[place] = data.draw(
            st.sampled_from([*row, "0", "1", "2", "9", "0=1", "1=-1", "13=7", "in0", "Split"])
        )
    try:
        model = loads(COUNTS + "".join(" ".join(row) + "\n" for row in rows))
        correct_counts(model.graph)
        pnnx = CASES / case / "model.pnnx.param"
        repair_of(case, parse_pnnx(pnnx.read_text()) if pnnx.exists() else None)(model)
    except NcnnParamError:
        return
    assert dumps(loads(dumps(model))) == dumps(model)


@given(st.data())
def test_strange_operators(data: st.DataObject) -> None:
    """The ``.pnnx.param`` belongs to another model, or says what makes no sense."""
    case = data.draw(
        st.sampled_from([name for name in FOLDERS if (CASES / name / "model.pnnx.param").exists()])
    )
    rows = [line.split() for line in lines(case, "model.pnnx.param")]
    strange = [
        "shape=(0)",
        "shape=()",
        "shape=(1,1,1,1,1,1)",
        "shape=(9999999999)",
        "dim=7",
        "dim=(0,1)",
        "expr=@9",
    ]
    strange += ["size=(0,0,0)", "stride=(1,1,1)", "dims=(5,5)", "dims=(0)", "#0=()f32", "#3=(1,2,3,4,5)f32"]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.sampled_from(rows))
        changed = [word for word in row if data.draw(st.booleans()) or "=" not in word]
        row[:] = [*changed, data.draw(st.sampled_from(strange))]
    model = loads((CASES / case / "before.param").read_text())
    try:
        pnnx = parse_pnnx(f"7767517\n{len(rows)} 1\n" + "".join(" ".join(row) + "\n" for row in rows))
        repair_of(case, pnnx)(model)
    except NcnnParamError:
        return
    assert dumps(loads(dumps(model))) == dumps(model)


def test_a_blob_that_no_layer_above_writes() -> None:
    model = loads("7767517\n2 3\nReshape a 1 1 x y 0=1\nReshape b 1 1 y x 0=1\n")
    for one in SHERPA_PASSES:
        with pytest.raises(GraphError, match="reads 'x', which no layer above it writes"):
            one()(model)
