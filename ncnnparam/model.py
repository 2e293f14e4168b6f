"""A model: its graph, its weights and where they came from; json's four verbs to read and write it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

from ncnnparam.errors import FileError
from ncnnparam.graph import Graph, graph_from_syntax, graph_to_syntax
from ncnnparam.syntax import (
    MAX_SIZE,
    Dialect,
    Source,
    finish_pair,
    parse,
    read_text,
    source_name,
    unparse,
    write_atomic,
    write_pair,
    write_stdout,
)

if TYPE_CHECKING:
    from ncnnparam.weights import WeightFile

Target: TypeAlias = str | os.PathLike[str] | IO[str]


@dataclass
class Model:
    """A model in memory.

    Attributes:
        graph: The graph; its layers carry their weights.
        path: The ``.param`` file it was read from, or None.
        file: The ``.bin`` file it was read from, or None.
    """

    graph: Graph
    path: str | None = None
    file: WeightFile | None = None

    def save(
        self,
        path: str | os.PathLike[str] | None = None,
        weights: str | os.PathLike[str] | None = None,
        *,
        backup: bool = False,
    ) -> None:
        """Writes the model, by default where it came from; see ``save``."""
        if path is None:
            if self.path is None:
                raise FileError("this model came from no file: say where to save it")
            path = self.path
            if weights is None and self.file is not None:
                weights = self.file.path
        save(self, path, weights, backup=backup)


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


def load(
    source: Source,
    weights: str | os.PathLike[str] | None = None,
    *,
    dialect: Dialect = Dialect.COMPAT,
    max_size: int = MAX_SIZE,
) -> Model:
    """Reads a model from a path, from standard input (``"-"``) or from an open stream.

    The weights are mapped, and read when somebody looks at them. A save of this model that was killed is
    completed first.

    Args:
        source: The ``.param`` text.
        weights: The ``.bin`` file that goes with it, or None to do without.
        dialect: Which texts to take.
        max_size: The most bytes of text to read.

    Raises:
        FileError: A file cannot be read, or the text is too large.
        ParseError: It is no ``.param`` file.
        WeightsError: The ``.bin`` file does not fit it.
    """
    path = os.fspath(source) if isinstance(source, (str, os.PathLike)) and source != "-" else None
    if path is not None:
        finish_pair(path)
    text = read_text(source, max_size=max_size)
    model = loads(text, name=source_name(source), dialect=dialect, path=path)
    if weights is not None:
        from ncnnparam.weights import WeightFile

        model.file = WeightFile.open(weights)
        model.file.attach(model.graph)
    return model


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


def save(
    model: Model | Graph,
    path: str | os.PathLike[str],
    weights: str | os.PathLike[str] | None = None,
    *,
    backup: bool = False,
) -> None:
    """Writes a model, so that what is there is the old one or the new one and never half.

    What was not touched is written as it was read, and so is what stood behind the last array of a ``.bin``
    file. If that file would not change it is left alone. ``syntax.pair`` says what holds for the two files.

    Args:
        model: What to write.
        path: Where to put the ``.param`` file.
        weights: Where to put the ``.bin`` file, in the same folder. A model without weights needs none.
        backup: Keep the files that were there, with ``.bak`` added to their names.

    Raises:
        FileError: They cannot be written, or there are weights and no place for them; what was there is
            untouched.
        WeightsError: A layer lacks weights, or has some that its params do not ask for.
    """
    graph = model.graph if isinstance(model, Model) else model
    text = dumps(graph)
    finish_pair(path)
    if weights is None:
        if any(layer._weights for layer in graph):
            hint = "name a .bin file too; dump() writes the .param alone"
            raise FileError(f"cannot write {path} alone: the model has weights", hint=hint)
        write_atomic(path, text, backup=backup)
        return
    from ncnnparam.weights import in_order, is_all_of, pieces

    arrays = in_order(graph)
    file = model.file if isinstance(model, Model) else None
    if file is not None and is_all_of(arrays, file) and file.is_still(weights):
        write_atomic(path, text, backup=backup)
        return
    write_pair(path, text, weights, pieces(arrays, file), backup=backup)
