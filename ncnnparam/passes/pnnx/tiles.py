"""``Tile`` before an addition that would repeat the numbers anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.pnnx.base import Repair, layers_of, maker
from ncnnparam.passes.pnnx.shapes import ranks, stated_sizes

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Layer
    from ncnnparam.model import Model
    from ncnnparam.passes.base import PassResult


class DropBroadcastTiles(Repair):
    """Remove a Tile whose reader repeats the numbers by itself (BinaryOp)."""

    name = "pnnx-drop-broadcast-tiles"
    optional = True

    def repair(self, model: Model, result: PassResult) -> None:
        """Removes each that repeats an axis of size one for a constant of that many."""
        graph = model.graph
        known = ranks(graph)
        for layer in layers_of(graph, "Tile"):
            reason = _needed(layer, known)
            if reason is not None:
                result.decline(reason, layer.name)
                continue
            graph.remove(layer)
            result.change("removed: BinaryOp repeats an axis of size one", layer.name)


def _needed(layer: Layer, known: dict[str, int]) -> str | None:
    """Why a Tile cannot go, or None."""
    repeats, source = layer["repeats"], maker(layer.inputs[0])
    users = layer.outputs[0].readers
    if not isinstance(repeats, tuple) or known.get(layer.inputs[0].name) != len(repeats):
        return "cannot tell which axes it repeats"
    if source is None or source.type != "ExpandDims" or not isinstance(source["axes"], tuple):
        return "cannot tell that what it repeats is of size one"
    if len(users) != 1 or users[0].layer.type != "BinaryOp" or len(users[0].layer.inputs) != 2:
        return "not only a BinaryOp of two blobs reads it"
    other = _sizes(users[0].layer.inputs[1 - users[0].index])
    repeated = {axis for axis, count in enumerate(repeats) if count != 1}
    added = {int(axis) % len(repeats) for axis in source["axes"]}
    if other is None or len(other) != len(repeats) or not repeated <= added:
        return "cannot tell that its reader repeats it by itself"
    if any(other[axis] != repeats[axis] for axis in repeated):
        return "its reader would repeat it otherwise"
    return None


def _sizes(blob: Blob) -> tuple[int, ...] | None:
    """The sizes of a constant, or of a reshaped one."""
    layer = maker(blob)
    return stated_sizes(layer) if layer is not None and layer.type in ("Reshape", "MemoryData") else None
