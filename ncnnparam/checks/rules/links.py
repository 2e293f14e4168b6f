"""Rules about who makes a blob and who reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.loader import lacks_slots, layers_and_reach
from ncnnparam.checks.place import at_input, at_output
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.errors import did_you_mean

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer

OUTPUT_NAME = re.compile(r"out[0-9]+")
"""How pnnx names the outputs of a network."""


@rule("NP205", "undefined-input", Severity.ERROR)
def undefined_input(graph: Graph) -> Iterator[Problem]:
    """A layer reads a blob that no layer makes."""
    refused = lacks_slots(graph)
    made: list[str] | None = None
    looked_up = 0
    for layer, reached in layers_and_reach(graph):
        for index, blob in enumerate(layer.inputs):
            if blob.producer is None:
                made = made or [output.name for other in graph.layers for output in other.outputs]
                near = did_you_mean(blob.name, made) if looked_up < _FEW else None
                looked_up += 1
                yield Problem(
                    f"'{layer.name}' reads '{blob.name}', and no layer makes it",
                    at_input(layer, index),
                    near or f"if it is an input of the network, add: Input {blob.name} 0 1 {blob.name}",
                    refused=refused and reached,
                )


@rule("NP206", "input-order", Severity.ERROR, fixable=True)
def input_order(graph: Graph) -> Iterator[Problem]:
    """A layer reads a blob that is made further down."""
    refused, twice = lacks_slots(graph), names_stand_twice(graph)
    above: set[Layer] = set()
    for layer, reached in layers_and_reach(graph):
        for index, blob in enumerate(layer.inputs):
            if blob.producer is not None and blob.producer not in above:
                itself = blob.producer is layer
                maker = "it makes itself" if itself else f"'{blob.producer.name}' makes further down"
                yield Problem(
                    f"'{layer.name}' reads '{blob.name}', which {maker}: ncnn takes it for another blob",
                    at_input(layer, index),
                    None if itself else f"move '{layer.name}' below '{blob.producer.name}'",
                    refused=refused and reached,
                    fixable=not itself and not twice,
                )
        above.add(layer)


def names_stand_twice(graph: Graph) -> bool:
    """Whether two outputs have one name: then the order of the layers says which of them is read."""
    names = [blob.name for layer in graph.layers for blob in layer.outputs]
    return len(set(names)) < len(names)


@rule("NP207", "missing-split", Severity.ERROR, fixable=True)
def missing_split(graph: Graph) -> Iterator[Problem]:
    """A blob is read twice without a Split."""
    fixable = not names_stand_twice(graph)
    readers: dict[Blob, Layer] = {}
    for layer in graph.layers:
        for index, blob in enumerate(layer.inputs):
            first = readers.get(blob)
            readers.setdefault(blob, layer)
            if first is not None:
                again = "twice" if first is layer else f"and so does '{first.name}' above"
                yield Problem(
                    f"'{layer.name}' reads '{blob.name}' {again}: ncnn loads it and crashes when it runs",
                    at_input(layer, index),
                    "let a Split make as many copies as are read",
                    fixable=fixable,
                )


@rule("NP208", "dangling-blob", Severity.INFO)
def dangling_blob(graph: Graph) -> Iterator[Problem]:
    """A blob is never read and is no output."""
    unread = [
        (layer, index, blob)
        for layer in graph.layers
        if layer.type != "Split"  # NP209 speaks of those
        for index, blob in enumerate(layer.outputs)
        if not blob.uses
    ]
    named = any(OUTPUT_NAME.fullmatch(blob.name) for _, _, blob in unread)
    for layer, index, blob in unread:
        if layer.type == "Input":
            yield Problem(f"no layer reads the input '{blob.name}'", at_output(layer, index))
        elif named and not OUTPUT_NAME.fullmatch(blob.name):
            yield Problem(
                f"no layer reads '{blob.name}', and the outputs of this network have names like out0",
                at_output(layer, index),
            )


_FEW = 20  # where more blobs are missing nothing was misspelt, and looking for similar names takes long
