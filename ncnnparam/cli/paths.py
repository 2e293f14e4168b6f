"""The files that a command line names: models, each maybe followed by its ``.bin``, folders, and outputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from ncnnparam.cli.common import OPS, say
from ncnnparam.syntax.pairing import is_bin, pairs_in, param_of


def model_files(paths: Iterable[str]) -> tuple[list[tuple[str, str | None]], bool]:
    """The models, each with its ``.bin`` if there is one, and whether a folder had no model.

    Raises:
        click.UsageError: A ``.bin`` stands where no model is before it.
    """
    files: list[tuple[str, str | None]] = []
    empty = False
    takes_bin = False
    for path in paths:
        if path != "-" and os.path.isdir(path) and not (takes_bin and is_bin(path)):
            found = _in_folder(path)
            empty |= not found
            files += found
            takes_bin = False
        elif is_bin(path):
            if not takes_bin:
                raise click.UsageError(f"{path}: name the .param first, then the .bin that goes with it")
            files[-1] = files[-1][0], path
            takes_bin = False
        else:
            files.append((path, None))
            takes_bin = True
    return files, empty


def require_apart(*written: str, but: Sequence[str] = (), items: Iterable[str] = ()) -> None:
    """Refuses to write two things to one place, or over what is read: every other path on the command line.

    Args:
        written: The parameters that name what is written.
        but: Parameters of paths that may be written over.
        items: Files that a list or a folder on the command line stands for.

    Raises:
        click.UsageError: A place has two uses.
    """
    context = click.get_current_context()
    of_paths = [param.name for param in context.command.params if isinstance(param.type, click.Path)]
    read = [name for name in of_paths if name not in (*written, *but)]
    paths = [path for name in read for path in _strings(context.params.get(name or ""))]
    taken = {_place(path) for path in (*paths, *context.meta.get(OPS, ()), *items) if path != "-"}
    for path in (path for name in written for path in _strings(context.params[name])):
        place = _place(path)
        if place in taken and path == "-":
            raise click.UsageError("two things cannot go to standard output: name a file for one")
        if place in taken:
            raise click.UsageError(f"{path} is named twice, and would be written over: name another file")
        if os.path.isfile(place) or not os.path.exists(place):  # a device takes all there is
            taken.add(place)


def _strings(value: Any) -> Iterator[str]:
    """The paths that a parameter names: none, one, or some in tuples."""
    if isinstance(value, str):
        yield value
    for part in value if isinstance(value, tuple) else ():
        yield from _strings(part)


def _place(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


def _in_folder(folder: str) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for param, weights in pairs_in(folder):
        if param is not None:
            found.append((str(param), None if weights is None else str(weights)))
        elif weights is not None:
            say(f"{weights}: there is no {param_of(weights).name} beside it; not checked")
    if not found:
        say(f"error: there is no .param file in {folder}")
    return found
