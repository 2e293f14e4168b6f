"""Tokens and the words that they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam import loads
from ncnnparam.errors import ConfigError
from ncnnparam.speech.tokens import read_tokens, require_words, to_text

JOINER = loads("7767517\n2 2\nInput a 0 1 in0\nInnerProduct b 1 1 in0 out0 0=3 2=9\n").graph


def test_text(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("<blk> 0\n▁HE 1\nLLO 2\n\n▁YOU 3\n", encoding="utf-8")
    assert to_text((1, 2, 3, 7), read_tokens(tokens)) == "HELLO YOU<7>"


def test_a_line_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("a 0\nb x\n")
    with pytest.raises(ConfigError, match=r"tokens\.txt:2: a line of a tokens\.txt"):
        read_tokens(tmp_path / "tokens.txt")


def test_a_word_for_each_logit() -> None:
    words = {0: "<blk>", 1: "a", 2: "b"}
    require_words(words, "tokens.txt", JOINER)
    require_words({**words, 3: "#0", 4: "#1"}, "tokens.txt", JOINER)
    for wrong in ({0: "<blk>", 1: "a"}, {0: "<blk>", 1: "a", 3: "b"}, {**words, 3: "c"}):
        with pytest.raises(ConfigError, match="and the joiner gives 3 logits"):
            require_words(wrong, "tokens.txt", JOINER)
