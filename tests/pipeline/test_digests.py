"""Digests that are remembered, and a memory that is damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ncnnparam.pipeline.digests import Digests


def test_a_file_is_read_once(tmp_path: Path) -> None:
    memory, file = tmp_path / "digests.json", tmp_path / "a"
    file.write_bytes(b"a")
    digests = Digests(memory)
    assert digests.of(file) == hashlib.sha256(b"a").hexdigest()
    digests.save()
    known = json.loads(memory.read_text())
    (row,) = known.values()
    row[-1] = "what was remembered"
    memory.write_text(json.dumps(known))
    assert Digests(memory).of(file) == "what was remembered"


@pytest.mark.parametrize("content", ["", "[]", "3", '{"a":', '{"a": 3}', "\x00"])
def test_a_damaged_memory_is_forgotten(content: str, tmp_path: Path) -> None:
    (tmp_path / "digests.json").write_text(content)
    (tmp_path / "a").write_bytes(b"a")
    assert Digests(tmp_path / "digests.json").of(tmp_path / "a") == hashlib.sha256(b"a").hexdigest()
