"""Rules about numbers and arrays: spellings that one release of ncnn reads and another does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import layers_and_reach
from ncnnparam.checks.place import at_param_number
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.ops import registry
from ncnnparam.ops.bits import as_float, looks_like_float
from ncnnparam.syntax import Param, Style
from ncnnparam.syntax.grammar import terminal
from ncnnparam.syntax.values import ID_RANGE

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

LONGEST_NUMBER = 15
"""Characters of a number that releases up to 20260526 read (``vstr[16]`` in their paramdict.cpp)."""
MOST_FRACTION_DIGITS = 9
"""They gather the digits behind the point in 32 bits, and those before it too."""


def numbers(param: Param) -> list[str]:
    """The numbers of a param as they are spelled, without the length of an array of the old style."""
    if param.style in (Style.STRING, Style.QUOTED):
        return []
    words = param.text.partition("=")[2].split(",")
    if param.style is Style.OLD_ARRAY:
        return words[1:]
    return words[:-1] if not words[-1] else words


def junk(param: Param) -> list[str]:
    """The numbers of a param that releases after 20260526 refuse."""
    words = numbers(param)
    only_ints = param.style is Style.NEW_ARRAY and _is_int(words[0])
    return [word for word in words if not _is_int(word) and (only_ints or not _is_float(word))]


def too_long(param: Param) -> list[str]:
    """The numbers of a param that releases up to 20260526 misread, sound ones for newer releases."""
    words = [word for word in numbers(param) if _is_int(word) or _is_float(word)]
    return [word for word in words if len(word) > LONGEST_NUMBER or _overflows(word)]


def _lost(param: Param) -> bool:
    """Whether a float stands in an array that begins with an int: its value was cut, and nobody knows why."""
    words = numbers(param)
    return (
        param.style is Style.NEW_ARRAY and _is_int(words[0]) and any(_is_float(word) for word in junk(param))
    )


def mixes_kinds(param: Param) -> bool:
    """Whether the last element of an array of the old style makes ncnn misread another element.

    It stores each element by its own spelling and then takes the bits of all for the last one's kind; a
    zero has the same bits either way.
    """
    if param.style is not Style.OLD_ARRAY or not isinstance(param.value, tuple) or not param.value:
        return False
    kind = type(param.value[-1])
    return any(type(item) is not kind and item != 0 for item in param.value)


def int_for_float(layer: Layer, param: Param) -> bool:
    """Whether what the layer reads as a float, or as floats only, is written as ints other than 0."""
    known = registry.get(layer.type)
    spec = known.param(param.id) if known else None
    if spec is None or _lost(param):
        return False
    if spec.items == "float" and isinstance(param.value, tuple):
        ints = [item for item in param.value if isinstance(item, int)]
        wrong = [item for item in ints if item and not (spec.int_bits and looks_like_float(item))]
        return bool(wrong) and len(ints) == len(param.value)
    return spec.type == "float" and isinstance(param.value, int) and param.value != 0


def meant(value: int) -> float:
    """The float that an int stands for which is written where ncnn wants a float.

    Old converters wrote the bits of the float, so an int whose bits are a likely number is that.
    """
    return float(f"{as_float(value):.7g}") if looks_like_float(value) else float(value)


def is_new_style(param: Param) -> bool:
    """Whether a param is an array of the new style that can be written in the old one without loss."""
    return param.style is Style.NEW_ARRAY and not _lost(param)


def respelled(layer: Layer, param: Param) -> Param:
    """A param as every release reads it, or the param itself if nobody knows what is meant."""
    if param.id not in ID_RANGE or _lost(param):
        return param
    value = param.value
    if int_for_float(layer, param):
        if isinstance(value, tuple):
            value = tuple(meant(item) if isinstance(item, int) else item for item in value)
        elif isinstance(value, int):
            value = meant(value)
    return Param.make(param.id, value)


@rule("NP103", "junk-number", Severity.ERROR, fixable=True, refused=True)
def junk_number(graph: Graph) -> Iterator[Problem]:
    """Something stands behind a number, as in 2.f."""
    for layer, reached in layers_and_reach(graph):
        for number, param in enumerate(layer.params.raw):
            words = junk(param)
            if words:
                yield Problem(
                    f"'{words[0]}' is no number here: ncnn 1.0.20261020 refuses the file, "
                    f"releases up to 20260526 read {_as_read(param)}",
                    at_param_number(layer, number),
                    "write floats only, or ints only"
                    if _lost(param)
                    else f"write {respelled(layer, param).text}",
                    refused=reached,
                    fixable=not _lost(param),
                )


@rule("NP106", "long-number", Severity.WARNING, fixable=True)
def long_number(graph: Graph) -> Iterator[Problem]:
    """Older releases misread a long number."""
    for layer in graph.layers:
        for number, param in enumerate(layer.params.raw):
            words = too_long(param)
            if words:
                word = words[0]
                what = "refuse the file" if len(word) > LONGEST_NUMBER else "read another number"
                yield Problem(
                    f"'{word}' is too long for releases up to 20260526: they {what}",
                    at_param_number(layer, number),
                    f"write {respelled(layer, param).text}",
                )


@rule("NP111", "new-style-array", Severity.WARNING, fixable=True)
def new_style_array(graph: Graph) -> Iterator[Problem]:
    """An older release reads only the first element of such an array."""
    for layer in graph.layers:
        for number, param in enumerate(layer.params.raw):
            if is_new_style(param):
                yield Problem(
                    f"'{param.text}' is an array of the new style: "
                    "releases up to 20241226 take its first element only",
                    at_param_number(layer, number),
                    f"write {respelled(layer, param).text}",
                )


@rule("NP112", "mixed-array", Severity.ERROR, fixable=True)
def mixed_array(graph: Graph) -> Iterator[Problem]:
    """Ints and floats in one array are misread."""
    for layer in graph.layers:
        for number, param in enumerate(layer.params.raw):
            if mixes_kinds(param):
                assert isinstance(param.value, tuple)
                kind = "floats" if isinstance(param.value[-1], float) else "ints"
                yield Problem(
                    f"'{param.text}' mixes ints and floats: ncnn takes the bits of all elements for {kind}",
                    at_param_number(layer, number),
                    f"write {respelled(layer, param).text}",
                )


@rule("NP115", "int-for-float", Severity.WARNING, fixable=True)
def int_for_float_key(graph: Graph) -> Iterator[Problem]:
    """Older releases take an int for the bits of a float."""
    for layer in graph.layers:
        known = registry.get(layer.type)
        for number, param in enumerate(layer.params.raw):
            if known is not None and int_for_float(layer, param):
                spec = known.param(param.id)
                assert spec is not None
                ints = [item for item in _items(param) if isinstance(item, int) and item]
                floats = "is a float" if spec.type == "float" else "has floats"
                wrong = next((item for item in ints if meant(item) != item), None)
                newer = "" if wrong is None else f", and 1.0.20261020 reads {float(wrong):g}"
                who = "ncnn takes" if spec.int_bits else "releases up to 20260526 take"
                yield Problem(
                    f"{spec.name} of {layer.type} {floats}: "
                    f"{who} the bits of the int {ints[0]} for it{'' if spec.int_bits else newer}",
                    at_param_number(layer, number),
                    f"write {respelled(layer, param).text}",
                )


def _items(param: Param) -> Sequence[int | float]:
    """The numbers of a param."""
    if isinstance(param.value, tuple):
        return param.value
    return (param.value,) if isinstance(param.value, (int, float)) else ()


def _as_read(param: Param) -> str:
    """A param with junk as older releases understand it."""
    if param.id not in ID_RANGE:
        return param.text
    keep = param.style if param.style is Style.NEW_ARRAY else None
    return Param.make(param.id, param.value, keep).text


def _is_int(word: str) -> bool:
    return terminal("param", "INT").fullmatch(word) is not None


def _is_float(word: str) -> bool:
    return terminal("param", "FLOAT").fullmatch(word) is not None


def _overflows(word: str) -> bool:
    """Whether the digits of a float before or behind its point do not fit into 32 bits."""
    if _is_int(word):
        return False
    mantissa = word.lower().lstrip("+-").partition("e")[0]
    whole, _, fraction = mantissa.partition(".")
    return len(fraction) > MOST_FRACTION_DIGITS or (whole != "" and int(whole) >= 2**32)
