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


def read_model(path: str, max_size: int) -> Model:
    """Reads a model for a command that changes or shows it."""
    from ncnnparam.model import load

    return load(path, max_size=max_size)


def write_model(model: Model, output: str | None, *, backup: bool = False) -> None:
    """Writes a changed model: to ``output``, else in place; what came from stdin goes to stdout."""
    from ncnnparam.model import dump, dumps, save
    from ncnnparam.syntax import unparse

    target = output if output is not None else model.path or "-"
    if target == "-":
        dump(model, "-")
        return
    tree = model.graph.syntax
    if target == model.path and tree is not None and dumps(model) == unparse(tree):
        return  # nothing changed: the file keeps its time stamp
    save(model, target, backup=backup)


def say(message: str) -> None:
    """Tells the user something beside the output, which may be a file that is piped on."""
    click.echo(message, err=True)
