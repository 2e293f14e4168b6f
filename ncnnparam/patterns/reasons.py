"""The words for why a pattern does not fit; they are made only when somebody asks."""

from __future__ import annotations

from ncnnparam.graph import Blob, Layer
from ncnnparam.patterns.pattern import LayerPattern


def no_producer(blob: Blob) -> str:
    """Going up from a blob that no layer writes."""
    return f"no layer writes {blob.name}"


def no_reader(blob: Blob) -> str:
    """Going down from a blob that nobody reads."""
    return f"blob {blob.name} is an output of the network"


def wrong_type(line: LayerPattern, layer: Layer) -> str:
    """A layer of another type than the line wants."""
    return f"{layer.name} is of type {layer.type}, the pattern wants {line.types}"


def in_other_match(layer: Layer) -> str:
    """A layer that an earlier match has."""
    return f"{layer.name} belongs to another match"


def used_twice(layer: Layer) -> str:
    """A layer that another line has found already."""
    return f"{layer.name} would stand for two layers of the pattern"


def wrong_counts(line: LayerPattern, layer: Layer) -> str:
    """A layer with another number of blobs than the line wants."""
    if not line.all_inputs and len(layer.inputs) != len(line.inputs):
        return f"{layer.name} has {_count(len(layer.inputs), 'input')}, the pattern wants {len(line.inputs)}"
    return f"{layer.name} has {_count(len(layer.outputs), 'output')}, the pattern wants {len(line.outputs)}"


def other_blobs(layer: Layer) -> str:
    """A layer that is not connected as the line wants."""
    return f"{layer.name} does not read and write the blobs that the pattern wants"


def nothing_made() -> str:
    """A blob that the pattern's layers should write, were the one that does so not missing."""
    return "the layer that may be missing is, and no other writes its blob"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)
