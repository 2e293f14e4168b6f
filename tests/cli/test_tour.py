"""``ncnnparam demo --tour``, all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytest.importorskip("ncnn")


def test_demo(run: Run) -> None:
    result = run("demo", "--tour")
    assert result.exit_code == 0, result
    assert "the same numbers as torch" in result.out
    assert "1 layer added" in result.out


def test_json_and_kept_files(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--tour", "--json", "--keep", tmp_path / "kept")
    answer = json.loads(result.out)
    assert answer["ok"] is True
    assert answer["difference"] < 1e-4
    assert [step["exit_code"] for step in answer["steps"]] == [0, 0, 1, 0]
    lines = (tmp_path / "kept/with-meta.param").read_text().splitlines()
    assert lines[1] == "189 234"
    assert lines[2].split()[1:4] == ["sherpa_meta_data1", "0", "0"]


def test_it_notices_wrong_numbers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from ncnnparam.cli import tour

    monkeypatch.setattr(tour, "TOLERANCE", 0.0)
    result = run("demo", "--tour")
    assert result.exit_code == 1
    assert "not the numbers of torch" in result.out
