"""The examples on the commands' pages print what the pages say."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from .conftest import Run
from .small import SMALL

PAGES = (
    "show",
    "find",
    "set",
    "rename",
    "remove",
    "extract",
    "fmt",
    "convert",
    "view",
    "explain",
    "completion",
    "inject-meta",
    "stats",
    "opt",
    "passes",
)
OTHERS = ("calibrate", "check", "compare", "decode", "diff", "demo", "sensitivity")
"""Pages whose examples need what the package does not have."""
ENCODER = "encoder.ncnn.param"
UNTIDY = SMALL.replace(" " * 16, " ")
"""What the examples read from standard input."""

BLOCK = re.compile(r"^```\n(\$ ncnnparam .*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [*(f"commands/{name}" for name in PAGES), "selectors"])
def test_examples(run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    path = root / "docs" / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    for name in (ENCODER, "encoder.ncnn.bin", "ncnnparam.toml"):
        shutil.copyfile(root / "ncnnparam/demo" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    def printed(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ ncnnparam .*$", block[1], re.MULTILINE)
        return "```\n" + "".join(f"{line}\n{output(line)}" for line in commands) + "```"

    def output(line: str) -> str:
        result = run(*shlex.split(line)[2:], stdin=UNTIDY)
        return result.out + result.err

    assert BLOCK.sub(printed, text) == text


@pytest.mark.parametrize(
    "page", [*PAGES, "calibrate", "check", "compare", "decode", "diff", "demo", "sensitivity"]
)
def test_every_option_is_on_the_page(run: Run, root: Path, page: str) -> None:
    text = (root / "docs/commands" / f"{page}.md").read_text(encoding="utf-8")
    options = set(
        re.findall(r"--[a-z][a-z-]+", run(page, "--help", "--output").out.partition("Options:")[2])
    ) - {"--help", "--output"}
    assert {option for option in options if option not in text} == set()
