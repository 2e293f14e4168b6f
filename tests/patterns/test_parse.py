"""Texts of patterns: what they say, and the errors of those that say nothing."""

from __future__ import annotations

from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ncnnparam.errors import ParseError
from ncnnparam.patterns import parse_pattern, parse_replacement, parse_rules
from ncnnparam.patterns.conditions import Bound, Literals
from ncnnparam.patterns.pattern import Quantity
from ncnnparam.patterns.replacement import Setting, Spread

TWO = "ReLU a 1 1 x y 0=?s\nReLU b 1 1 y z"


def test_a_line_says_what_a_layer_line_says() -> None:
    pattern = parse_pattern(
        """
        # two layers
        Conv*|InnerProduct  conv   1 1  x y   activation_type!=relu|clip 0>64 -23310=1,0.1   # and a comment
        Concat              cat?   1 1  y z   axis=?axis
        Slice               slice  1 *  z all
        """
    )
    conv, cat, last = pattern.lines
    assert (conv.types.text, conv.name, conv.inputs, conv.outputs) == (
        "Conv*|InnerProduct",
        "conv",
        ("x",),
        ("y",),
    )
    assert [(c.key, c.compare) for c in conv.conditions] == [
        ("activation_type", "!="),
        (0, ">"),
        (10, "="),
    ]
    assert conv.conditions[0].operand == Literals(("relu", "clip"), "relu|clip")
    assert conv.conditions[2].operand == Literals(((0.1,),), "1,0.1")
    assert cat.quantity is Quantity.OPTIONAL
    assert cat.conditions[0].operand == Bound("axis")
    assert last.all_outputs
    assert pattern.groups == {"all"}
    assert (pattern.inputs, pattern.outputs, pattern.bound) == (("x",), ("all",), {"axis"})


def test_outputs_are_what_is_not_read_inside_or_marked() -> None:
    assert parse_pattern("ReLU a 1 1 x >y\nReLU b 1 1 y z").outputs == ("y", "z")
    assert parse_pattern(TWO).outputs == ("z",)


def test_inputs_in_any_order() -> None:
    (line,) = parse_pattern("Eltwise e 4 1 a {b c} d out").lines
    assert line.inputs == ("a", "b", "c", "d")
    assert line.any_order == ((1, 2),)


def test_the_search_goes_up_from_the_last_single_line() -> None:
    steps = parse_pattern("MemoryData c 0 1 b\nReLU r 1 1 x a\nBinaryOp m 2 1 a b y\nNoop n* 1 1 y z").steps
    assert [(step.line.name, step.via, step.up) for step in steps] == [
        ("m", "", False),
        ("r", "a", True),
        ("c", "b", True),
        ("n", "y", False),
    ]


def test_a_replacement_says_where_params_come_from() -> None:
    pattern = parse_pattern(TWO + "\nReLU c 1 1 x z2")
    replacement = parse_replacement("ReLU a 1 1 x z **b 0=?s\nz2 = x", pattern)
    (line,) = replacement.layers
    assert (line.type, line.name, line.inputs, line.outputs) == ("ReLU", "a", ("x",), ("z",))
    assert line.settings == (Spread("b"), Setting(0, Bound("s")))
    assert replacement.joins == (("z2", "x"),)
    unset = parse_replacement("* a 1 1 x z **a slope=", parse_pattern(TWO)).layers[0]
    assert (unset.type, unset.settings[1]) == (None, Setting("slope", None))


