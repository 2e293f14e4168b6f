"""Places of words and params, and trees made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ncnnparam.syntax import Header, LayerLine, ParamFile, Span, parse, unparse
from ncnnparam.syntax.tree import place
from tests.syntax.files import Made, made_files

TEXT = (
    "7767517\r\n2 3\r\nInput in0 0 1 in0\r\n\r\n"
    '  Reshape r0\r\n\t1 1 in0 out0  0=1 6="two words" -23303=1,0=7\r\n'
)


def lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def test_words_and_spans() -> None:
    layer = parse(TEXT.replace(",0=7", ",7")).layers[1]
    assert [(word.text, word.line, word.column) for word in layer.words()] == [
        ("Reshape", 5, 3),
        ("r0", 5, 11),
        ("1", 6, 2),
        ("1", 6, 4),
        ("in0", 6, 6),
        ("out0", 6, 10),
        ("0=1", 6, 16),
        ('6="two', 6, 20),
        ('words"', 6, 27),
        ("-23303=1,7", 6, 34),
    ]
    assert layer.word_span(5) == Span(6, 10, 4)
    assert [layer.param_span(index) for index in range(3)] == [
        Span(6, 16, 3),
        Span(6, 20, 13),
        Span(6, 34, 10),
    ]
    assert layer.source_line(5) == "  Reshape r0"
    assert layer.source_line(6).startswith("\t1 1 in0")


def test_a_param_is_not_taken_for_one_that_it_begins() -> None:
    layer = parse("7767517\n1 1\nT 0=1 1 1 0=1 10=1 10=1 0=11 0=1\n").layers[0]
    spans = [layer.param_span(index) for index in range(3)]
    assert [(span.column, span.length) for span in spans] == [(20, 4), (25, 4), (30, 3)]


@given(made=made_files())
@settings(deadline=None, max_examples=100)
def test_each_place_shows_its_text(made: Made) -> None:
    tree = parse(made.text)
    lines = lines_of(made.text)

    def shown(span: Span) -> str:
        return lines[span.line - 1][span.column - 1 : span.column - 1 + span.length]

    counts = shown(tree.header.span).split()
    assert counts[:1] == [str(tree.header.layer_count)]
    for layer in tree.layers:
        head = [layer.type, layer.name, str(len(layer.inputs)), str(len(layer.outputs))]
        for index, word in enumerate([*head, *layer.inputs, *layer.outputs]):
            assert shown(layer.word_span(index)) == word
        for index, param in enumerate(layer.params):
            assert shown(layer.param_span(index)) == param.text
        for text, line, column in layer.words():
            assert shown(Span(line, column, len(text))) == text
        assert lines[layer.line - 1].endswith(layer.source_line(layer.line).lstrip())


@pytest.mark.parametrize(
    ("offset", "where"),
    [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (3, (2, 2)), (5, (3, 1)), (6, (4, 1)), (7, (4, 2))],
)
def test_place(offset: int, where: tuple[int, int]) -> None:
    assert place("a\nb\r\n\rcd", offset) == where


def test_place_in_a_text_that_begins_within_a_line() -> None:
    assert place("ab\ncd", 1, 7, 10) == (7, 11)
    assert place("ab\ncd", 4, 7, 10) == (8, 2)


def test_a_tree_made_by_hand_prints() -> None:
    layer = LayerLine("Input in0 0 1 in0\n", "Input", "in0", (), ("in0",), ())
    tree = ParamFile(Header("7767517\n1 1\n", 1, 1, Span(2, 1, 3)), [layer])
    assert unparse(tree) == "7767517\n1 1\nInput in0 0 1 in0\n"
    assert repr(layer) == "<LayerLine 0: Input in0 0 1 in0>"
