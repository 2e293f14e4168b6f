"""Rules about spellings that one runtime does not read as they are meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.place import at_param_number
from ncnnparam.checks.rule import Problem
from ncnnparam.checks.rules import numbers
from ncnnparam.checks.rules.params import SHORT_STRING
from ncnnparam.checks.rules.target_rule import DOES, FINE, target_rule, worst
from ncnnparam.checks.rules.text import first_after_tab
from ncnnparam.syntax import Style

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops.versions import Target, Verdict
    from ncnnparam.syntax import Param


@target_rule("NP507", "target-number", Severity.ERROR)
def target_number(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target reads another number."""
    for layer in graph.layers:
        for number, param in enumerate(layer.params.raw):
            for what, verdict in (*_long_numbers(param, target), *_ints_for_floats(layer, param, target)):
                does = "reads another number" if verdict == "misreads" else DOES[verdict]
                yield Problem(
                    f"{what}: {target} {does}",
                    at_param_number(layer, number),
                    f"write {numbers.respelled(layer, param).text}",
                )
                break  # the hint cures them all


def _long_numbers(param: Param, target: Target) -> Iterator[tuple[str, Verdict]]:
    """What is too long in a param, and what the target does with it."""
    for word in numbers.too_long(param):
        if len(word) > numbers.LONGEST_NUMBER:
            what = f"'{word}' has more than {numbers.LONGEST_NUMBER} characters"
            verdict = worst(target, "number-of-16-characters", "number-of-16-characters-in-last-layer")
        else:
            what = f"'{word}' has too many digits"
            verdict = worst(target, "fraction-of-10-digits", "whole-part-over-32-bits")
        if verdict not in FINE:
            yield what, verdict


def _ints_for_floats(layer: Layer, param: Param, target: Target) -> Iterator[tuple[str, Verdict]]:
    """Ints that the target takes for the bits of floats, or the bits of floats that it takes for ints."""
    if not numbers.int_for_float(layer, param) or numbers.respelled(layer, param) == param:
        return
    array = isinstance(param.value, tuple)
    items = param.value if isinstance(param.value, tuple) else (param.value,)
    are_bits = any(isinstance(item, int) and numbers.meant(item) != item for item in items)
    takes_bits = target.feature("ints-for-floats" if array else "int-for-float") not in FINE
    if are_bits != takes_bits:
        yield f"{layer.type} wants {'floats' if array else 'a float'}, not '{param.text}'", "misreads"


@target_rule("NP508", "target-tab", Severity.ERROR)
def target_tab(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not see the params behind a tab."""
    if target.feature("tab-between-params") in FINE:
        return
    for layer in graph.layers:
        number = first_after_tab(layer)
        if number is not None:
            yield Problem(
                f"{target} does not see the params of '{layer.name}' from here on: a tab stands before them",
                at_param_number(layer, number),
                "put spaces between the params",
            )


@target_rule("NP509", "target-string", Severity.ERROR)
def target_string(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not read a string."""
    for layer in graph.layers:
        params = layer.params.raw
        for number, param in enumerate(params):
            if param.style not in (Style.STRING, Style.QUOTED):
                continue
            features, hint = _string_features(param, last=number == len(params) - 1)
            verdict = worst(target, *features)
            if verdict in FINE:
                continue
            place = at_param_number(layer, number)
            if target.feature("bare-string") not in FINE:
                # a converted model has hundreds of them or none, so one finding speaks for all
                yield Problem(f"'{param.text}' is a string: {target} knows none and {DOES[verdict]}", place)
                return
            drops = "drops the params behind it" if verdict == "misreads" else DOES[verdict]
            yield Problem(
                f"{param.text} is a string of a length that {target} mistakes: it {drops}", place, hint
            )


def _string_features(param: Param, *, last: bool) -> tuple[tuple[str, ...], str | None]:
    """The features that a string needs, and how to do without."""
    kind = "bare-string" if param.style is Style.STRING else "quoted-string"
    if param.style is Style.QUOTED:
        size = len(str(param.value).encode("utf-8", "surrogateescape"))
        if size == SHORT_STRING:
            name = "quoted-string-of-14-characters"
            return (name, f"{name}-in-last-layer"), "write it in another way"
        if size < SHORT_STRING and not last:
            return ("quoted-string-before-params",), "move it to the end of the line"
    return (kind, f"{kind}-in-last-layer"), None


@target_rule("NP510", "target-array", Severity.ERROR)
def target_array(graph: Graph, target: Target) -> Iterator[Problem]:
    """The target does not read all of an array."""
    for layer in graph.layers:
        for number, param in enumerate(layer.params.raw):
            if param.style is not Style.NEW_ARRAY:
                continue
            verdict = worst(target, "new-array", "new-array-of-one")
            respelled = numbers.respelled(layer, param)
            if verdict not in FINE:
                yield Problem(
                    f"'{param.text}' is an array of the new style: {target} takes its first element only",
                    at_param_number(layer, number),
                    f"write {respelled.text}" if respelled != param else "write floats only, or ints only",
                )
            elif respelled == param and target.feature("new-array-float-after-int") == "misreads":
                yield Problem(
                    f"'{param.text}' begins with an int: {target} cuts the floats behind it",
                    at_param_number(layer, number),
                    "write floats only, or ints only",
                )


RULES = (target_number, target_tab, target_string, target_array)
