"""Tokens and the words that they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam import loads
from ncnnparam.errors import ConfigError, FileError
from ncnnparam.speech.tokens import read_tokens, require_fit, to_text

JOINER = loads("7767517\n2 2\nInput a 0 1 in0\nInnerProduct b 1 1 in0 out0 0=3 2=9\n").graph


def test_text(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("<blk> 0\n▁HE 1\nLLO 2\n\n▁YOU 3\n", encoding="utf-8")
    assert to_text((1, 2, 3, 7), read_tokens(tokens)) == "HELLO YOU<7>"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "tokens.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_order_and_ends_of_lines_do_not_matter(tmp_path: Path) -> None:
    words = read_tokens(write(tmp_path, "a 1\r\n\r\n<blk> 0"))
    assert list(words.items()) == [(0, "<blk>"), (1, "a")]


def test_symbols_of_decoding_graphs_are_no_tokens(tmp_path: Path) -> None:
    assert read_tokens(write(tmp_path, "<blk> 0\na 1\n#0 2\n#1 3\n")) == {0: "<blk>", 1: "a"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<blk> 0\na 1\nb 1\n", r"tokens\.txt:3: the id 1 was given to 'a' on line 2"),
        ("<blk> 0\na 1\nb 3\n", r"tokens\.txt:3: the id 2 is missing before 3"),
        ("<blk> 0\nA B 1\n", r"tokens\.txt:2: a line of a tokens\.txt is a token and its id"),
        ("<blk> 0\nA x\n", r"tokens\.txt:2: a line of a tokens\.txt"),
        ("<blk> 0\nA -1\n", "a token and its id"),
        ("<blk> 0\nA 99999999999\n", "a token and its id"),
        ("<blk> 0\nA \u0661\n", "a token and its id"),
    ],
)
def test_texts_that_are_wrong(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_tokens(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<blk> 0\n\xff\xfe 1\n", r"tokens\.txt:2: this is no UTF-8"),
        ("version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (bytes((16 << 20) + 1), "more than"),
    ],
)
def test_files_that_are_something_else(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        read_tokens(write(tmp_path, content))


def test_a_word_for_each_logit() -> None:
    require_fit(("<blk>", "a", "b"), "tokens.txt", JOINER)
    for words in (("<blk>", "a"), ("<blk>", "a", "b", "c")):
        with pytest.raises(ConfigError, match=r"^tokens\.txt has . tokens, and the joiner gives 3 logits"):
            require_fit(words, "tokens.txt", JOINER)
