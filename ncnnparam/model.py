"""A model: its graph and where it came from; json's four verbs to read and write it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TypeAlias

from ncnnparam.errors import FileError
from ncnnparam.graph import Graph, graph_from_syntax, graph_to_syntax
from ncnnparam.syntax import (
    MAX_SIZE,
    Dialect,
    Source,
    parse,
    read_text,
    source_name,
    unparse,
    write_atomic,
    write_stdout,
)

Target: TypeAlias = str | os.PathLike[str] | IO[str]


@dataclass
class Model:
    """A model in memory.

    Attributes:
        graph: The graph.
        path: The ``.param`` file it was read from, or None.
    """

    graph: Graph
    path: str | None = None

    def save(self, path: str | os.PathLike[str] | None = None, *, backup: bool = False) -> None:
        """Writes the model to a path, by default where it came from; see ``save``."""
        if path is None and self.path is None:
            raise FileError("this model came from no file: say where to save it")
        save(self, path if path is not None else str(self.path), backup=backup)


def loads(
    text: str, *, name: str | None = None, dialect: Dialect = Dialect.COMPAT, path: str | None = None
) -> Model:
    """Reads a model from text.

    Args:
        text: A whole ``.param`` file.
        name: File name for messages.
        dialect: Which texts to take.
        path: Where ``Model.save`` writes by default.

    Raises:
        ParseError: The text is no ``.param`` file.
    """
    return Model(graph_from_syntax(parse(text, name=name, dialect=dialect)), path)


def load(source: Source, *, dialect: Dialect = Dialect.COMPAT, max_size: int = MAX_SIZE) -> Model:
    """Reads a model from a path, from standard input (``"-"``) or from an open stream.

    Args:
        source: What to read.
        dialect: Which texts to take.
        max_size: The most bytes to read.

    Raises:
        FileError: The file cannot be read or is too large.
        ParseError: It is no ``.param`` file.
    """
    text = read_text(source, max_size=max_size)
    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) and source != "-" else None
    return loads(text, name=source_name(source), dialect=dialect, path=path)


def dumps(model: Model | Graph) -> str:
    """The text of a model: what has not changed is as it was read, byte for byte."""
    return unparse(graph_to_syntax(model.graph if isinstance(model, Model) else model))


def dump(model: Model | Graph, target: Target) -> None:
    """Writes a model to a path (see ``save``), to standard output (``"-"``) or to an open text stream."""
    text = dumps(model)
    if target == "-":
        write_stdout(text)
    elif isinstance(target, (str, os.PathLike)):
        write_atomic(target, text)
    else:
        target.write(text)


def save(model: Model | Graph, path: str | os.PathLike[str], *, backup: bool = False) -> None:
    """Writes a model to a path, so that the file there is the old one or the new one and never half.

    Args:
        model: What to write.
        path: Where.
        backup: Keep the file that was there, with ``.bak`` added to its name.

    Raises:
        FileError: It cannot be written; what was there is untouched.
    """
    write_atomic(path, dumps(model), backup=backup)
