"""Text of params to values."""

from __future__ import annotations

import pytest

from ncnnparam.errors import ParseError
from ncnnparam.syntax import Param, Style, Value, parse_params
from ncnnparam.syntax.params import ParamsError, read_params


def one(text: str) -> Param:
    (param,) = parse_params(text)
    return param


@pytest.mark.parametrize(
    ("text", "id", "value", "style"),
    [
        ("0=1", 0, 1, Style.INT),
        ("+5=-7", 5, -7, Style.INT),
        ("007=+08", 7, 8, Style.INT),
        ("0=2147483647", 0, 2147483647, Style.INT),
        ("0=-2147483648", 0, -2147483648, Style.INT),
        ("0=1.0e-05", 0, 1e-5, Style.FLOAT),
        ("0=.5", 0, 0.5, Style.FLOAT),
        ("0=5.", 0, 5.0, Style.FLOAT),
        ("0=1E3", 0, 1000.0, Style.FLOAT),
        ("0=3.402823e38", 0, 3.402823e38, Style.FLOAT),
        ("0=1e-999", 0, 0.0, Style.FLOAT),
        ("0=nan", 0, "nan", Style.STRING),
        ("0=a,b=c", 0, "a,b=c", Style.STRING),
        ('6="1w,1h,128"', 6, "1w,1h,128", Style.QUOTED),
        ('6="a b\tc"', 6, "a b\tc", Style.QUOTED),
        ('6=""', 6, "", Style.QUOTED),
        ("-23300=0", 0, (), Style.OLD_ARRAY),
        ("-23303=2,5,6", 3, (5, 6), Style.OLD_ARRAY),
        ("-23331=1,0.5", 31, (0.5,), Style.OLD_ARRAY),
        ("-023303=1,1", 3, (1,), Style.OLD_ARRAY),
        ("3=1,", 3, (1,), Style.NEW_ARRAY),
        ("3=1,2,3", 3, (1, 2, 3), Style.NEW_ARRAY),
        ("3=1.5,2", 3, (1.5, 2.0), Style.NEW_ARRAY),
        ("3=1.5,99999999999", 3, (1.5, 99999999999.0), Style.NEW_ARRAY),
    ],
)
def test_values(text: str, id: int, value: Value, style: Style) -> None:
    param = one(text)
    assert (param.id, param.value, param.style, param.text) == (id, value, style, text)
    assert type(param.value) is type(value)


@pytest.mark.parametrize("blank", [" ", "\t", "\v", "\f", "  \t "])
def test_blanks_part_params(blank: str) -> None:
    params = parse_params(f"{blank}0=1{blank}1=2.5{blank}\n")
    assert [param.text for param in params] == ["0=1", "1=2.5"]


def test_no_params() -> None:
    assert parse_params("") == parse_params(" \n") == ()


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("0", 1, "is no param"),
        ("0=", 3, "ends too early"),
        ("=1", 1, "is no param"),
        ("a=1", 1, "is no param"),
        ("0=1 b", 5, "is no param"),
        ("0=1 1=1,,2", 9, "is no param"),
        ("0=-inf", 3, "is no param"),
        ('0="abc', 3, "is no param"),
        ('0="a"b', 3, "is no param"),
        ("0=2147483648", 3, "beyond a 32-bit int"),
        ("0=1e39", 3, "beyond a 32-bit float"),
        ("0=340282356779733661637539395458142568448.0", 3, "beyond a 32-bit float"),
        ("9999999999=1", 1, "beyond a 32-bit int"),
        ("0000000000000001=1", 1, "at most 15 characters"),
        ("0=" + "1" * 128, 3, "at most 127 characters"),
        ("0=0." + "1" * 126, 3, "at most 127 characters"),
        ("0=" + "a" * 256, 3, "at most 255 bytes"),
        ('0="' + "é" * 128 + '"', 3, "at most 255 bytes"),
        ("-23300=2,1", 8, "says it has 2 elements, and has 1"),
        ("-23300=1,1,2", 8, "says it has 1 elements, and has 2"),
        ("-23300=-1", 8, "elements"),
        ("0=1,a", 5, "is no param"),
    ],
)
def test_refused(text: str, column: int, says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        parse_params(text)
    assert (caught.value.line, caught.value.column) == (1, column)
    with pytest.raises(ParseError) as caught:
        parse_params("  " + text)
    assert caught.value.column == column + 2


def test_an_endless_exponent_costs_nothing() -> None:
    # with exact arithmetic, 10**999999999 would never end
    with pytest.raises(ParseError, match="beyond"):
        parse_params("0=1e999999999")
    assert one("0=1e-999999999").value == 0.0


def test_the_largest_float_is_taken_by_its_exact_text() -> None:
    param = one("0=340282356779733661637539395458142568447.0")  # one below the half way to infinity
    assert param.value == 3.4028234663852886e38
    assert param.same_value(one("0=3.4028235e+38"))


def test_notes_have_places() -> None:
    found = read_params("0=1 1=2.f -23302=2,1,0.5")
    assert [(note.code, note.offset, note.length) for note in found.notes] == [
        ("junk-number", 6, 3),
        ("mixed-array", 10, 6),
    ]


def test_lists_are_read_once() -> None:
    assert read_params("0=1 1=2") is read_params("0=1 1=2")
    assert read_params("0=1 1=2").params[0] is read_params("0=1 1=3").params[0]


def test_errors_are_not_remembered_as_values() -> None:
    for _ in range(2):
        with pytest.raises(ParamsError):
            read_params("0=1 nonsense")
