"""Rules about names that stand twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.place import NAME, at_output, at_word
from ncnnparam.checks.rule import Problem, rule

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer


@rule("NP203", "duplicate-layer-name", Severity.WARNING)
def duplicate_layer_name(graph: Graph) -> Iterator[Problem]:
    """Two layers have one name."""
    first: dict[str, Layer] = {}
    for layer in graph.layers:
        if first.setdefault(layer.name, layer) is not layer:
            yield Problem(
                f"a second layer is named '{layer.name}'{_first_line(first[layer.name])}: "
                "int8 tables and tools that go by the name mistake one for the other",
                at_word(layer, NAME),
                "give one of them another name",
            )


@rule("NP204", "duplicate-blob-name", Severity.ERROR)
def duplicate_blob_name(graph: Graph) -> Iterator[Problem]:
    """Two outputs have one name."""
    first: dict[str, Layer] = {}
    for layer in graph.layers:
        for index, blob in enumerate(layer.outputs):
            maker = first.get(blob.name)
            if maker is None:
                first[blob.name] = layer
                continue
            yield Problem(
                f"a second output is named '{blob.name}'{_first_line(maker)}: "
                "ncnn gives the first one to all readers",
                at_output(layer, index),
                "give one of them another name, and their readers the right one",
            )


def _first_line(layer: Layer) -> str:
    return f", the first is in line {layer.line}" if layer.line else ""
