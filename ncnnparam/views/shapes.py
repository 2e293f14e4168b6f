"""Shapes of blobs, as far as the file states them or somebody has said them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.graph import INPUT, Blob, Layer

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

SHAPE_HINTS = 30
"""The param in which any layer may state the shapes of its outputs."""

# how many numbers a hint has for each output: dims w h c, or dims w h d c
_FORMS = (4, 5)


def shape(blob: Blob) -> tuple[int, ...] | None:
    """The size of a blob, width first: ``(w,)``, ``(w, h)``, ``(w, h, c)`` or ``(w, h, d, c)``.

    Returns:
        None where nobody has said it (``Blob.shape``), and neither a shape hint nor an Input layer states it.
    """
    if blob.shape is not None:
        return blob.shape[::-1]
    layer = blob.producer
    if layer is None:
        return None
    number = next(index for index, output in enumerate(layer.outputs) if output is blob)
    return _hinted(layer, number) or (_stated(layer) if layer.type == INPUT else None)


def know_shapes(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> None:
    """Says of inputs what shape they have, better than the file does; the file will not have it.

    Args:
        graph: The graph.
        shapes: By blob name, sizes as numpy orders them, the width last.

    Raises:
        NotFoundError: There is no such blob.
        ConfigError: It is no input.
    """
    inputs = {blob.name for blob in graph.inputs}
    blobs = {name: graph.blob(name) for name in shapes}
    for name in blobs.keys() - inputs:
        hint = f"its inputs are: {', '.join(sorted(inputs)) or 'none'}"
        raise ConfigError(f"'{name}' is no input of the network", hint=hint)
    for name, sizes in shapes.items():
        blobs[name].shape = tuple(sizes)


def shape_text(sizes: tuple[int, ...]) -> str:
    """A shape in words: ``227x227x3``."""
    return "x".join(map(str, sizes))


def _hinted(layer: Layer, number: int) -> tuple[int, ...] | None:
    """The shape that a layer's hint gives for one of its outputs."""
    hint = layer.params.get(SHAPE_HINTS)
    if not isinstance(hint, tuple):
        return None
    form = next((form for form in _FORMS if len(hint) == form * len(layer.outputs)), None)
    if form is None:
        return None
    dims, w, h, *d, c = (int(item) for item in hint[number * form : (number + 1) * form])
    return {1: (w,), 2: (w, h), 3: (w, h, c), 4: (w, h, *d, c)}.get(dims)


def _stated(layer: Layer) -> tuple[int, ...] | None:
    """The shape that an Input layer states; a size of 0 says nothing."""
    sizes = [size for name in ("w", "h", "d", "c") if isinstance(size := layer[name], int) and size != 0]
    return tuple(sizes) if sizes and min(sizes) > 0 else None
