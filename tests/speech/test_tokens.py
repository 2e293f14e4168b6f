"""Tokens and the words that they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError
from ncnnparam.speech.tokens import read_tokens, to_text


def test_text(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("<blk> 0\n▁HE 1\nLLO 2\n\n▁YOU 3\n", encoding="utf-8")
    assert to_text((1, 2, 3, 7), read_tokens(tokens)) == "HELLO YOU<7>"


def test_a_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("a 0\nb x\n")
    with pytest.raises(ConfigError, match=r"tokens\.txt:2: a line of a tokens\.txt"):
        read_tokens(tmp_path / "tokens.txt")
