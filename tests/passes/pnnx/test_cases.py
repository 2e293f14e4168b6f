"""Each repair on a small graph: what it makes of it, what it declines, and that it does nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.model import Model, dumps, load, save
from ncnnparam.passes.pnnx import PASSES, SHERPA_PASSES, PnnxGraph, Repair, read_pnnx
from ncnnparam.passes.pnnx.dynamic import DynamicReshapes

CASES = Path(__file__).parent / "cases"
REPAIRS = {one.name.removeprefix("pnnx-"): one for one in (*PASSES, *SHERPA_PASSES, DynamicReshapes)}
SIZES = (16, 99)
"""What dynamic-reshapes leaves open."""
FOLDERS = sorted(path.name for path in CASES.iterdir())
ACCOUNT = "account.txt"
MADE_ANYWAY = ("drop-casts", "stacked-outputs")
"""Cases of which a part needs no ``.pnnx.param``."""


def repair_of(case: str, pnnx: PnnxGraph | None) -> Repair:
    name = case.removesuffix("-declined")
    return DynamicReshapes(pnnx, SIZES) if name == "dynamic-reshapes" else REPAIRS[name](pnnx)


def before(case: str) -> tuple[Model, PnnxGraph | None]:
    pnnx = CASES / case / "model.pnnx.param"
    weights = CASES / case / "before.bin"
    made = load(CASES / case / "before.param", weights if weights.exists() else None)
    return made, read_pnnx(pnnx) if pnnx.exists() else None


@pytest.mark.parametrize("case", FOLDERS)
def test_gives_what_is_expected(case: str, tmp_path: Path) -> None:
    model, pnnx = before(case)
    result = repair_of(case, pnnx)(model)
    assert dumps(model) == (CASES / case / "after.param").read_text()
    weights = CASES / case / "after.bin"
    if weights.exists():
        save(model, tmp_path / "m.param", tmp_path / "m.bin")
        assert (tmp_path / "m.bin").read_bytes() == weights.read_bytes()
    told = [f"changed {note}" for note in result.changes] + [f"declined {note}" for note in result.declined]
    assert told == (CASES / case / ACCOUNT).read_text().splitlines()
    assert result.modified == bool(result.changes)


@pytest.mark.parametrize("case", FOLDERS)
def test_does_nothing_the_second_time(case: str) -> None:
    model, pnnx = before(case)
    first = repair_of(case, pnnx)(model)
    text = dumps(model)
    second = repair_of(case, pnnx)(model)
    assert dumps(model) == text
    assert not second.modified
    assert len(second.declined) <= len(first.declined)


@pytest.mark.parametrize("case", FOLDERS)
def test_without_the_pnnx_param_nothing_is_guessed(case: str) -> None:
    """What PyTorch meant is only there: without it such a place is declined or left, and no error."""
    model, pnnx = before(case)
    text = dumps(model)
    result = repair_of(case, None)(model)
    if pnnx is not None and case not in MADE_ANYWAY:
        assert not result.modified
        assert dumps(model) == text


def test_every_repair_has_a_case() -> None:
    assert set(REPAIRS) <= set(FOLDERS)
