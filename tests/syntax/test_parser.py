"""Whole files: what is taken, what is refused and where, and that every byte comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ParseError
from ncnnparam.syntax import MAX_COUNT, Dialect, ParamFile, parse, unparse

HEAD = "7767517\n2 2\nInput in0 0 1 in0\n"
ERRORS = Path(__file__).parent / "errors"


def strict(text: str) -> ParamFile:
    return parse(text, dialect=Dialect.STRICT)


def codes(tree: ParamFile) -> list[str]:
    return [diagnostic.code for diagnostic in tree.diagnostics]


@pytest.mark.parametrize("path", sorted(ERRORS.glob("*.param")), ids=lambda path: path.stem)
def test_error_texts(path: Path) -> None:
    """Place, line, caret and what was expected, as in the golden beside each file."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    with pytest.raises(ParseError) as caught:
        parse(text, name=path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text()
    with pytest.raises(ParseError):
        strict(text)


def test_the_error_has_its_parts() -> None:
    with pytest.raises(ParseError) as caught:
        parse(HEAD + "ReLU relu one 1 in0 out0\n", name="m.param")
    error = caught.value
    assert (error.file, error.line, error.column) == ("m.param", 4, 11)
    assert error.source_line == "ReLU relu one 1 in0 out0"
    assert error.expected == ("type name inputs outputs ...",)


def test_text_from_memory_is_called_so() -> None:
    with pytest.raises(ParseError, match=r"^<text>:4:11: "):
        parse(HEAD + "ReLU relu one 1 in0 out0\n")


@given(text=st.text() | st.text(alphabet='7 \n\r\t01=,."-aI\x1c\xa0\udc80', max_size=60))
def test_any_text_is_read_or_refused_and_never_changed(text: str) -> None:
    for start in ("", "7767517\n1 1\n", "7767517\n1 1\nInput in 0 1 in "):
        for dialect in Dialect:
            try:
                tree = parse(start + text, dialect=dialect)
            except ParseError:
                pass
            else:
                assert unparse(tree) == start + text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(end: str, last: bool) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nReLU relu 1 1 in0 out0 0=0.1\n".replace("\n", end)
    text = text if last else text.removesuffix(end)
    tree = parse(text)
    assert tree.newline == end
    assert [layer.name for layer in tree.layers] == ["in0", "relu"]
    assert tree.layers[1].params[0].text == "0=0.1"
    assert unparse(tree) == text


def test_odd_blanks_belong_to_words() -> None:
    text = "7767517\n1 1\nT\x1c\x1d n\xa0\x85\u3000 0 1 \x1eb\x1f 0=a\xa0b\n"
    (layer,) = parse(text).layers
    assert (layer.type, layer.name, layer.outputs) == ("T\x1c\x1d", "n\xa0\x85\u3000", ("\x1eb\x1f",))
    assert [param.value for param in layer.params] == ["a\xa0b"]
    assert unparse(parse(text)) == text


def test_a_head_may_span_lines_and_its_params_end_with_the_last_one() -> None:
    text = "7767517\n1 1\n\n  ReLU\nrelu 1\r\n1 in0\n\nout0 0=0.1 \nReLU b 0 1 x\n"
    first, second = parse(text).layers
    assert (first.line, first.text) == (3, "\n  ReLU\nrelu 1\r\n1 in0\n\nout0 0=0.1 \n")
    assert [param.text for param in first.params] == ["0=0.1"]
    assert second.line == 9


def test_header_and_first_record_may_share_a_line() -> None:
    text = " 7767517 1 1 ReLU relu 1 1 in0 out0\n"
    tree = parse(text)
    (layer,) = tree.layers
    assert tree.header.text == " 7767517 1 1"
    assert (layer.text, layer.line, layer.column) == (" ReLU relu 1 1 in0 out0\n", 1, 13)
    assert [(word.text, word.column) for word in layer.words()][:2] == [("ReLU", 14), ("relu", 19)]


def test_a_count_of_the_header_is_not_taken_for_a_type() -> None:
    (layer,) = parse("7767517 1\n2 T 0 0 0\n").layers
    assert (layer.type, layer.name, layer.text) == ("T", "0", " T 0 0 0\n")


def test_blank_lines_go_with_the_record_below_and_the_last_ones_trail() -> None:
    tree = parse("7767517\n1 1\n\n \nReLU r 0 1 a\n\n\t\n")
    assert tree.layers[0].text == "\n \nReLU r 0 1 a\n"
    assert tree.trailing == "\n\t\n"


def test_numbers_for_names() -> None:
    (layer,) = parse("7767517\n1 1\nInnerProduct 0=5 1 1 315 0=6 0=7\n").layers
    assert (layer.name, layer.inputs, layer.outputs) == ("0=5", ("315",), ("0=6",))
    assert [param.text for param in layer.params] == ["0=7"]


def test_oddly_spelled_counts() -> None:
    (layer,) = parse("7767517\n+01 00001\nReLU r +1 01 a b\n").layers
    assert (layer.inputs, layer.outputs) == (("a",), ("b",))


def test_a_layer_of_two_thousand_inputs() -> None:
    blobs = tuple(f"b{n}" for n in range(2000))
    (layer,) = parse(f"7767517\n1 1\nConcat c 2000 1 {' '.join(blobs)} out 0=1\n").layers
    assert layer.inputs == blobs
    assert layer.params[0].value == 1


def test_a_file_without_layers() -> None:
    tree = parse("7767517\n0 0")
    assert tree.layers == []
    assert unparse(tree) == "7767517\n0 0"


@pytest.mark.parametrize("dialect", Dialect)
def test_header_counts_have_a_limit(dialect: Dialect) -> None:
    parse(f"7767517\n1 {MAX_COUNT}\nReLU r 0 1 a\n", dialect=dialect)
    for count in (str(MAX_COUNT + 1), "999999999", "9" * 40, "9" * 5000):
        with pytest.raises(ParseError, match=r"declares 1 layers and 9*1*0*1* blobs"):
            parse(f"7767517\n1 {count}\n", dialect=dialect)


def test_a_magic_of_thousands_of_zeros_is_refused() -> None:
    with pytest.raises(ParseError):
        parse("0" * 5000 + "7767517\n1 1\n")


@pytest.mark.parametrize(
    "text", ["\x1c", "\xa0", "\u2028\n", "7767517", "7767517\n", "7767517\n1", "7767517 1 x"]
)
def test_heads_that_are_none(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


def test_characters_without_bytes_are_refused() -> None:
    with pytest.raises(ParseError, match=r"<text>:4:7: NP101 the character '.ud800' cannot be written"):
        parse(HEAD + "ReLU r\ud800 1 1 in0 out0\n")


def test_names_have_a_limit_in_bytes() -> None:
    parse(HEAD + f"ReLU {'n' * 255} 1 1 in0 out0\n")
    parse(HEAD + f"ReLU {'é' * 127} 1 1 in0 out0\n")
    for name in ("n" * 256, "é" * 128, "\udce9" * 256):
        with pytest.raises(ParseError, match="at most 255 bytes"):
            parse(HEAD + f"ReLU {name} 1 1 in0 out0\n")


# ---- dialects --------------------------------------------------------------------------------------


def test_records_after_the_declared_number() -> None:
    text = "7767517\n1 9\nInput a 0 1 a\nReLU r 1 1 a b\nsome words\n"
    assert [layer.name for layer in parse(text).layers] == ["a", "r"]
    assert parse(text).trailing == "some words\n"
    assert [layer.name for layer in strict(text).layers] == ["a"]
    assert strict(text).trailing == "ReLU r 1 1 a b\nsome words\n"


def test_bad_text_within_the_declared_number_is_an_error() -> None:
    with pytest.raises(ParseError):
        parse("7767517\n3 9\nInput a 0 1 a\nReLU r 1 1 a b\nsome words\n")


def test_too_few_records() -> None:
    assert len(parse("7767517\n2 2\nInput a 0 1 a\n").layers) == 1
    with pytest.raises(ParseError, match="declares 2 layers and has 1"):
        strict("7767517\n2 2\nInput a 0 1 a\n")


@pytest.mark.parametrize("counts", ["0 1", "1 0", "-1 1"])
def test_counts_below_one(counts: str) -> None:
    parse(f"7767517\n{counts}\nInput a 0 1 a\n")
    with pytest.raises(ParseError, match="counts from 1"):
        strict(f"7767517\n{counts}\nInput a 0 1 a\n")


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("0=2.f", "junk-number", 2.0),
        ("0=0.25f", "junk-number", 0.25),
        ("0=12abc", "junk-number", 12),
        ("0=1,2.5", "junk-number", (1, 2)),
        ("0=0x10", "junk-number", 0),
        ("32=5", "id-range", 5),
        ("-1=5", "id-range", 5),
    ],
)
def test_what_only_older_readers_take(text: str, code: str, value: object) -> None:
    tree = parse(HEAD + f"ReLU relu 1 1 in0 out0 9=1 {text} 8=1\n")
    assert codes(tree) == [code]
    assert tree.layers[1].params[1].value == value
    assert tree.layers[1].params[1].text == text
    (diagnostic,) = tree.diagnostics
    assert diagnostic.span.line == 4
    with pytest.raises(ParseError):
        strict(HEAD + f"ReLU relu 1 1 in0 out0 {text}\n")


