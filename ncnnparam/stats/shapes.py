"""Which blobs have which size: what the file states, and what a user says of the inputs.

Here sizes stand as numpy orders them, the width last; ``views.shapes`` and ncnn's own files have it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from ncnnparam.errors import GraphError, NotFoundError, did_you_mean
from ncnnparam.graph import Blob, Graph
from ncnnparam.ops.sizes import Shape
from ncnnparam.views.shapes import shape

_MOST_NAMED = 5


def stated_shapes(graph: Graph) -> dict[str, Shape]:
    """The shapes that shape hints and Input layers state, by blob name; Splits are seen through."""
    found = {blob.name: _stated(blob) or _stated(blob.source) for blob in graph.blobs}
    return {name: sizes for name, sizes in found.items() if sizes is not None}


def input_shapes(graph: Graph, given: Sequence[tuple[str, Shape]]) -> dict[str, Shape]:
    """The shape of every input of a network.

    Args:
        graph: The network.
        given: Shapes by the name of an input or a glob over their names; they go before what the file states,
            and the later ones before the earlier ones.

    Raises:
        NotFoundError: There is no input of a given name.
        GraphError: Nobody has said how large an input is.
    """
    names = [blob.name for blob in graph.inputs]
    found: dict[str, Shape | None] = {blob.name: _stated(blob) for blob in graph.inputs}
    for pattern, sizes in given:
        matching = [pattern] if pattern in found else [name for name in names if fnmatchcase(name, pattern)]
        if not matching:
            hint = did_you_mean(pattern, names) or f"its inputs are {_first(names)}"
            raise NotFoundError(f"the network has no input '{pattern}'", hint=hint)
        found |= dict.fromkeys(matching, sizes)
    known = {name: sizes for name, sizes in found.items() if sizes is not None}
    missing = [name for name in names if name not in known]
    if missing:
        raise GraphError(
            f"the network cannot be run: the sizes of its inputs are not known: {_first(missing)}",
            hint=f"say them: --shape {missing[0]}=3,224,224",
        )
    return known


def shapes_of(blobs: Sequence[Blob], shapes: Mapping[str, Shape]) -> list[Shape | None]:
    """The shapes of some blobs, in their order."""
    return [shapes.get(blob.name) for blob in blobs]


def _stated(blob: Blob) -> Shape | None:
    sizes = shape(blob)
    return tuple(reversed(sizes)) if sizes and min(sizes) > 0 else None


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
