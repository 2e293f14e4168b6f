"""Rules about calibration tables, alone and with the graph they are for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ncnnparam.checks import Finding, Place, Problem, Severity, check
from ncnnparam.graph import Graph
from ncnnparam.quantize.int8_weights import is_scale
from ncnnparam.quantize.lower_gemm import GEMM
from ncnnparam.quantize.table import Row, Table, split_key, weight_key
from ncnnparam.quantize.table_check import Fitting, table_rule
from ncnnparam.weights.layout import describe

_MOST_SHOWN = 5


def check_table(table: Table, graph: Graph | None = None, *, native: bool = False) -> list[Finding]:
    """What is wrong with a table, in the order of its lines; what it lacks comes first.

    Args:
        table: The table.
        graph: The float graph it is for, or None to look at the table alone.
        native: It is for ``quantize.int8``, which makes up for some faults that ncnn2int8 goes wrong at:
            these are no errors then.
    """
    fitting = Fitting(table, graph)
    findings = check(Graph() if graph is None else graph, rules=[one.on(fitting) for one in TABLE_RULES])
    return [_made_up_for(one) for one in findings] if native else findings


@table_rule("NP701", "blank-row", Severity.ERROR)
def blank_row(fitting: Fitting) -> Iterator[Problem]:
    """A blank line ends the table for ncnn2int8."""
    rows = fitting.table.rows
    last = max((number for number, row in enumerate(rows) if row.key), default=-1)
    for number, row in enumerate(rows[:last]):
        if not row.key:
            yield Problem(
                f"the line is blank: ncnn2int8 stops reading here, and {last - number} lines are lost",
                Place(row.line, 1, 1, row.text.rstrip("\r\n")),
                "delete the line: ncnnparam table edit TABLE --tidy",
            )


@table_rule("NP702", "table-number", Severity.ERROR)
def table_number(fitting: Fitting) -> Iterator[Problem]:
    """A word in a row is no decimal number."""
    for row in fitting.table.rows:
        for word in row.odd_words:
            yield Problem(
                f"'{word.group()[:20]}' is no decimal number; ncnn2int8 takes what it can of it, or the "
                "number before once more",
                _at(row, word.start(), len(word.group())),
                f"write the scale as 12.345, or make the row '{row.key}' again",
            )


@table_rule("NP703", "no-scales", Severity.ERROR)
def no_scales(fitting: Fitting) -> Iterator[Problem]:
    """A row has a key and no scales."""
    for row in fitting.table.rows:
        if row.key and not row.scales.size:
            yield Problem(
                f"the row '{row.key}' has no scales; ncnn2int8 dies of it",
                _at_key(row),
                "delete the row to leave the layer in float, or make it again",
            )


@table_rule("NP704", "repeated-row", Severity.WARNING)
def repeated_row(fitting: Fitting) -> Iterator[Problem]:
    """A later row has the same key, and counts."""
    for row in fitting.table.rows:
        counts = fitting.table.row(row.key)
        if row.key and counts is not None and counts is not row:
            same = np.array_equal(row.scales, counts.scales, equal_nan=True)
            yield Problem(
                f"line {counts.line} has the key '{row.key}' again, "
                f"{'with the same scales' if same else 'with other scales'}; the later row counts",
                _at_key(row),
                "keep one of them: ncnnparam table edit TABLE --tidy drops the earlier one",
            )


@table_rule("NP705", "unknown-row", Severity.WARNING)
def unknown_row(fitting: Fitting) -> Iterator[Problem]:
    """A row is about no layer that can be quantised."""
    if fitting.graph is None:
        return
    for row in fitting.rows():
        if row.key not in fitting.wanted:
            yield Problem(_unknown(row.key, fitting), _at_key(row), "is this the table of another model?")


@table_rule("NP706", "scale-count", Severity.ERROR)
def scale_count(fitting: Fitting) -> Iterator[Problem]:
    """A row has more or fewer scales than its layer needs."""
    for row in fitting.rows():
        layer, count = fitting.wanted.get(row.key, (None, 0))
        if layer is not None and row.scales.size not in (0, count):
            yield Problem(
                f"the row '{row.key}' has {row.scales.size} scales, {describe(layer)} wants {count}",
                replace(_at_key(row), layer=layer.name),
                "make the table again, from this model",
            )


@table_rule("NP707", "weight-scale", Severity.ERROR)
def weight_scale(fitting: Fitting) -> Iterator[Problem]:
    """A scale of weights is 0, negative, infinite or no number."""
    for row in fitting.rows():
        bad = np.flatnonzero(~is_scale(row.scales))
        if fitting.is_input(row) or not len(bad):
            continue
        places = ", ".join(f"{number} ({row.scales[number]:g})" for number in bad[:_MOST_SHOWN])
        yield Problem(
            f"{len(bad)} of the {len(row.scales)} scales in '{row.key}' cannot be scales: {places}"
            f"{', ...' if len(bad) > _MOST_SHOWN else ''}; ncnn2int8 makes weights of -127 or 0 with them",
            _at_number(row, int(bad[0])),
            "ncnnparam quantize computes them from the weights; they are infinite where all weights are 0",
        )


@table_rule("NP708", "input-scale", Severity.ERROR)
def input_scale(fitting: Fitting) -> Iterator[Problem]:
    """The scale of an input is 0, negative, infinite or no number."""
    for row in fitting.rows():
        if fitting.is_input(row) and row.scales.size and not np.all(is_scale(row.scales)):
            yield Problem(
                f"the input of '{row.key}' cannot be scaled by {row.scales[0]:g}; infinity means that "
                "nothing but 0 came in when the table was made",
                _at_number(row, 0),
                "calibrate with data that reach the layer; until then it stays in float",
            )


@table_rule("NP709", "missing-row", Severity.ERROR)
def missing_row(fitting: Fitting) -> Iterator[Problem]:
    """A layer has some of its rows, and lacks scales of weights."""
    for name, (layer, form) in fitting.forms.items():
        keys = [weight_key(name, scaled.number) for scaled in form.scaled]
        lacking = [key for key in keys if fitting.table.row(key) is None]
        have = fitting.table.row(name) or next(filter(None, map(fitting.table.row, keys)), None)
        if have is not None and lacking and layer.type != GEMM:
            yield Problem(
                f"{describe(layer)} has the row '{have.key}' and lacks '{lacking[0]}'; ncnn2int8 leaves it "
                f"in float, and with it every {layer.type} below",
                replace(_at_key(have), layer=name),
                f"to leave only this layer in float, delete the row '{have.key}' too; to quantise it, make "
                "the table again",
            )


@table_rule("NP710", "float-input", Severity.INFO)
def float_input(fitting: Fitting) -> Iterator[Problem]:
    """A layer has scales of weights and none of its input, so it stays in float."""
    for name, (layer, form) in fitting.forms.items():
        row = fitting.table.row(weight_key(name, 0))
        if form.needs_input_scale and row is not None and fitting.table.row(name) is None:
            yield Problem(
                f"{describe(layer)} stays in float: the table has scales of its weights, none of its input",
                replace(_at_key(row), layer=name),
                "that is right if it was meant; otherwise calibrate again",
            )


@table_rule("NP711", "absent-layer", Severity.INFO)
def absent_layer(fitting: Fitting) -> Iterator[Problem]:
    """A layer that can be quantised has no row."""
    # a layer without the row of its input stays in float alone, and on purpose; nobody means the other case
    for name, (layer, form) in fitting.forms.items():
        keys = [name, *(weight_key(name, scaled.number) for scaled in form.scaled)]
        if layer.type == GEMM or not form.scaled or any(fitting.table.row(key) for key in keys):
            continue
        if form.needs_input_scale:
            yield Problem(f"{describe(layer)} stays in float: the table has no row for it", Place(layer=name))
        else:
            yield Problem(
                f"the table has no row for {describe(layer)}: its scales are computed from its weights; "
                f"ncnn2int8 leaves it in float, and with it every {layer.type} below",
                Place(layer=name),
                f"to leave it in float: quantize --skip 'name={name}'",
                severity=Severity.ERROR,
            )


TABLE_RULES = (
    blank_row,
    table_number,
    no_scales,
    repeated_row,
    unknown_row,
    scale_count,
    weight_scale,
    input_scale,
    missing_row,
    float_input,
    absent_layer,
)


_MADE_UP_FOR = {
    weight_scale.rule.code: Severity.WARNING,
    input_scale.rule.code: Severity.WARNING,
    absent_layer.rule.code: Severity.INFO,
}
"""How bad that is if scales of weights are computed, and layers without one of their input stay in float."""


def _made_up_for(finding: Finding) -> Finding:
    return replace(finding, severity=_MADE_UP_FOR.get(finding.code, finding.severity))


def _unknown(key: str, fitting: Fitting) -> str:
    name, _ = split_key(key)
    assert fitting.graph is not None
    for candidate in (key, name):
        if fitting.graph.has_layer(candidate):
            layer = fitting.graph.layer(candidate)
            if candidate not in fitting.forms:
                return f"the row '{key}' is about {describe(layer)}, for which ncnn has no int8"
            return f"the row '{key}' means nothing: {describe(layer)} has no such scales"
    return f"the row '{key}' is about a layer '{name}', which the model does not have"


def _at_key(row: Row) -> Place:
    return _at(row, row.text.index(row.key), len(row.key))


def _at_number(row: Row, number: int) -> Place:
    word = row.word(number + 1)
    return _at(row, word.start(), len(word.group()))


def _at(row: Row, start: int, length: int) -> Place:
    return Place(row.line, start + 1, length, row.text.rstrip("\r\n"))
