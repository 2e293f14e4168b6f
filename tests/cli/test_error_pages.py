"""The pages of errors that no rule finds show what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ..quantize.test_int8 import NET, filled
from .conftest import Run
from .error_examples import EXAMPLES

each_page = pytest.mark.parametrize("page", EXAMPLES)


@pytest.fixture
def text(page: str, root: Path) -> str:
    return (root / "docs/rules" / f"{page}.md").read_text(encoding="utf-8")


@each_page
def test_the_page_shows_what_the_command_says(
    page: str, text: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    filled(NET).save("model.param", "kept.bin")
    Path("weights").mkdir()
    np.save("good.npy", np.ones((2, 8, 8), np.float32))
    Path("items").write_text("good.npy\nmissing.npy\n")
    result = run(*EXAMPLES[page])
    assert (result.exit_code, result.out) == (2, "")
    assert result.err in re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("model.param", "kept.bin", "weights", "good.npy", "items")
    }


@each_page
def test_the_page_is_in_form_and_listed(page: str, text: str, root: Path) -> None:
    code, _, name = page.partition("-")
    head = re.match(rf"# {code} {name}\n\n(.+)\. Severity: error\. Repaired by `check --fix`: no\.\n", text)
    assert head is not None
    places = [
        text.find(f"## {title}") for title in ("What it does", "Why it is bad", "Example", "How to fix")
    ]
    assert -1 not in places
    assert places == sorted(places)
    listed = (root / "docs/rules/README.md").read_text(encoding="utf-8")
    assert f"| [{code}]({page}.md) | {name} | error |  | {head[1]} |" in listed
