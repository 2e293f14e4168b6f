"""Tokens from models of sentencepiece and from text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.export import read_tokens, write_tokens
from ncnnparam.export.tokens import Tokens

GOOD = "<blk> 0\n<sos/eos> 1\n<unk> 2\n▁THE 3\n"


def text(tmp_path: Path, content: str | bytes, name: str = "tokens.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as icefall trains it."""
    sentencepiece = pytest.importorskip("sentencepiece")
    path = tmp_path_factory.mktemp("lang") / "bpe.model"
    words = "one two three four five six seven eight nine ten".upper()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([words] * 20),
        model_prefix=str(path.with_suffix("")),
        vocab_size=30,
        model_type="bpe",
        user_defined_symbols=["<blk>", "<sos/eos>"],
        unk_id=2,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    return path


def test_a_model_gives_what_icefall_writes(model: Path, tmp_path: Path) -> None:
    tokens = read_tokens(model)
    assert (tokens.size, tokens.blank, tokens.unknown) == (30, 0, 2)
    written = write_tokens(tokens, tmp_path / "tokens.txt")
    lines = written.read_text(encoding="utf-8").split("\n")
    assert lines[:3] == ["<blk> 0", "<sos/eos> 1", "<unk> 2"]
    assert len(lines) == 31
    assert read_tokens(written).words == tokens.words


@given(
    st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1).map(lambda word: f"w{word}"))
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("tokens") / "tokens.txt"
    tokens = Tokens(("<blk>", *words), path)
    assert read_tokens(write_tokens(tokens, path)) == tokens


@pytest.mark.parametrize(
    ("content", "message"),
    [("<eps> 0\nA 1\n", "has no blank: 0 is '<eps>'"), ("", "has no blank: it is empty")],
)
def test_the_first_token_is_the_blank(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_tokens(text(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("version https://git-lfs.github.com/spec/v1\n", "bpe.model", "git-lfs pointer"),
        ("<html>", "bpe.model", "HTML or XML page"),
        (b"\x00\x01no model", "bpe.model", "no model of sentencepiece"),
        (bytes((16 << 20) + 1), "bpe.model", "more than"),
    ],
)
def test_files_that_are_something_else(content: str | bytes, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        read_tokens(text(tmp_path, content, name))


@pytest.mark.parametrize("name", ["bpe.model", "tokens.txt"])
def test_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        read_tokens(tmp_path / name)


def test_without_the_unknown_token(tmp_path: Path) -> None:
    assert read_tokens(text(tmp_path, "a 1\n<blk> 0")).unknown is None
