"""Random graphs for the tests of the diff, sound and with everything a diff looks at."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

import ncnnparam as nnp

Node: TypeAlias = tuple[str, tuple[int, ...], dict[int, object]]

TYPES: dict[str, tuple[int, dict[int, st.SearchStrategy[object]]]] = {
    "ReLU": (1, {0: st.sampled_from([0.1, 0.2])}),
    "Swish": (1, {}),
    "Convolution": (1, {0: st.sampled_from([8, 16]), 1: st.sampled_from([1, 3])}),
    "BinaryOp": (2, {0: st.sampled_from([0, 1, 2])}),
    "Mine": (2, {0: st.sampled_from([[1, 2], [3]]), 5: st.sampled_from(["w", "h"])}),
}
"""Layer types with their number of inputs and some params."""


@st.composite
def graphs(draw: st.DrawFn, size: int = 25) -> nnp.Graph:
    """Graphs of some inputs and up to ``size`` layers that read any layer above."""
    graph = nnp.Graph()
    for number in range(draw(st.integers(1, 3))):
        graph.add("Input", f"in{number}", outputs=[f"in{number}"])
    sources = list(graph)
    for number in range(draw(st.integers(1, size))):
        type = draw(st.sampled_from(sorted(TYPES)))
        arity, params = TYPES[type]
        # reading a near layer makes chains, reading a far one fan-out
        reads = [sources[-1 - draw(st.integers(0, min(4, len(sources) - 1)))] for _ in range(arity)]
        stated = {id: draw(value) for id, value in params.items() if draw(st.booleans())}
        inputs = [layer.outputs[0] for layer in reads]
        sources.append(
            graph.add(type, f"layer{number}", inputs=inputs, outputs=[f"blob{number}"], params=stated)
        )
    return graph


def renumber(graph: nnp.Graph, stem: str) -> None:
    """Gives all layers and all blobs inside the network new names."""
    visible = {blob.name for blob in (*graph.inputs, *graph.outputs)}
    for number, layer in enumerate(list(graph)):
        layer.name = f"{stem}_layer_{number}"
    for number, blob in enumerate(list(graph.blobs)):
        if blob.name not in visible:
            blob.name = f"{stem}_blob_{number}"


def plain_layers(graph: nnp.Graph) -> list[nnp.Layer]:
    """The layers that are neither Input nor Split."""
    return [layer for layer in graph if layer.type not in ("Input", "Split")]
