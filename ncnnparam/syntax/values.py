"""Params as typed values that keep their spelling."""

from __future__ import annotations

import enum
import math
import struct
from dataclasses import dataclass
from typing import TypeAlias

Scalar: TypeAlias = int | float | str
Value: TypeAlias = int | float | str | tuple[int | float, ...]

FLOAT_MAX = float(2**128 - 2**104)  # the largest float32
FLOAT_LIMIT = float(2**128 - 2**103)  # from here on a decimal rounds to float32 infinity
INT_RANGE = range(-(2**31), 2**31)
ID_RANGE = range(32)
OLD_ARRAY_BASE = -23300


class Style(enum.Enum):
    """How a value is written."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"
    QUOTED = "quoted"
    OLD_ARRAY = "old array"
    NEW_ARRAY = "new array"


@dataclass(frozen=True)
class Param:
    """One param of a layer.

    Attributes:
        id: The id that the layer asks for, 0 to 31 in a sound file; an array of the old style has its
            plain id here too.
        value: An int, a float, a string or a tuple of numbers.
        style: How the value is written.
        text: The param as it stands in the file, ``-23303=2,1,2`` for example.
    """

    __slots__ = ("id", "style", "text", "value")
    id: int
    value: Value
    style: Style
    text: str

    @staticmethod
    def make(id: int, value: Value | list[int | float], style: Style | None = None) -> Param:
        """A param in canonical spelling, which every release of ncnn reads alike.

        Args:
            id: 0 to 31.
            value: What to say. A list counts as a tuple.
            style: How to write it. By default arrays are written in the old style, and strings bare
                where the language allows it.

        Raises:
            ValueError: The id or the value cannot be written.
        """
        if type(id) is not int or id not in ID_RANGE:
            raise ValueError(f"param id {id} is not within 0 to 31")
        if isinstance(value, bool) or not isinstance(value, (int, float, str, tuple, list)):
            raise ValueError(f"a param is an int, a float, a string or a list of numbers, not {value!r}")
        if isinstance(value, (tuple, list)):
            return _make_array(id, tuple(value), style or Style.OLD_ARRAY)
        if isinstance(value, str):
            return _make_string(id, value, style)
        kind = Style.INT if isinstance(value, int) else Style.FLOAT
        return Param(id, value, kind, f"{id}={spell(value)}")

    def same_value(self, other: Param) -> bool:
        """Whether both say the same to ncnn: same id, kind and value, however spelled."""
        return self.id == other.id and self.meaning == other.meaning

    @property
    def meaning(self) -> tuple[str, object]:
        """Kind and value with the spelling taken away: floats as float32 bits, arrays of either style."""
        if isinstance(self.value, tuple):
            return "array", tuple((type(item), _bits(item)) for item in self.value)
        return type(self.value).__name__, _bits(self.value)


def spell(number: int | float) -> str:
    """A number as text: the shortest that gives back the float32, and at most 15 characters.

    Releases up to 20260526 read no more than 15 characters of a number and misread ten or more digits
    behind the point, so small floats take an exponent.

    Raises:
        ValueError: The number is no int32 or no finite float32.
    """
    if isinstance(number, int):
        if number not in INT_RANGE:
            raise ValueError(f"{number} is beyond a 32-bit int")
        return str(number)
    if not math.isfinite(number) or abs(number) >= FLOAT_LIMIT:
        raise ValueError(f"{number} is no finite 32-bit float, and a .param file has no word for it")
    target = struct.pack("<f", number)
    (number,) = struct.unpack("<f", target)  # the digits are those of the float32, not of the double near it
    digits = next(digits for digits in range(1, 10) if _reads_as(f"{number:.{digits}g}", target))
    text = f"{number:.{digits}g}"
    if "e" not in text and len(text.partition(".")[2]) > 9:
        text = f"{number:.{digits - 1}e}"
    return text if "." in text or "e" in text else f"{text}.0"


def _make_array(id: int, items: tuple[int | float, ...], style: Style) -> Param:
    if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in items):
        raise ValueError(f"an array holds numbers, not {items!r}")
    if any(isinstance(item, float) for item in items):
        items = tuple([_as_float(item) for item in items])  # ncnn reads a mixed array by one kind only
    words = ",".join(spell(item) for item in items)
    if style is Style.NEW_ARRAY and items:
        return Param(id, items, style, f"{id}={words}{',' if len(items) == 1 else ''}")
    head = f"{OLD_ARRAY_BASE - id}={len(items)}"
    return Param(id, items, Style.OLD_ARRAY, f"{head},{words}" if items else head)


def _make_string(id: int, value: str, style: Style | None) -> Param:
    bare = value[:1].isascii() and value[:1].isalpha() and not any(char in " \t\v\f\r\n" for char in value)
    quoted = style is Style.QUOTED or not bare
    if "\0" in value or (quoted and any(char in '"\r\n' for char in value)):
        raise ValueError(f"the string {value!r} cannot be written: there are no escapes")
    if len(value.encode("utf-8", "surrogateescape")) > 255:
        raise ValueError(f"a string has at most 255 bytes, {value[:20]!r}... has more")
    if quoted:
        return Param(id, value, Style.QUOTED, f'{id}="{value}"')
    return Param(id, value, Style.STRING, f"{id}={value}")


def _reads_as(text: str, bits: object) -> bool:
    number = float(text)  # few digits may round up past the largest float32
    return abs(number) < FLOAT_LIMIT and _bits(number) == bits


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise ValueError(f"{number} is beyond a 32-bit float") from None


def _bits(value: Scalar) -> object:
    return struct.pack("<f", value) if isinstance(value, float) else value
