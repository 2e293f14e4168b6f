"""Graph to ``.param.bin``."""

from __future__ import annotations

import struct

from ncnnparam.binparam.words import (
    ARRAY_BASE,
    END,
    LONGEST_STRING,
    MAGIC,
    STRING_BASE,
    WORD,
)
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph, Layer, graph_to_syntax
from ncnnparam.ops import ParamSpec, registry
from ncnnparam.ops.bits import looks_like_float
from ncnnparam.ops.type_index import CUSTOM, MOST_CUSTOM, index_of
from ncnnparam.syntax import Param, Value
from ncnnparam.syntax.values import ID_RANGE


def dumps(graph: Graph) -> bytes:
    """The binary form of a graph, as ncnn2mem writes it but for its faults.

    Each blob has a number of its own, also where ncnn2mem takes two for one because their names differ in
    special characters only. An int for a param that is a float is written as that float: the binary form does
    not tell ints from floats, and ncnn would take the bits of one for the other. The counts are true; only a
    count of blobs that an unchanged file declares too large stays, which does no harm.

    Raises:
        GraphError: A param cannot be said in this form.
    """
    blobs = {id(blob): index for index, blob in enumerate(graph.blobs)}
    types = custom_types(graph)
    blob_count = max(graph.blob_count, graph_to_syntax(graph).header.blob_count)
    out = bytearray(_words(MAGIC, graph.layer_count, blob_count))
    for layer in graph:
        index = index_of(layer.type)
        out += _words(types[layer.type] if index is None else index, len(layer.inputs), len(layer.outputs))
        out += _words(*(blobs[id(blob)] for blob in (*layer.inputs, *layer.outputs)))
        layer_type = registry.get(layer.type)
        for param in layer.params.raw:
            out += _param(layer, param, layer_type.param(param.id) if layer_type else None)
        out += _words(END)
    return bytes(out)


def custom_types(graph: Graph) -> dict[str, int]:
    """The types that are not ncnn's own, with the numbers that a program registers them by.

    Raises:
        GraphError: There are more than ncnn can tell apart.
    """
    names = dict.fromkeys(layer.type for layer in graph if index_of(layer.type) is None)
    if len(names) > MOST_CUSTOM:
        raise GraphError(f"the graph has {len(names)} custom layer types, and ncnn counts to {MOST_CUSTOM}")
    return {name: CUSTOM + index for index, name in enumerate(names)}


def _param(layer: Layer, param: Param, spec: ParamSpec | None) -> bytes:
    if param.id not in ID_RANGE:
        raise GraphError(f"layer '{layer.name}': param id {param.id} is not within 0 to 31")
    if spec is not None and not spec.reads(param.value):
        violation = spec.kind_violation(param.value)
        assert violation is not None
        message = f"layer '{layer.name}': {violation.message}; the binary form cannot say that"
        raise GraphError(message, hint=f"correct param {param.id}, or remove it to have the default")
    value = _as_read(param.value, spec)
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogateescape")
        if len(data) > LONGEST_STRING:
            message = f"layer '{layer.name}': param {param.id} has {len(data)} bytes"
            raise GraphError(f"{message}, and a string has at most {LONGEST_STRING}")
        return _words(STRING_BASE - param.id, len(data)) + data + bytes(-len(data) % WORD)
    if isinstance(value, tuple):
        return _words(ARRAY_BASE - param.id, len(value)) + b"".join(map(_word, value))
    return _words(param.id) + _word(value)


def _as_read(value: Value, spec: ParamSpec | None) -> Value:
    """The value with floats where the type reads floats."""
    if spec is not None and spec.type == "float" and isinstance(value, int):
        return float(value)
    if spec is not None and spec.items == "float" and isinstance(value, tuple):
        # in place of floats ncnn's own writer has put ints with their bits: -23310=1,1036831949
        return tuple(
            item if isinstance(item, int) and looks_like_float(item) else float(item) for item in value
        )
    return value


def _word(number: int | float) -> bytes:
    return struct.pack("<f" if isinstance(number, float) else "<i", number)


def _words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)
