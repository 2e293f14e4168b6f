"""Folders of two files and what the diff says of them, as text and as json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.diff import Diff, compare, to_text

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
UNCHANGED = {"renumbered", "same", "spelling"}


def compared(case: Path) -> Diff:
    options = case / "options.json"
    return compare(
        nnp.load(case / "a.param").graph,
        nnp.load(case / "b.param").graph,
        **(json.loads(options.read_text()) if options.exists() else {}),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_text(case: Path) -> None:
    text = to_text(compared(case), "a.param", "b.param")
    assert text == (case / "expected.txt").read_text()
    assert (text == "") == (case.name in UNCHANGED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_json(case: Path) -> None:
    data = json.loads(json.dumps(compared(case).to_json()))
    assert data == json.loads((case / "expected.json").read_text())
    assert data["same"] == (case.name in UNCHANGED)
