"""The editable graph: layers, the blobs between them, and edits that keep both in step."""

from ncnnparam.graph.build import (
    canonical_text,
    correct_counts,
    drop_trailing,
    format_line,
    graph_from_syntax,
    graph_to_syntax,
    reprint,
)
from ncnnparam.graph.graph import Graph
from ncnnparam.graph.layer import INPUT, SPLIT, Blob, Layer, Use
from ncnnparam.graph.order import LayerList
from ncnnparam.graph.params import Params

__all__ = [
    "INPUT",
    "SPLIT",
    "Blob",
    "Graph",
    "Layer",
    "LayerList",
    "Params",
    "Use",
    "canonical_text",
    "correct_counts",
    "drop_trailing",
    "format_line",
    "graph_from_syntax",
    "graph_to_syntax",
    "reprint",
]