def test_params_in_a_line_of_their_own() -> None:
    text = HEAD + "ReLU relu 1 1 in0 out0 0=0.1\n  1=2 -23303=1,5\n3=4\nReLU b 1 1 out0 c\n"
    tree = parse(text)
    assert [layer.name for layer in tree.layers] == ["in0", "relu", "b"]
    assert [param.text for param in tree.layers[1].params] == ["0=0.1", "1=2", "-23303=1,5", "3=4"]
    assert codes(tree) == ["continued-params"] * 2
    assert [(d.span.line, d.span.column, d.span.length) for d in tree.diagnostics] == [(5, 3, 14), (6, 1, 3)]
    span = tree.layers[1].param_span(2)
    assert (span.line, span.column, span.length) == (5, 7, 10)
    assert unparse(tree) == text
    with pytest.raises(ParseError):
        strict(text.replace("2 2", "3 3"))


def test_a_type_that_looks_like_a_param() -> None:
    text = HEAD + "0=5 name 1 1 in0 out0\n"
    for tree in (parse(text), strict(text)):
        assert tree.layers[1].type == "0=5"


def test_mixed_arrays_are_noted_in_both_dialects() -> None:
    text = HEAD + "Reshape r 1 1 in0 out0 -23303=2,1,1.5\n"
    assert codes(parse(text)) == codes(strict(text)) == ["mixed-array"]


def test_repeated_ids_are_all_kept() -> None:
    tree = parse(HEAD + "ReLU relu 1 1 in0 out0 0=1.0 0=2.0\n")
    assert [param.value for param in tree.layers[1].params] == [1.0, 2.0]


# ---- real files ------------------------------------------------------------------------------------


def test_real_files_come_back_byte_for_byte(shared: Path) -> None:
    read = 0
    for path in sorted((shared / "corpus").rglob("*.param")):
        data = path.read_bytes()
        try:
            tree = parse(data.decode("utf-8", "surrogateescape"))
        except ParseError:
            continue
        assert unparse(tree).encode("utf-8", "surrogateescape") == data, path
        read += 1
    assert read > 100
