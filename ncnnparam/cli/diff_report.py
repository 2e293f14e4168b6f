"""What ``ncnnparam diff`` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ncnnparam.cli.common import emit
from ncnnparam.cli.table import plain_table, print_table
from ncnnparam.views.units import short_bytes

if TYPE_CHECKING:
    from ncnnparam.diff import Diff
    from ncnnparam.diff.arrays import WeightDiff
    from ncnnparam.diff.size import Size

ShowTable: TypeAlias = Callable[[Sequence[str], Sequence[Sequence[str]]], None]

MOST_FLOATS = 12
"""Arrays left in float to print; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Named:
    """A model on the command line: its ``.param``, and its ``.bin`` if that is compared too."""

    param: str
    bin: str | None = None

    def __str__(self) -> str:
        return self.param if self.bin is None else f"{self.param} {self.bin}"


def report_graphs(diff: Diff, a: Named, b: Named, form: str) -> None:
    """Prints a diff of graphs."""
    from ncnnparam.diff.text import summary, to_text

    if form == "json":
        _report_json({"first": a.param, "second": b.param, **diff.to_json()})
    elif form == "table":
        _graph_table(diff)
        emit(summary(diff) + "\n")
    else:
        emit(to_text(diff, a.param, b.param))


def report_weights(diff: WeightDiff, a: Named, b: Named, form: str) -> None:
    """Prints a diff of models with their weights."""
    from ncnnparam.diff.text import record_lines

    if form == "json":
        files = {"first": a.param, "first_bin": a.bin, "second": b.param, "second_bin": b.bin}
        _report_json({**files, **diff.to_json()})
    elif form == "table":
        _graph_table(diff.graph)
        _weight_tables(diff, _show_rich)
    elif diff:
        emit("\n".join([f"--- {a}", f"+++ {b}", *record_lines(diff.graph), ""]))
        _weight_tables(diff, _show_plain)


def _report_json(data: dict[str, Any]) -> None:
    import json

    emit(json.dumps(data, indent=2) + "\n")


def _graph_table(diff: Diff) -> None:
    from ncnnparam.diff.text import place, sides

    rows = []
    last = None
    for record in diff.records:
        where = place(record)
        old, new = sides(record)
        rows.append([*(where if where != last else ("", "", "")), "\n".join(old), "\n".join(new)])
        last = where
    if rows:
        print_table(("A", "B", "layer", "in A", "in B"), rows, right=("A", "B"))


def _weight_tables(diff: WeightDiff, show: ShowTable) -> None:
    """The tables about arrays and bytes, and at last a line that counts the differences."""
    from ncnnparam.diff import tables

    arrays, quantized = tables.array_rows(diff), tables.quantized_rows(diff)
    if arrays:
        emit("@@ weights @@\n")
        show(tables.ARRAYS, arrays)
    if quantized:
        emit("@@ quantised @@\n")
        show(tables.QUANTIZED, quantized)
    if quantized and (floats := tables.float_rows(diff)):
        emit("@@ left in float @@\n")
        show(tables.FLOATS, floats[:MOST_FLOATS])
        if floats[MOST_FLOATS:]:
            emit(f"and {len(floats) - MOST_FLOATS} smaller ones\n")
    if arrays:
        emit("@@ size @@\n")
        share = tables.percent(diff.new.nbytes, diff.old.nbytes)
        emit(f"A  {_totals(diff.old)}\nB  {_totals(diff.new)}; {share} of A\n")
    if quantized:
        _excess(diff, show)
    emit(f"# {_summary(diff)}\n")


def _excess(diff: WeightDiff, show: ShowTable) -> None:
    """Why the second file is larger than a byte for each weight."""
    from ncnnparam.diff import tables

    more = diff.new.nbytes - diff.new.numbers
    least = f"a byte for each of the {diff.new.numbers} weights would be {short_bytes(diff.new.numbers)}"
    share = tables.percent(diff.new.numbers, diff.old.nbytes)
    if more <= 0:
        emit(f"{least}, {share} of A\n")
        return
    emit(f"{least}, {share} of A; B has {short_bytes(more)} more:\n")
    show(tables.EXCESS, tables.excess_rows(diff))


def _totals(size: Size) -> str:
    parts = (f"{storage} {short_bytes(nbytes)}" for storage, nbytes in size.by_storage.items())
    return f"{short_bytes(size.nbytes)}: {', '.join(parts)}"


def _summary(diff: WeightDiff) -> str:
    from ncnnparam.diff.text import summary

    changed = sum(1 for _ in diff.changed())
    same = sum(len(layer.arrays) for layer in diff.layers) - changed
    rounded = f"; params equal to 7 digits: {diff.rounded}" if diff.rounded else ""
    return f"{summary(diff.graph)}; arrays: {changed} differ, {same} are the same{rounded}"


def _show_plain(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from ncnnparam.diff.tables import NUMBERS

    emit(plain_table(header, rows, right=NUMBERS))


def _show_rich(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from ncnnparam.diff.tables import NUMBERS

    print_table(header, rows, right=NUMBERS)