def test_rules_have_names() -> None:
    text = "Noop n 1 1 x y\n=>\ny = x\n"
    rules = parse_rules(f"{text}---\n{text}--- the third # why\n{text}")
    assert [rule.name for rule in rules] == ["rule 1", "rule 2", "the third"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end(end: str) -> None:
    rules = "--- one\n\n# why\nReLU r 1 1 x y\n=>\ny = x\n\n--- two\nReLU r 1 1 x y\n=>\ny = x"
    assert len(parse_rules(rules.replace("\n", end))) == 2


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 0), "the pattern is empty"),
        ("ReLU", (1, 5), "the line ends too early"),
        ("ReLU r 1 1 x", (1, 12), "the counts say 1 and 1 blobs, and there are 1"),
        ("ReLU r 1 1 x y z", (1, 12), "there are 3"),
        ("ReLU r -1 1 x y", (1, 13), "the counts say -1"),
        ("ReLU r x y", (1, 8), "'x' has no place here"),
        ("ReLU 5 1 1 x y", (1, 6), "'5' has no place here"),
        ("Noop a 1 1 x y\nNoop a 1 1 y z", (2, 6), "'a' stands for the layer of line 1 already"),
        ("Noop a 1 1 x y\nNoop b 1 1 x y", (2, 14), "'y' is written in line 1 already"),
        ("Noop a 1 1 x _", (1, 14), "an output needs a name"),
        ("Noop a 1 1 >x y", (1, 12), "where it is written"),
        ("Slice s 1 2 x {y z}", (1, 16), "braces stand around inputs"),
        ("Eltwise e 5 1 {a b c d e} y", (1, 16), "at most 4"),
        ("Concat c+ 2 1 a b y\nNoop n 1 1 y z", (1, 8), "one input and one output may be missing"),
        ("Noop n* 1 1 x y", (1, 6), "one must be just one"),
        ("Split s 1 2 x y z", (1, 1), "they are seen through"),
        ("Noop a 1 1 x y\nNoop b 1 1 u v", (1, 6), "'a' shares no blob"),
        ("Concat c * 1 xs y\nConcat d * 1 xs z", (1, 8), "shares no blob"),
        ("Concat c * 1 a b y", (1, 14), "there are 3"),
        ("ReLU r 1 1 x y slop=1", (1, 16), "ReLU has no param 'slop'"),
        ("ReLU|Swish r 1 1 x y slope=1", (1, 22), "Swish has no param 'slope'"),
        ("Rulu r 1 1 x y slope=1", (1, 16), "Rulu is not known"),
        ("BinaryOp b 2 1 x y z op_type=mull", (1, 30), "op_type is of type int, not 'mull'"),
        ("ReLU r 1 1 x y 0=99999999999", (1, 18), "beyond a 32-bit int"),
        ("ReLU r 1 1 x y 0=2.f", (1, 18), "something behind the number"),
        ("ReLU r 1 1 x y 0={n*}", (1, 18), "is no formula"),
        ("ReLU r 1 1 x y 0={n}", (1, 6), "nothing gives n in {n} a value"),
        ("ReLU r 1 1 x y 0>?n", (1, 6), "?n has no value yet"),
        ("ReLU r 1 1 x y **r", (1, 16), "'**r' has no place here"),
        ("ReLU r 1 1 x y 0=", (1, 16), "'0=' has no place here"),
        ("\n" + "".join(f"Noop n{i} 1 1 b{i} b{i + 1}\n" for i in range(65)), (66, 1), "more than 64 lines"),
    ],
)
def test_no_pattern(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_pattern(text, name="a.txt")
    assert (caught.value.line, caught.value.column) == place
    assert message in caught.value.message
    assert str(caught.value).startswith("a.txt:")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 0), "does not say what becomes of 'z'"),
        ("Noop n 1 1 x y", (0, 0), "does not say what becomes of 'z'"),
        ("Noop n 1 1 y z", (1, 12), "nothing above writes 'y'"),
        ("Noop n 1 1 x x", (1, 14), "'x' comes from outside"),
        ("Noop n 1 1 x z\nNoop m 1 1 x z", (2, 14), "'z' is written already"),
        ("Noop n 1 1 x z\nz = x", (2, 1), "'z' is written already"),
        ("q = x\nz = x", (1, 1), "'q' is no output"),
        ("Noop n 1 1 x _", (1, 14), "name the blob"),
        ("* n 1 1 x z", (1, 1), "'n' is none"),
        ("Re* a 1 1 x z", (1, 1), "a new layer has one type"),
        ("Noop n? 1 1 x z", (1, 6), "each of its layers once"),
        ("Noop n 1 1 x y\nNoop n 1 1 y z", (2, 6), "two layers 'n'"),
        ("Noop n 1 1 {x} z", (1, 13), "in one order"),
        ("Noop n 1 1 x >z", (1, 14), "in patterns only"),
        ("Concat c * 1 x z", (1, 14), "'x' stands for one blob"),
        ("Noop n 1 1 x z **q", (1, 16), "'q' is no single layer"),
        ("Noop n 1 1 x z 0>1", (1, 17), "with ="),
        ("Noop n 1 1 x z 0=1|2", (1, 17), "one value"),
        ("Noop n 1 1 x z 0=?q", (1, 18), "gives ?q a value"),
        ("Noop n 1 1 x z 0={q+1}", (1, 18), "gives ?q a value"),
        ("* a 1 1 x z slop=", (1, 13), "ReLU has no param 'slop'"),
    ],
)
def test_no_replacement(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_replacement(text, parse_pattern(TWO))
    assert (caught.value.line, caught.value.column) == place
    assert message in caught.value.message


def test_only_a_single_layer_goes_on() -> None:
    pattern = parse_pattern("Noop n* 1 1 x y\nReLU r 1 1 y z")
    with pytest.raises(ParseError, match="no single layer goes on"):
        parse_replacement("Noop n 1 1 x z", pattern)
    with pytest.raises(ParseError, match="no single layer"):
        parse_replacement("Noop m 1 1 x z **n", pattern)


def test_groups_stay_groups() -> None:
    pattern = parse_pattern("Concat c * 1 all y\nNoop n 1 1 y z")
    with pytest.raises(ParseError, match="the count is"):
        parse_replacement("Concat c 1 1 all z", pattern)
    with pytest.raises(ParseError, match="several blobs"):
        parse_replacement("z = all", pattern)


def test_the_error_shows_the_line() -> None:
    with pytest.raises(ParseError) as caught:
        parse_rules("--- one\nReLU r 1 1 x y slop=1\n=>\ny = x", name="rules.txt")
    assert str(caught.value).splitlines()[:3] == [
        "rules.txt:2:16: ReLU has no param 'slop'",
        "    ReLU r 1 1 x y slop=1",
        "                   ^",
    ]


@pytest.mark.parametrize("text", ["", "# nothing", "---\n", "ReLU r 1 1 x y", "=>", "=>\ny = x"])
def test_no_rules(text: str) -> None:
    with pytest.raises(ParseError):
        parse_rules(text)


@given(st.text(st.sampled_from("ReLU r 1 2 x y z 0=?n{}>*|+-_#\"'\\\n\r\t=>\0é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ParseError):
        assert parse_pattern(text).lines
    with suppress(ParseError):
        assert all(rule.pattern.lines for rule in parse_rules(text))
