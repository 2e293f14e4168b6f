"""Comparison of two graphs, and of two models with their weights.

``compare`` gives a ``Diff`` of small records, ``to_text`` prints one. ``align`` finds which layer is which,
``meaning`` says when params are the same to ncnn. ``weights.compare_weights`` compares the arrays too;
``measure`` has the numbers, ``quantized`` what int8 does to params, ``size`` where the bytes are.
"""

from ncnnparam.diff.compare import compare
from ncnnparam.diff.records import (
    BlobRenamed,
    CountChanged,
    Diff,
    InputChanged,
    InterfaceChanged,
    LayerAdded,
    LayerMoved,
    LayerQuantized,
    LayerRef,
    LayerRemoved,
    LayerRenamed,
    OutputCountChanged,
    ParamChanged,
    Record,
    Source,
    SpellingChanged,
    TypeChanged,
)
from ncnnparam.diff.text import to_text

__all__ = [
    "BlobRenamed",
    "CountChanged",
    "Diff",
    "InputChanged",
    "InterfaceChanged",
    "LayerAdded",
    "LayerMoved",
    "LayerQuantized",
    "LayerRef",
    "LayerRemoved",
    "LayerRenamed",
    "OutputCountChanged",
    "ParamChanged",
    "Record",
    "Source",
    "SpellingChanged",
    "TypeChanged",
    "compare",
    "to_text",
]
