"""``torch.unbind``: the pieces of a state, one for each layer of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, layers_of, readers
from ncnnparam.passes.pnnx.shapes import ranks, size_params

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult

_EQUAL = -233
"""A size of ``Slice`` that stands for an equal share of what is left."""


class LowerUnbind(Repair):
    """Replace torch.unbind by Slice."""

    name = "pnnx-lower-unbind"

    def repair(self, model: Model, result: PassResult) -> None:
        """Cuts along the first axis; a piece that joins matrices loses the axes of size one."""
        known = ranks(model.graph)
        for layer in layers_of(model.graph, "torch.unbind"):
            operator = self.operator(layer)
            if operator is None:
                result.decline("its axis is only in the .pnnx.param, which has no such operator", layer.name)
            elif operator.int("dim") != 0 or len(operator.outputs) != len(layer.outputs):
                result.decline(f"cannot cut along axis {operator.params.get('dim', '?')}", layer.name)
            else:
                count = len(layer.outputs)
                model.graph.replace(layer, "Slice", slices=[_EQUAL] * count, axis=0)
                result.change(f"a Slice into {count}", layer.name)
                for piece, blob in zip(layer.outputs, operator.outputs, strict=True):
                    _fit(model.graph, layer, piece, self.sizes(blob), known, result)


def _fit(
    graph: Graph,
    layer: Layer,
    piece: Blob,
    shape: tuple[int, ...] | None,
    known: Mapping[str, int],
    result: PassResult,
) -> None:
    """Gives a piece as many axes as what it is joined with has."""
    rank = next((rank for rank in (_joined_rank(reader, known) for reader in readers(piece)) if rank), None)
    if rank is None:
        return
    if shape is None:
        result.decline(f"a piece of unknown shape is joined with blobs of {rank} axes", layer.name)
        return
    sizes = list(shape)
    while len(sizes) > rank and 1 in sizes:
        sizes.remove(1)
    if len(sizes) != rank:
        result.decline(f"a piece of shape {shape} is joined with blobs of {rank} axes", layer.name)
        return
    graph.insert_on(piece, "Reshape", params=size_params(sizes))


def _joined_rank(reader: Layer, known: Mapping[str, int]) -> int | None:
    """How many axes a Concat joins."""
    if reader.type != "Concat":
        return None
    return next((known[blob.name] for blob in reader.inputs if blob.name in known), None)
