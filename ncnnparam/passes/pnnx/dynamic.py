"""Sizes that pnnx saw in its example and wrote into Reshapes, where other inputs have others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.passes.base import PassResult
from ncnnparam.passes.pnnx.base import Repair, layers_of
from ncnnparam.passes.pnnx.shapes import stated_sizes

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.pnnx.text import PnnxGraph

_REST = -1


class DynamicReshapes(Repair):
    """Let Reshapes take a size from their input.

    Args:
        pnnx: The graph in PyTorch's terms; not needed.
        sizes: The sizes that change with the input, as they were in the example.
    """

    name = "pnnx-dynamic-reshapes"

    def __init__(self, pnnx: PnnxGraph | str | None = None, sizes: Iterable[int] = ()) -> None:
        super().__init__(pnnx)
        self._open = frozenset(sizes)

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces such a size by -1, which means: what is left."""
        for layer in layers_of(model.graph, "Reshape"):
            stated = stated_sizes(layer) or ()
            places = [name for name in ("w", "h", "d", "c") if layer[name] in self._open]
            if not places:
                continue
            if len(places) > 1 or _REST in stated:
                result.decline(f"only one size can be left open: {stated}", layer.name)
                continue
            result.change(f"size {layer[places[0]]} is left open", layer.name)
            layer[places[0]] = _REST
