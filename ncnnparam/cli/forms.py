"""Which file of a command line is what: graph or weights, text or binary, to read or to write."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import click

BINARY = ".param.bin"
_WEIGHTS = ".bin"


@dataclass(frozen=True)
class Files:
    """The files of a conversion.

    Attributes:
        graph: The graph to read.
        weights: The weights to read, or None.
        new_graph: Where to write the graph, or None.
        new_weights: Where to write the weights, or None.
    """

    graph: str
    weights: str | None = None
    new_graph: str | None = None
    new_weights: str | None = None


def sort_files(names: Sequence[str]) -> Files:
    """Tells the files apart by their names: ``.bin`` is weights, ``.param.bin`` and all else a graph.

    Raises:
        UsageError: Their order or number makes no sense.
    """
    kinds = "".join("g" if is_graph(name) else "w" for name in names)
    match = re.fullmatch("(g)(w?)(g?)(w?)", kinds)
    if match is None:
        raise click.UsageError(
            "give the files in this order: IN.param [IN.bin] [OUT.param] [OUT.bin]; here they are "
            + ", ".join(
                f"{name} ({'graph' if kind == 'g' else 'weights'})"
                for name, kind in zip(names, kinds, strict=True)
            )
        )
    rest = iter(names)
    graph, weights, new_graph, new_weights = (next(rest) if kind else None for kind in match.groups())
    assert graph is not None
    if new_weights is not None and weights is None:
        raise click.UsageError(f"name the .bin of {graph} behind it, to make {new_weights} from")
    return Files(graph, weights, new_graph, new_weights)


def is_graph(name: str) -> bool:
    """Whether a file of this name holds a graph, in either form."""
    return is_binary(name) or not name.endswith(_WEIGHTS)


def is_binary(name: str) -> bool:
    """Whether a file of this name holds a graph in its binary form."""
    return name.endswith(BINARY)


def check_outputs(inputs: Sequence[str | None], outputs: Sequence[str | None]) -> None:
    """Makes sure that no output is an input or another output.

    Raises:
        UsageError: One is.
    """
    read = {os.path.realpath(name) for name in inputs if name not in (None, "-")}
    written: set[str] = set()
    for name in outputs:
        if name is None or name == "-":
            continue
        path = os.path.realpath(name)
        if path in read:
            raise click.UsageError(
                f"{name} is read and would be overwritten; --in-place allows that for weights"
            )
        if path in written:
            raise click.UsageError(f"{name} would be written twice")
        written.add(path)
