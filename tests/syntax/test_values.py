"""Values and their spelling."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ncnnparam.syntax import Param, Style, parse_params, spell
from ncnnparam.syntax.values import FLOAT_LIMIT, FLOAT_MAX

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
doubles = st.floats(min_value=-FLOAT_MAX, max_value=FLOAT_MAX)


def float32(number: float) -> bytes:
    return struct.pack("<f", number)


def check_spelling(number: float) -> None:
    text = spell(number)
    assert float32(float(text)) == float32(number)
    assert "." in text or "e" in text
    assert len(text) <= 15
    mantissa = text.lower().partition("e")[0]
    assert len(mantissa.partition(".")[2]) < 10
    (param,) = parse_params(f"0={text}")
    assert param.style is Style.FLOAT


@given(floats32)
@example(0.0)
@example(-0.0)
@example(FLOAT_MAX)
@example(-FLOAT_MAX)
@example(1e-45)
@example(-1.1754943508222875e-38)
@example(0.00012345679)
@example(123456792.0)
def test_a_float_reads_back(number: float) -> None:
    check_spelling(number)


@given(doubles)
@example(1 + 3 * 2**-24 - 2**-50)  # nine digits of the double would round to the next float32
@example(FLOAT_LIMIT - 2.0**70)
def test_a_double_reads_back_as_its_float32(number: float) -> None:
    if abs(number) < FLOAT_LIMIT:
        check_spelling(number)


@given(floats32)
def test_no_shorter_number_of_digits_will_do(number: float) -> None:
    digits = len(spell(number).lower().partition("e")[0].strip("-0").replace(".", "").strip("0"))
    if digits > 1:
        shorter = float(f"{number:.{digits - 1}g}")
        assert abs(shorter) >= FLOAT_LIMIT or float32(shorter) != float32(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1"),
        (1.0, "1.0"),
        (1e-5, "1e-05"),
        (2.0, "2.0"),
        (1e20, "1e+20"),
        (-233, "-233"),
        (0.000012345678, "1.2345678e-05"),
        (math.pi, "3.1415927"),
    ],
)
def test_spellings(number: float, text: str) -> None:
    assert spell(number) == text


@pytest.mark.parametrize(
    "number", [2**31, -(2**31) - 1, 10**400, 1e39, math.inf, -math.inf, math.nan, FLOAT_LIMIT]
)
def test_numbers_without_a_spelling(number: float) -> None:
    with pytest.raises(ValueError, match=r"32-bit"):
        spell(number)


# ---- Param.make ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (5, None, "3=5"),
        (0.5, None, "3=0.5"),
        (2.0, None, "3=2.0"),
        ((1, 2), None, "-23303=2,1,2"),
        ([1, 2], None, "-23303=2,1,2"),
        ((), None, "-23303=0"),
        ((), Style.NEW_ARRAY, "-23303=0"),
        ((1, 2), Style.NEW_ARRAY, "3=1,2"),
        ((1,), Style.NEW_ARRAY, "3=1,"),
        ((1, 0.5), None, "-23303=2,1.0,0.5"),
        ("abc", None, "3=abc"),
        ("abc", Style.QUOTED, '3="abc"'),
        ('a"b', None, '3=a"b'),
        ("1w,1h", None, '3="1w,1h"'),
        ("two words", None, '3="two words"'),
        ("", None, '3=""'),
        ("é", None, '3="é"'),
    ],
)
def test_make(value: object, style: Style | None, text: str) -> None:
    param = Param.make(3, value, style)
    assert param.text == text
    assert parse_params(text) == (param,)


@pytest.mark.parametrize(
    ("id", "value", "style", "said"),
    [
        (32, 1, None, "is not within 0 to 31"),
        (-1, 1, None, "is not within 0 to 31"),
        (True, 1, None, "is not within 0 to 31"),
        (1.0, 1, None, "is not within 0 to 31"),
        ("0", 1, None, "is not within 0 to 31"),
        (0, True, None, "a param is an int, a float, a string or a list"),
        (0, None, None, "a param is an int, a float, a string or a list"),
        (0, (1, True), None, "an array holds numbers, not"),
        (0, (1, "a"), None, "an array holds numbers, not"),
        (0, (0.5, 10**400), None, "is beyond a 32-bit"),
        (0, math.inf, None, "is no finite 32-bit float"),
        (0, 2**31, None, "is beyond a 32-bit"),
        (0, "a\0b", None, "there are no escapes"),
        (0, '"', None, "there are no escapes"),
        (0, 'a"b', Style.QUOTED, "there are no escapes"),
        (0, 'a "b"', None, "there are no escapes"),
        (0, "a\nb", None, "there are no escapes"),
        (0, "x" * 256, None, "a string has at most 255 bytes"),
        (0, "é" * 128, None, "a string has at most 255 bytes"),
        (0, "\ud800", None, "surrogates not allowed"),
    ],
)
def test_make_refuses_what_cannot_be_written(
    id: object, value: object, style: Style | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Param.make(id, value, style)


values = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    floats32,
    st.text(max_size=20),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4).map(tuple),
    st.lists(floats32, max_size=4).map(tuple),
)


@given(id=st.integers(0, 31), value=values, style=st.none() | st.sampled_from(Style))
def test_what_is_made_reads_back(id: int, value: object, style: Style | None) -> None:
    try:
        made = Param.make(id, value, style)
    except ValueError:
        return
    (read,) = parse_params(made.text)
    assert read.same_value(made)
    assert (read.id, read.style, read.text) == (made.id, made.style, made.text)


# ---- same_value ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("0=1e-05", "0=1.000000e-05", True),
        ("0=0.1", "0=0.10000000149", True),
        ("0=1", "0=01", True),
        ("-23303=2,1,2", "3=1,2", True),
        ("0=abc", '0="abc"', True),
        ("0=1", "0=1.0", False),
        ("0=1", "1=1", False),
        ("0=0.0", "0=-0.0", False),
        ("-23303=1,1", "-23303=1,1.0", False),
        ("-23303=1,1", "3=1", False),
        ("0=abc", "0=abd", False),
        ("0=340282356779733661637539395458142568447.0", "0=3.4028235e+38", True),
    ],
)
def test_same_value(one: str, two: str, same: bool) -> None:
    (first,), (second,) = parse_params(one), parse_params(two)
    assert first.same_value(second) is same
    assert second.same_value(first) is same
