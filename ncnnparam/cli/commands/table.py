"""``ncnnparam table``: look at calibration tables, check, edit and merge them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    FOUND,
    PATH_OR_STREAM,
    changed_lines,
    emit,
    emit_json,
    format_option,
    max_size_option,
    ops_option,
    say,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph
    from ncnnparam.quantize.table import Table

FORMATS = ("text", "json", "github", "sarif")
table_argument = click.argument("table", metavar="TABLE", type=PATH_OR_STREAM)


@click.group(name="table")
def command() -> None:
    """Look at a calibration table, check it, edit it, or merge several.

    A table is a text file with a row for each input and each array of weights that gets scales: what
    ncnn2table, sherpa-ncnn's generate-int8-scale-table and ncnnparam calibrate write.

    \b
    ncnnparam table show encoder.table
    ncnnparam table check encoder.table encoder.ncnn.param
    ncnnparam table edit encoder.table --remove conv_14 --tidy
    ncnnparam table merge a.table b.table -o both.table
    """


@command.command(name="show")
@table_argument
@click.argument("rows", metavar="[ROW]...", nargs=-1)
@format_option
@max_size_option
def show(table: str, rows: tuple[str, ...], form: str, max_size: int) -> int:
    """List the rows of a table, or print all numbers of some rows.

    ROW is the key of a row or a glob of keys.

    \b
    ncnnparam table show encoder.table
    ncnnparam table show encoder.table 'conv_*' --format json
    """
    from ncnnparam.cli.table import print_table

    found = _read(table, max_size)
    keys = list(found) if not rows else _matching(found, rows)
    if form == "json":
        emit_json([{"key": key, "line": _line(found, key), "scales": found[key].tolist()} for key in keys])
    elif rows:
        emit("".join(f"{key} {' '.join(f'{one:g}' for one in found[key])}\n" for key in keys))
    else:
        header = ("row", "scales", "smallest", "largest")
        lines = [_summary(found, key) for key in keys]
        print_table(header, lines, right=header[1:])
    return 0


@command.command(name="check", epilog="Exit codes: 0 no errors or warnings, 1 some, 2 trouble.")
@table_argument
@click.argument("model", metavar="[MODEL]", required=False, type=PATH_OR_STREAM)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report."
)
@ops_option
@max_size_option
def check(table: str, model: str | None, form: str, max_size: int) -> int:
    """Find what is wrong with a table, alone or with the float model it is for.

    \b
    ncnnparam table check encoder.table
    ncnnparam table check encoder.table encoder.ncnn.param
    ncnnparam table check --format github encoder.table encoder.ncnn.param
    """
    from ncnnparam.checks import Severity
    from ncnnparam.checks.report import Checked, as_github, as_json, as_sarif, as_text, summary
    from ncnnparam.quantize.table_rules import TABLE_RULES, check_table

    if table == model == "-":
        raise click.UsageError("only one of the two can come from standard input")
    findings = check_table(_read(table, max_size), _graph(model, max_size))
    checked = [Checked("<stdin>" if table == "-" else table, findings)]
    if form == "sarif":
        from ncnnparam import __version__

        emit(as_sarif(checked, [one.rule for one in TABLE_RULES], __version__))
    else:
        emit({"text": as_text, "json": as_json, "github": as_github}[form](checked))
    if form == "text":
        say(summary(findings))
    return FOUND if any(one.severity is not Severity.INFO for one in findings) else 0


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """``KEY=VALUE`` in two; a key may have an ``=`` in it, a value none."""
    for value in values:
        if not all(value.rpartition("=")):
            raise click.BadParameter(f"'{value}' is no KEY=VALUE")
    return [(key, new) for key, _, new in (value.rpartition("=") for value in values)]


@command.command(name="edit")
@table_argument
@click.option(
    "--set", "new", metavar="KEY=S[,S...]", multiple=True, callback=_pairs, help="Set a row's scales."
)
@click.option(
    "--multiply",
    metavar="KEY=FACTOR",
    multiple=True,
    callback=_pairs,
    help="Multiply scales; KEY may be a glob.",
)
@click.option(
    "--remove", metavar="KEY", multiple=True, help="Remove rows; without its own row a layer stays in float."
)
@click.option(
    "--rename", metavar="LAYER=NEW", multiple=True, callback=_pairs, help="Rename the rows of a layer."
)
@click.option("--tidy", is_flag=True, help="Drop blank lines, and rows that a later one outdoes.")
@click.option(
    "-o", "--output", metavar="OUT", help="Where to write; by default in place. - is standard output."
)
@click.option("--backup", is_flag=True, help="Keep the old file as TABLE.bak.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the changed lines and write nothing.")
@max_size_option
def edit(
    table: str,
    new: list[tuple[str, str]],
    multiply: list[tuple[str, str]],
    remove: tuple[str, ...],
    rename: list[tuple[str, str]],
    tidy: bool,
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> int:
    """Change rows of a table; the other lines stay as they are.

    \b
    ncnnparam table edit m.table --set conv_1=12.5
    ncnnparam table edit m.table --multiply 'fc*=0.9' -n
    ncnnparam table edit m.table --remove conv_14 --backup
    ncnnparam table edit m.table --rename fc=classifier --tidy -o new.table
    """
    found = _read(table, max_size)
    before = found.dumps()
    for key in _matching(found, remove):
        del found[key]
    for old, name in rename:
        found.rename_layer(old, name)
    for key, numbers in new:
        found[key] = [_number(word) for word in numbers.split(",")]
    for pattern, factor in multiply:
        for key in _matching(found, [pattern]):
            found[key] = _products(key, found[key], _number(factor, "factor of scales"))
    if tidy:
        found.tidy()
    if dry_run:
        emit(changed_lines(before, found.dumps(), table))
    elif output not in (None, table) or found.dumps() != before or table == "-":
        found.save(table if output is None else output, backup=backup)
    return 0


@command.command(name="merge")
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True, type=PATH_OR_STREAM)
@click.option(
    "-o", "--output", metavar="OUT", default="-", help="Where to write; by default standard output."
)
@click.option("--backup", is_flag=True, help="Keep the old file as OUT.bak.")
@max_size_option
def merge(tables: tuple[str, ...], output: str, backup: bool, max_size: int) -> int:
    """Put tables together; of two rows with one key the later one counts.

    \b
    ncnnparam table merge first.table second.table -o both.table
    """
    from ncnnparam.quantize.table import Table

    whole = Table()
    for path in tables:
        whole.merge(_read(path, max_size))
    whole.save(output, backup=backup)
    return 0


def _read(path: str, max_size: int) -> Table:
    from ncnnparam.quantize.table import Table

    return Table.read(path, max_size=max_size)


def _graph(model: str | None, max_size: int) -> Graph | None:
    from ncnnparam.model import load

    return None if model is None else load(model, max_size=max_size).graph


def _line(table: Table, key: str) -> int:
    row = table.row(key)
    return 0 if row is None else row.line


def _summary(table: Table, key: str) -> tuple[str, int, str, str]:
    scales = table[key]
    if not len(scales):
        return key, 0, "", ""
    return key, len(scales), f"{scales.min():g}", f"{scales.max():g}"


def _matching(table: Table, patterns: tuple[str, ...] | list[str]) -> list[str]:
    """The keys of rows that some patterns mean, each at least one."""
    from ncnnparam.errors import NotFoundError, did_you_mean

    found: dict[str, None] = {}
    for pattern in patterns:
        keys = [pattern] if pattern in table else [key for key in table if fnmatchcase(key, pattern)]
        if not keys:
            raise NotFoundError(f"the table has no row '{pattern}'", hint=did_you_mean(pattern, table))
        found |= dict.fromkeys(keys)
    return list(found)


def _number(word: str, what: str = "scale") -> float:
    """A number that can be a scale, or a factor of one."""
    import numpy as np

    from ncnnparam.quantize.int8_weights import is_scale

    try:
        number = float(word)
    except ValueError:
        raise click.BadParameter(f"'{word}' is no number") from None
    with np.errstate(all="ignore"):
        if not is_scale(np.float32(number)):
            raise click.BadParameter(f"'{word}' can be no {what}: that is a finite number above 0")
    return number


def _products(key: str, scales: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Scales times a factor; what was no scale before need be none then."""
    import numpy as np

    from ncnnparam.quantize.int8_weights import is_scale

    with np.errstate(all="ignore"):
        products = (scales.astype(np.float64) * factor).astype(np.float32)
    if (is_scale(scales) & ~is_scale(products)).any():
        raise click.BadParameter(f"{factor:g} times the scales of '{key}' is infinite or 0")
    return products
