"""Graphs in short: one word per layer and blob, easy to compare by eye."""

from __future__ import annotations

import ncnnparam as nnp
from ncnnparam.graph import Graph


def graph_of(body: str) -> Graph:
    """A graph from records without counts: ``Input in 0 1 in / ReLU r 1 1 in out``."""
    records = [record.strip() for record in body.replace("\n", "/").split("/") if record.strip()]
    loaded = nnp.loads("7767517\n1 1\n" + "".join(f"{record}\n" for record in records)).graph
    text = nnp.dumps(loaded).replace("1 1", f"{loaded.layer_count} {loaded.blob_count}", 1)
    return nnp.loads(text).graph


def short(graph: Graph) -> list[str]:
    """Each layer as ``name: inputs -> outputs``."""
    return [
        f"{layer.name}: {' '.join(b.name for b in layer.inputs)} -> {' '.join(b.name for b in layer.outputs)}"
        for layer in graph
    ]
