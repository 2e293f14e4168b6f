"""Syntax tree to graph and back."""

from __future__ import annotations

import re
from dataclasses import replace

from ncnnparam.collector import collector_paused
from ncnnparam.graph.graph import Graph
from ncnnparam.graph.layer import Blob, Layer
from ncnnparam.syntax import Header, LayerLine, ParamFile, Span

_MAGIC = "7767517"
_BLANKS = " \t\v\f\r\n"
_BLANK_LINES = re.compile(r"[ \t\v\f\r\n]*[\r\n]")
_TWO_COUNTS = re.compile(r"[^ \t\v\f\r\n]+([ \t\v\f\r\n]+)[^ \t\v\f\r\n]+([ \t\v\f\r\n]*)\Z")


@collector_paused()
def graph_from_syntax(tree: ParamFile) -> Graph:
    """The graph of a syntax tree, with the faults of the file.

    A blob name that is read before it is written becomes one blob, so that sorting can repair the order;
    a name that is written twice becomes two, and later readers get the first one, as in ncnn.
    """
    graph = Graph()
    graph._syntax = tree
    graph._newline = tree.newline
    layers = [Layer(graph, line.type, line.name, line.params, line) for line in tree.layers]
    graph.layers.extend(layers)
    blobs, add_layer = graph._blob_names.first, graph._layer_names.add
    for layer, line in zip(layers, tree.layers, strict=True):
        add_layer(line.name, layer)
        inputs = []
        for index, name in enumerate(line.inputs):
            blob = blobs.get(name)
            if blob is None:
                blob = blobs[name] = Blob(graph, name, None)
            blob._uses.append((layer, index))
            inputs.append(blob)
        layer._inputs = tuple(inputs)
        outputs = []
        for name in line.outputs:
            blob = blobs.get(name)
            if blob is None:
                blob = blobs[name] = Blob(graph, name, layer)
            elif blob._producer is None:
                blob._producer = layer
            else:
                blob = Blob(graph, name, layer)
                graph._blob_names.add(name, blob)
            outputs.append(blob)
        layer._outputs = tuple(outputs)
    return graph


def graph_to_syntax(graph: Graph) -> ParamFile:
    """The syntax tree of a graph: unchanged layers as they were read, the counts as they are.

    Only a file in which nothing at all has changed keeps its declared counts when these are wrong.
    """
    tree, newline = graph.syntax, graph._newline
    layers = [_line(layer, newline) for layer in graph]
    if tree is not None and len(layers) == len(tree.layers) and all(map(_is, layers, tree.layers)):
        return tree
    header = _header(tree.header.text if tree else "", graph.layer_count, graph.blob_count, newline)
    if not header.text.endswith(("\n", "\r")) and not (layers and layers[0].text[0] in _BLANKS):
        header.text += newline  # the header shared its line with a record that is gone
    texts = [header.text, *[layer.text for layer in layers], tree.trailing if tree else ""]
    for index in range(len(layers)):
        if not layers[index].text.endswith(("\n", "\r")) and any(texts[index + 2 :]):
            layers[index] = _relined(layers[index], layers[index].text + newline)
    return ParamFile(header, layers, texts[-1], newline, [], tree.name if tree else None)


def correct_counts(graph: Graph) -> bool:
    """Lets the header state the true counts even if nothing else changes; returns whether it was wrong."""
    tree = graph.syntax
    if tree is None or graph.declared == (graph.layer_count, graph.blob_count):
        return False
    header = _header(tree.header.text, graph.layer_count, graph.blob_count, graph._newline)
    graph._syntax = replace(tree, header=header)
    return True


def drop_trailing(graph: Graph) -> bool:
    """Deletes the text behind the last layer, which ncnn does not look at; returns whether there was any."""
    tree = graph.syntax
    if tree is None or not tree.trailing:
        return False
    graph._syntax = replace(tree, trailing="")
    return True


def reprint(graph: Graph, layer: Layer) -> None:
    """Lets a layer be written in canonical form even if it still says what its record says.

    That puts a record of several lines on one, and single blanks between its words. Blank lines above stay.
    """
    graph._check_layer(layer)
    if layer.origin is not None:
        layer._origin = _printed(layer, graph._newline)


def format_line(layer: Layer, newline: str = "\n") -> str:
    """A layer in ncnn's canonical form: type and name padded to 24 characters, single blanks."""
    words = [
        f"{layer._type:<24} {layer._name:<24} {len(layer._inputs)} {len(layer._outputs)}",
        *[blob._name for blob in layer._inputs],
        *[blob._name for blob in layer._outputs],
        *[param.text for param in layer._params],
    ]
    return " ".join(words) + newline


def canonical_text(graph: Graph) -> str:
    """A whole file in canonical form, params as they are spelled."""
    counts = f"{_MAGIC}\n{graph.layer_count} {graph.blob_count}\n"
    return counts + "".join(format_line(layer) for layer in graph)


def _line(layer: Layer, newline: str) -> LayerLine:
    """The record a layer was read from if it still says the same, else a new one."""
    origin = layer.origin
    if (
        origin is not None
        and (origin.params is layer._params or origin.params == layer._params)
        and origin.name == layer._name
        and origin.type == layer._type
        and origin.inputs == tuple([blob._name for blob in layer._inputs])
        and origin.outputs == tuple([blob._name for blob in layer._outputs])
    ):
        return origin
    return _printed(layer, newline)


def _printed(layer: Layer, newline: str) -> LayerLine:
    """A new record: the layer in canonical form, below the blank lines that stood above it."""
    origin = layer.origin
    blank_lines = _BLANK_LINES.match(origin.text) if origin is not None else None
    return LayerLine(
        (blank_lines.group() if blank_lines else "") + format_line(layer, newline),
        layer._type,
        layer._name,
        tuple([blob._name for blob in layer._inputs]),
        tuple([blob._name for blob in layer._outputs]),
        layer._params,
        origin.line if origin is not None else 0,
    )


def _header(text: str, layers: int, blobs: int, newline: str) -> Header:
    """The old head of the file with its two counts replaced, or a new one."""
    match = _TWO_COUNTS.search(text)
    if match is None:
        text = f"{_MAGIC}{newline}{layers} {blobs}{newline}"
    else:
        text = f"{text[: match.start()]}{layers}{match[1]}{blobs}{match[2]}"
    return Header(text, layers, blobs, Span(2, 1, len(f"{layers} {blobs}")))


def _relined(layer: LayerLine, text: str) -> LayerLine:
    return LayerLine(text, layer.type, layer.name, layer.inputs, layer.outputs, layer.params, layer.line)


def _is(one: LayerLine, other: LayerLine) -> bool:
    return one is other
