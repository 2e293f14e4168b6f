"""The edits of text that repairs need: the graph's own API changes what layers say, not how it is spelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.syntax import Param
from ncnnparam.syntax.grammar import terminal

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer


def set_params(layer: Layer, params: Iterable[Param]) -> None:
    """Gives a layer other params, or the same ones in another spelling."""
    layer._params = tuple(params)


def forget_record(layer: Layer) -> None:
    """Lets a layer be written in canonical form, on one line."""
    layer._origin = None


def correct_counts(graph: Graph) -> None:
    """Puts the right counts into the header of a graph in which nothing else has changed."""
    assert graph.syntax is not None
    header = graph.syntax.header
    counts = (graph.layer_count, graph.blob_count)
    text = header.text
    words = list(terminal("param", "WORD").finditer(text))[1:3]
    for word, count in reversed(list(zip(words, counts, strict=True))):
        text = f"{text[: word.start()]}{count}{text[word.end() :]}"
    new = replace(header, text=text, layer_count=counts[0], blob_count=counts[1])
    graph._syntax = replace(graph.syntax, header=new)


def drop_trailing(graph: Graph) -> None:
    """Takes away the text behind the last layer."""
    assert graph.syntax is not None
    graph._syntax = replace(graph.syntax, trailing="")
