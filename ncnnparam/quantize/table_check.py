"""What a rule about a calibration table looks at: its rows, and the layers of the graph they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ncnnparam.checks import Problem, Rule, Severity, rule
from ncnnparam.quantize.int8_form import Int8Form, int8_form
from ncnnparam.quantize.lower_gemm import GEMM
from ncnnparam.quantize.table import Row, Table, split_key, weight_key

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer


@dataclass(frozen=True)
class Fitting:
    """A table and the graph it is for.

    Attributes:
        table: The table.
        graph: The graph, or None to look at the table alone.
    """

    table: Table
    graph: Graph | None = None

    @cached_property
    def forms(self) -> dict[str, tuple[Layer, Int8Form]]:
        """The layers that rows can be about, by name."""
        found = ((layer, int8_form(layer)) for layer in self.graph or ())
        return {layer.name: (layer, form) for layer, form in found if form is not None}

    @cached_property
    def wanted(self) -> dict[str, tuple[Layer, int]]:
        """For each key that means something, its layer and how many scales its row must have."""
        found: dict[str, tuple[Layer, int]] = {}
        for name, (layer, form) in self.forms.items():
            for scaled in form.scaled:
                found[weight_key(name, scaled.number)] = layer, scaled.scales.count
            if form.needs_input_scale:
                found[name] = layer, 1
            if layer.type == GEMM:  # as the InnerProduct that it may become
                found |= {name: (layer, 1), weight_key(name, 0): (layer, _columns(layer))}
        return found

    def rows(self) -> Iterator[Row]:
        """The rows that count, in the order of the file."""
        return (row for row in self.table.rows if row.key and self.table.row(row.key) is row)

    def is_input(self, row: Row) -> bool:
        """Whether a row is about the input of a layer."""
        return row.key in self.forms or split_key(row.key)[1] is None


@dataclass(frozen=True)
class TableRule:
    """A rule about a table: ``rule`` says what it is, ``on`` makes it one of a graph.

    Attributes:
        rule: Code, name, severity, summary; it finds nothing, for a graph without a table.
        find: Yields the problems of a table.
    """

    rule: Rule
    find: Callable[[Fitting], Iterator[Problem]]

    def on(self, fitting: Fitting) -> Rule:
        """The rule for the graph of this table."""
        return replace(self.rule, find=lambda _: self.find(fitting))


def table_rule(
    code: str, name: str, severity: Severity
) -> Callable[[Callable[[Fitting], Iterator[Problem]]], TableRule]:
    """Makes a ``TableRule`` of a generator of problems, as ``checks.rule.rule`` makes a ``Rule``."""

    def decorate(find: Callable[[Fitting], Iterator[Problem]]) -> TableRule:
        def nothing(_: Graph) -> Iterator[Problem]:
            return iter(())

        nothing.__doc__ = find.__doc__
        return TableRule(rule(code, name, severity)(nothing), find)

    return decorate


def _columns(layer: Layer) -> int:
    count = layer["constantN"]
    return count if isinstance(count, int) else 0
