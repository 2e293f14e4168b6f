"""Layer types that users declare in a TOML file: one table for each type."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ncnnparam.errors import ConfigError
from ncnnparam.ops import declare
from ncnnparam.ops.layer_type import LayerType

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_ops(path: str | os.PathLike[str], known: Mapping[str, LayerType | None]) -> tuple[LayerType, ...]:
    """The layer types that a file declares.

    Args:
        path: A TOML file; ``-`` reads standard input.
        known: The types there are already, by name. To declare one of them again the same way is no fault.

    Raises:
        FileError: The file cannot be read.
        ConfigError: It cannot be understood; the error names file and line.
    """
    from ncnnparam.syntax.files import read_text

    text = read_text(Path(path) if path != "-" else "-")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else f"{path}"
        fault = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(f"{where}: this is no TOML: {fault}") from None
    except (ValueError, RecursionError):  # Python gives up on numbers of thousands of digits, on deep lists
        raise ConfigError(f"{path}: a number is too long or lists nest too deep") from None
    return tuple(_read_type(path, text, name, table, known.get(name)) for name, table in tables.items())


def _read_type(
    path: str | os.PathLike[str], text: str, name: str, table: object, known: LayerType | None
) -> LayerType:
    if not isinstance(table, dict):
        raise ConfigError(
            f"{path}:{_line_of(text, '', name)}: '{name}' stands outside of a layer type",
            hint="begin each type with a line [TypeName]",
        )
    try:
        declared = declare.layer_type(name, table, custom=True)
        declare.check(declared)
    except declare.DeclarationError as error:
        line = _line_of(text, name, error.word)
        raise ConfigError(f"{path}:{line}: layer type {name}: {error.message}", hint=error.hint) from None
    if known is not None and known != declared:
        raise ConfigError(f"{path}:{_line_of(text, name, '')}: there is a layer type '{name}' already")
    return declared


def _line_of(text: str, name: str, word: str) -> int:
    """The first line of a type's table that has the word, or the head of the table, or 1."""
    head = re.compile(rf"\s*\[+\s*[\"']?{re.escape(name)}[\"']?\s*[\].]") if name else re.compile("")
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if head.match(line)), 0)
    has_word = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    if word:
        start = next((at for at in range(start, len(lines)) if has_word.search(lines[at])), start)
    return start + 1
