"""Random networks of a few simple layers, and what they compute."""

from __future__ import annotations

import hypothesis.strategies as st

import ncnnparam as nnp
from ncnnparam.graph import Blob, Graph, Layer

Expression = tuple[object, ...]

ONES = ("ReLU", "Sigmoid", "Noop", "Dropout", "Swish")


@st.composite
def networks(draw: st.DrawFn, most: int = 14) -> Graph:
    """A sound graph: layers that read any blobs above, so with Splits, several inputs and several outputs."""
    graph = Graph()
    blobs = [graph.add("Input", f"in{index}").outputs[0] for index in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(1, most))):
        type = draw(st.sampled_from((*ONES, "BinaryOp", "Slice")))
        reads = [draw(st.sampled_from(blobs)) for _ in range(2 if type == "BinaryOp" else 1)]
        before = draw(st.none() | st.sampled_from(list(graph)))
        if before is not None and any(not _stands_above(blob, before) for blob in reads):
            before = None
        params = {0: draw(st.sampled_from((0, 2)))} if type == "BinaryOp" else {}
        layer = graph.add(
            type, inputs=reads, outputs=2 if type == "Slice" else 1, params=params, before=before
        )
        blobs += layer.outputs
    return graph


@st.composite
def broken_networks(draw: st.DrawFn) -> Graph:
    """What a file with faults in its links gives: circles, a wrong order, names used twice."""
    types = {"ReLU": 1, "Noop": 1, "Dropout": 1, "Sigmoid": 1, "BinaryOp": 2, "Split": 1, "Input": 0}
    blobs = st.sampled_from(["a", "b", "c", "d", "e"])
    lines = []
    for number in range(draw(st.integers(1, 8))):
        type, outputs = draw(st.sampled_from(sorted(types))), draw(st.integers(1, 2))
        outputs = outputs if type == "Split" else 1
        names = " ".join(draw(blobs) for _ in range(types[type] + outputs))
        lines.append(f"{type} l{number} {types[type]} {outputs} {names}\n")
    return nnp.loads(f"7767517\n{len(lines)} {len(lines)}\n" + "".join(lines)).graph


def _stands_above(blob: Blob, layer: Layer) -> bool:
    producer = blob.source.producer
    return producer is not None and blob.graph is not None and blob.graph.layers.before(producer, layer)


class Meaning:
    """What the blobs of a graph are: equal expressions are the same number.

    Noop and Dropout hand on their input, a Swish is its input times the Sigmoid of it, two ReLUs are one, and
    the two inputs of a BinaryOp (0 add, 2 mul) may come in any order.
    """

    def __init__(self) -> None:
        self.numbers: dict[Expression, int] = {}
        self.relus: set[int] = set()

    def outputs(self, graph: Graph) -> dict[str, int]:
        """The expression of each output of the network, by its name."""
        values: dict[Blob, int] = {}
        for layer in graph:
            inputs = [values[blob] for blob in layer.inputs]
            for index, blob in enumerate(layer.outputs):
                values[blob] = self._value(layer, inputs, index)
        return {blob.name: values[blob] for blob in graph.outputs}

    def _value(self, layer: Layer, inputs: list[int], index: int) -> int:
        if layer.type in ("Noop", "Dropout", "Split"):
            return inputs[0]
        if layer.type == "Input":
            return self._number("Input", layer.outputs[index].name)
        if layer.type == "BinaryOp":
            return self._number("BinaryOp", layer["op_type"], *sorted(inputs))
        if layer.type == "Swish":
            sigmoid = self._number("Sigmoid", inputs[0], 0)
            return self._number("BinaryOp", 2, *sorted((inputs[0], sigmoid)))
        if layer.type == "ReLU" and inputs[0] in self.relus:
            return inputs[0]
        number = self._number(layer.type, inputs[0], index)
        if layer.type == "ReLU":
            self.relus.add(number)
        return number

    def _number(self, *expression: object) -> int:
        return self.numbers.setdefault(expression, len(self.numbers))
