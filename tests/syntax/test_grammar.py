"""The grammar is the definition: a parse by Lark alone says what the fast parser says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from ncnnparam.errors import ParseError
from ncnnparam.syntax import Dialect, ParamFile, parse, unparse
from ncnnparam.syntax.grammar import parser, terminal
from tests.syntax.files import Made, Record, made_files
from tests.syntax.reference import describe, read, spelled, tokens


def found(tree: ParamFile) -> list[Record]:
    return [
        Record(la.type, la.name, la.inputs, la.outputs, tuple(p.text for p in la.params))
        for la in tree.layers
    ]


@given(made=made_files())
@settings(deadline=None, max_examples=150)
def test_lark_and_the_parser_find_what_was_put_in(made: Made) -> None:
    tree = parse(made.text)
    assert found(tree) == made.records
    assert (tree.header.layer_count, tree.header.blob_count) == made.counts
    assert read(made.text) == spelled(tree)
    assert unparse(tree) == made.text


@given(made=made_files(ascii_only=True))
@settings(deadline=None, max_examples=100)
def test_lark_and_the_fast_split_find_what_was_put_in(made: Made) -> None:
    tree = parse(made.text)
    assert found(tree) == made.records
    assert read(made.text) == spelled(tree)
    assert unparse(tree) == made.text


@given(made=made_files())
@settings(deadline=None, max_examples=100)
def test_strict_reads_the_same(made: Made) -> None:
    if min(made.counts) > 0:
        tree = parse(made.text, dialect=Dialect.STRICT)
        assert found(tree) == made.records
        assert unparse(tree) == made.text


def corpus_files(shared: Path) -> list[Path]:
    return sorted((shared / "corpus").rglob("*.param"))


def check_corpus(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        try:
            tree = parse(text)
        except ParseError:
            continue
        assert unparse(tree) == text, path
        assert read(text.removesuffix(tree.trailing)) == spelled(tree), path
        count += 1
    return count


def test_lark_and_the_parser_agree_on_real_files(shared: Path) -> None:
    small = [path for path in corpus_files(shared) if path.stat().st_size < 6_000]
    assert check_corpus(small) > 10


@pytest.mark.nightly
def test_lark_and_the_parser_agree_on_all_real_files(shared: Path) -> None:
    assert check_corpus(corpus_files(shared)) > 100


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("0=1", "int"),
        ("31=-5", "int"),
        ("0=+5", "int"),
        ("0=1.", "float"),
        ("0=.5", "float"),
        ("0=1e5", "float"),
        ("0=1.0e-05", "float"),
        ("0=2.f", "float"),
        ("0=0x10", "int"),
        ("0=nan", "string"),
        ("0=inf", "string"),
        ("0=a,b", "string"),
        ('0="1w,1h,128"', "quoted"),
        ('0=""', "quoted"),
        ("-23300=0", "old array"),
        ("-23331=2,1,2", "old array"),
        ("-23303=1,1.5", "old array"),
        ("3=1,2", "new array"),
        ("3=1,", "new array"),
        ("3=1,2,", "new array"),
        ("-23332=5", "int"),
        ("-233000=1", "int"),
    ],
)
def test_the_rule_param_knows_each_style(text: str, style: str) -> None:
    assert describe(text) == (text, style)


def test_words_are_parted_by_cs_blanks_only() -> None:
    text = "a\tb\vc\fd \x1ce\xa0f\x85 g\u3000"
    assert [str(word) for word in tokens(text, "words")] == ["a", "b", "c", "d", "\x1ce\xa0f\x85", "g\u3000"]


def test_a_quoted_string_is_one_param() -> None:
    assert [str(param) for param in tokens('0=1 6="1w, 1h" 7=2', "params")] == ["0=1", '6="1w, 1h"', "7=2"]


def test_lines_end_in_any_of_three_ways() -> None:
    assert tokens("a\nb\r\nc\rd\n\r\ne", "file") == ["a\n", "b\r\n", "c\r", "d\n", "\r\n", "e"]
    assert tokens("a\v\f\x1c\x85\u2028b", "file") == ["a\v\f\x1c\x85\u2028b"]


def test_parsers_and_terminals_are_made_once() -> None:
    assert parser("param") is parser("param")
    assert terminal("param", "WORD") is terminal("param", "WORD")
