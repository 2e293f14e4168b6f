"""Rules about single params: ids, strings, and the ids that every layer has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import layers_and_reach
from ncnnparam.checks.place import at_param, at_param_number, record
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.syntax import Style
from ncnnparam.syntax.values import ID_RANGE

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

FEATURE_MASK = 31
SHORT_STRING = 14
"""A quote and this many characters fill the 15 that releases up to 20260526 read of a value at first."""


@rule("NP105", "param-id", Severity.ERROR, refused=True)
def param_id(graph: Graph) -> Iterator[Problem]:
    """A param id is not within 0 to 31."""
    for layer, reached in layers_and_reach(graph):
        for number, param in enumerate(layer.params.raw):
            if param.id not in ID_RANGE:
                yield Problem(
                    f"param id {param.id} is not within 0 to {ID_RANGE[-1]}: "
                    "ncnn refuses the file, releases up to 20260526 crash",
                    at_param_number(layer, number),
                    refused=reached,
                )


@rule("NP107", "string-value", Severity.INFO)
def string_value(graph: Graph) -> Iterator[Problem]:
    """Releases before 2025 know no strings."""
    strings = [
        (layer, number)
        for layer in graph.layers
        for number, param in enumerate(layer.params.raw)
        if param.style in (Style.STRING, Style.QUOTED)
    ]
    if strings:
        # a converted model has hundreds of them or none, so one finding speaks for all
        layer, number = strings[0]
        more = f", the first of {len(strings)}" if len(strings) > 1 else ""
        yield Problem(
            f"'{layer.params.raw[number].text}' is a string{more}: releases before 2025 refuse the file",
            at_param_number(layer, number),
        )


@rule("NP108", "short-quoted-string", Severity.WARNING)
def short_quoted_string(graph: Graph) -> Iterator[Problem]:
    """Older releases lose what follows a short quoted string."""
    for layer in graph.layers:
        params = layer.params.raw
        for number, param in enumerate(params):
            if param.style is not Style.QUOTED:
                continue
            size = len(str(param.value).encode("utf-8", "surrogateescape"))
            last = number == len(params) - 1
            if size > SHORT_STRING or (last and size < SHORT_STRING):
                continue
            if size == SHORT_STRING:
                message = f"{param.text} has {SHORT_STRING} characters: releases up to 20260526 misread it"
            else:
                message = f"1.0.20250916 drops the params behind {param.text}, a short string in quotes"
            yield Problem(
                message,
                at_param_number(layer, number),
                "write it in another way" if size == SHORT_STRING else "move it to the end of the line",
            )


@rule("NP109", "quoted-before-crlf", Severity.WARNING)
def quoted_before_crlf(graph: Graph) -> Iterator[Problem]:
    """Older releases take the line end into a quoted string."""
    for layer in graph.layers:
        params = layer.params.raw
        if params and params[-1].style is Style.QUOTED and _ends_in_crlf(graph, layer):
            yield Problem(
                "CR follows the closing quote: releases up to 20260526 take it into the string",
                at_param_number(layer, len(params) - 1),
                "end the lines of the file with LF only, or let another param stand last",
            )


def _ends_in_crlf(graph: Graph, layer: Layer) -> bool:
    """Whether CRLF will follow the last param of a layer at once."""
    line = record(layer)
    if line is not None:
        return line.text.endswith('"\r\n')
    return graph.syntax is not None and graph.syntax.newline == "\r\n"


@rule("NP113", "repeated-param", Severity.WARNING, fixable=True)
def repeated_param(graph: Graph) -> Iterator[Problem]:
    """An id stands twice; the last one counts."""
    for layer in graph.layers:
        params = layer.params.raw
        if len(layer.params) == len(params):
            continue
        last = {param.id: number for number, param in enumerate(params)}
        for number, param in enumerate(params):
            if last[param.id] != number:
                yield Problem(
                    f"'{param.text}' has no effect: a later param has the same id",
                    at_param_number(layer, number),
                    "delete the one that is wrong",
                )


@rule("NP116", "feature-mask", Severity.ERROR, refused=True)
def feature_mask(graph: Graph) -> Iterator[Problem]:
    """The feature mask (id 31) is no int."""
    for layer, reached in layers_and_reach(graph):
        mask = layer.params.get(FEATURE_MASK, 0)
        if not isinstance(mask, int):
            yield Problem(
                f"the feature mask of '{layer.name}' is {mask!r}, and ncnn wants an int",
                at_param(layer, FEATURE_MASK),
                f"write {FEATURE_MASK}= and the sum of the features to switch off",
                refused=reached,
            )
