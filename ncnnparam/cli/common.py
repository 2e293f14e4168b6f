"""What several commands share: their options, and reading and writing models."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ncnnparam.model import Model

Command = TypeVar("Command", bound=Callable[..., Any])

FOUND = 1
"""Exit code for "differences found" and "problems found"."""

_SIZE = re.compile(r"(\d+)([KMG]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _size(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """A number of bytes from ``800000``, ``64M`` or ``2G``."""
    match = _SIZE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"'{value}' is no size: write 800000, 64M or 2G")
    return int(match[1]) * _UNITS[match[2].upper()]


def max_size_option(command: Command) -> Command:
    """Adds ``--max-size``; the command gets ``max_size`` in bytes."""
    return click.option(
        "--max-size",
        callback=_size,
        metavar="SIZE",
        default="256M",
        show_default=True,
        help="The largest file to read.",
    )(command)


def output_options(command: Command) -> Command:
    """Adds ``-o`` and ``--backup``; the command gets ``output`` and ``backup``."""
    for option in (
        click.option("--backup", is_flag=True, help="Keep the old file as FILE.bak."),
        click.option(
            "-o",
            "--output",
            metavar="OUT",
            help="Where to write; by default the model is changed in place. - is standard output.",
        ),
    ):
        command = option(command)
    return command


def edit_options(command: Command) -> Command:
    """Adds ``-o``, ``--backup`` and ``--dry-run``: what ``finish_edit`` takes."""
    dry_run = click.option("-n", "--dry-run", is_flag=True, help="Show the changed lines and write nothing.")
    return output_options(dry_run(command))


def read_model(path: str, max_size: int) -> Model:
    """Reads a model for a command that changes or shows it."""
    from ncnnparam.model import load

    return load(path, max_size=max_size)


def write_model(model: Model, output: str | None, *, backup: bool = False) -> None:
    """Writes a model: to ``output``, else in place; what came from stdin goes to stdout."""
    from ncnnparam.model import dump, save

    target = output if output is not None else model.path or "-"
    if target == "-":
        dump(model, "-")
    else:
        save(model, target, backup=backup)


def finish_edit(model: Model, output: str | None, backup: bool, dry_run: bool) -> None:
    """Writes what a command has edited, with true counts, or only shows the changed lines.

    A file that would stay as it is is not written, so that it keeps its time stamp.
    """
    from ncnnparam.graph import correct_counts
    from ncnnparam.model import dumps
    from ncnnparam.syntax import unparse

    old = unparse(model.graph.syntax) if model.graph.syntax is not None else ""
    correct_counts(model.graph)
    if dry_run:
        click.echo(changed_lines(old, dumps(model), model.path or "-"), nl=False)
    elif output not in (None, model.path) or model.path is None or dumps(model) != old:
        write_model(model, output, backup=backup)


def changed_lines(old: str, new: str, name: str) -> str:
    """The lines that differ, as a unified diff without context; empty if there are none."""
    from difflib import unified_diff

    lines = unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), name, name, n=0)
    text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def say(message: str) -> None:
    """Tells the user something beside the output, which may be a file that is piped on."""
    click.echo(message, err=True)
