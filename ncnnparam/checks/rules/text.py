"""Rules about the text as a whole: is it a ``.param`` file, and does every reader see the same of it?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Finding, Place, Severity
from ncnnparam.checks.loader import reach
from ncnnparam.checks.place import at_param_number, at_trailing, record
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.errors import ParseError

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

_ODD_BLANK = re.compile(r"[\t\v\f]")
_LINE_END = re.compile(r"[\r\n]")


@rule("NP101", "syntax", Severity.ERROR, refused=True)
def syntax(graph: Graph) -> Iterator[Problem]:
    """The text cannot be read."""
    yield from ()


@rule("NP102", "magic", Severity.ERROR, refused=True)
def magic(graph: Graph) -> Iterator[Problem]:
    """The file does not begin with 7767517."""
    yield from ()


def parse_finding(error: ParseError) -> Finding:
    """A text that cannot be parsed, as a finding of ``syntax`` or ``magic``."""
    place = Place(error.line, error.column, 1 if error.line else 0, error.source_line)
    message = error.message
    if error.expected:
        message += f", expected {' or '.join(error.expected)}"
    return (magic if error.code == magic.code else syntax).finding(Problem(message, place, error.hint))


@rule("NP104", "continued-params", Severity.ERROR, fixable=True, refused=True)
def continued_params(graph: Graph) -> Iterator[Problem]:
    """Params go on in a line of their own."""
    last = reach(graph) - 1
    for index, layer in enumerate(graph.layers):
        number = first_continued(layer)
        if number is None:
            continue
        # behind the last layer the loader looks at nothing, so it does not see these params either
        refused = index < last
        what = "takes that line for a layer and refuses the file" if refused else "does not see them"
        yield Problem(
            f"the params of '{layer.name}' go on in the next line: ncnn 1.0.20261020 {what}",
            at_param_number(layer, number),
            "write all params of a layer on its line",
            refused=refused,
        )


def first_continued(layer: Layer) -> int | None:
    """Number of the first param that stands on a later line than the last word before the params."""
    line = record(layer)
    if line is None or not line.params or not _LINE_END.search(line.text.strip()):
        return None
    head = line.word_span(3 + len(line.inputs) + len(line.outputs)).line
    return next((number for number in range(len(line.params)) if line.param_span(number).line > head), None)


@rule("NP110", "tab-separator", Severity.WARNING, fixable=True)
def tab_separator(graph: Graph) -> Iterator[Problem]:
    """A tab between params ends the list in older releases."""
    for layer in graph.layers:
        number = first_after_tab(layer)
        if number is not None:
            yield Problem(
                f"a tab stands before a param of '{layer.name}': "
                "releases from 20250428 to 20260526 drop the params behind it without a message",
                at_param_number(layer, number),
                "put spaces between the params",
            )


def first_after_tab(layer: Layer) -> int | None:
    """Number of the first param with a tab, VT or FF between it and the param before it."""
    line = record(layer)
    if line is None or not _ODD_BLANK.search(line.text):
        return None
    for number in range(1, len(line.params)):
        span = line.param_span(number)
        before = line.source_line(span.line)[: span.column - 1]
        if _ODD_BLANK.search(before, len(before.rstrip(" \t\v\f"))):
            return number
    return None


@rule("NP114", "trailing-content", Severity.WARNING)
def trailing_content(graph: Graph) -> Iterator[Problem]:
    """Text behind the last layer is ignored."""
    if graph.syntax is not None and graph.syntax.trailing.strip():
        yield Problem(
            "text stands behind the last layer; ncnn does not look at it",
            at_trailing(graph),
            "correct it and raise the layer count if it belongs to the model, "
            "else delete it (--fix --unsafe-fixes does)",
        )
