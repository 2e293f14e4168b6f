"""The files that a command line names: models, each maybe followed by its ``.bin``, folders, and outputs."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from ncnnparam.cli.common import say
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


def require_apart(outputs: Iterable[str | None], inputs: Iterable[str | None] = ()) -> None:
    """Refuses to write two things to one place, or over what is read.

    Args:
        outputs: What is written.
        inputs: What is read.

    Raises:
        click.UsageError: A place has two uses.
    """
    taken = {os.path.realpath(path) for path in inputs if path not in (None, "-")}
    for path in outputs:
        if path is None:
            continue
        place = os.path.realpath(path)
        if place in taken:
            raise click.UsageError(f"{path} is named twice, and would be written over: name another file")
        taken.add(place)


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
