"""Tables: with rich on a terminal, as plain aligned text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ncnnparam.cli.common import emit, visible


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()
) -> None:
    """Prints a table to standard output.

    Args:
        header: The columns' names.
        rows: The cells; what is None stays empty.
        right: Names of the columns to align right.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(header, cells, right)
    else:
        emit(plain_table(header, cells, right=right))


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """A table as text: columns as wide as their widest cell, two blanks apart, nothing cut off."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        [
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(line, widths, header, strict=True)
        ]
        for line in lines
    ]
    return "".join("  ".join(line).rstrip(" ") + "\n" for line in aligned)


def _print_rich(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*[Text(visible(cell)) for cell in row])
    Console().print(table)
