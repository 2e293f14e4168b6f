"""Places of things in the text a graph came from; a layer made in memory has none but its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.checks.finding import NOWHERE, Place
from ncnnparam.syntax.grammar import terminal
from ncnnparam.syntax.tree import LayerLine, Span, place

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

TYPE, NAME, N_INPUTS, N_OUTPUTS, FIRST_BLOB = range(5)
"""Numbers of the words of a layer line."""


def record(layer: Layer) -> LayerLine | None:
    """The record a layer was read from, if the layer still says the same and will be written as it is."""
    line = layer.origin
    if (
        line is not None
        and line.params == layer.params.raw
        and (line.type, line.name) == (layer.type, layer.name)
        and line.inputs == tuple(blob.name for blob in layer.inputs)
        and line.outputs == tuple(blob.name for blob in layer.outputs)
    ):
        return line
    return None


def at_word(layer: Layer, number: int = TYPE) -> Place:
    """The place of a word of a layer line, or of its type when the line has fewer words."""
    origin = layer.origin
    if origin is None:
        return Place(layer=layer.name)
    known = FIRST_BLOB + len(origin.inputs) + len(origin.outputs)
    return _in_layer(layer, origin.word_span(number if number < known else TYPE))


def at_input(layer: Layer, index: int) -> Place:
    """The place of the name of an input, counted from 0."""
    return at_word(layer, FIRST_BLOB + index)


def at_output(layer: Layer, index: int) -> Place:
    """The place of the name of an output, counted from 0."""
    return at_word(layer, FIRST_BLOB + len(layer.inputs) + index)


def at_param(layer: Layer, id: int) -> Place:
    """The place of the last param with an id, the one that counts, or of the type when there is none."""
    ids = [] if layer.origin is None else [param.id for param in layer.origin.params]
    if id not in ids:
        return at_word(layer)
    return at_param_number(layer, len(ids) - 1 - ids[::-1].index(id))


def at_param_number(layer: Layer, index: int) -> Place:
    """The place of a param, counted from 0 in the order of the line."""
    if layer.origin is None or index >= len(layer.origin.params):
        return at_word(layer)
    return _in_layer(layer, layer.origin.param_span(index))


def at_header(graph: Graph, word: int) -> Place:
    """The place of the magic number (0), the layer count (1) or the blob count (2)."""
    if graph.syntax is None:
        return NOWHERE
    text = graph.syntax.header.text
    return at_offset(text, list(terminal("param", "WORD").finditer(text))[word].start())


def at_trailing(graph: Graph) -> Place:
    """The place of the first word behind the last layer."""
    if graph.syntax is None:
        return NOWHERE
    word = terminal("param", "WORD").search(graph.syntax.trailing)
    if word is None:
        return NOWHERE
    before = "".join([graph.syntax.header.text, *(layer.text for layer in graph.syntax.layers)])
    return at_offset(before + graph.syntax.trailing, len(before) + word.start())


def at_offset(text: str, offset: int) -> Place:
    """The place of the word that begins at an offset of a whole text."""
    line, column = place(text, offset)
    word = terminal("param", "WORD").match(text, offset)
    lines: list[str] = terminal("param", "LINE").findall(text)
    return Place(line, column, len(word.group()) if word else 1, lines[line - 1].rstrip("\r\n"))


def _in_layer(layer: Layer, span: Span) -> Place:
    assert layer.origin is not None
    return Place(span.line, span.column, span.length, layer.origin.source_line(span.line), layer.name)
