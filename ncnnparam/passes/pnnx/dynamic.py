"""Sizes that pnnx saw in its example and wrote into Reshapes, where other inputs have others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.pnnx.base import Repair, layers_of
from ncnnparam.passes.pnnx.shapes import stated_sizes

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.pnnx.text import PnnxGraph

_REST = -1
_SIZE = re.compile("[1-9][0-9]{0,8}")


class DynamicReshapes(Repair):
    """Let Reshapes take a size from their input.

    Args:
        pnnx: The graph in PyTorch's terms; not needed.
        sizes: The sizes that change with the input, as they were in the example; in a pipeline one, or
            several with blanks between them.

    Raises:
        ConfigError: A size is no positive number.
    """

    name = "pnnx-dynamic-reshapes"

    def __init__(self, pnnx: PnnxGraph | str | None = None, sizes: Iterable[int] | int | str = ()) -> None:
        super().__init__(pnnx)
        self._open = frozenset(_sizes(sizes))

    def repair(self, model: Model, result: PassResult) -> None:
        """Replaces such a size by -1, which means: what is left."""
        found: set[object] = set()
        for layer in layers_of(model.graph, "Reshape"):
            stated = stated_sizes(layer) or ()
            places = [name for name in ("w", "h", "d", "c") if layer[name] in self._open]
            found.update(layer[name] for name in places)
            if not places:
                continue
            if len(places) > 1 or _REST in stated:
                result.decline(f"only one size can be left open: {stated}", layer.name)
                continue
            result.change(f"size {layer[places[0]]} is left open", layer.name)
            layer[places[0]] = _REST
        for size in sorted(self._open - found):
            result.decline(f"no Reshape states the size {size}")


def _sizes(given: Iterable[int] | int | str) -> list[int]:
    if isinstance(given, str):
        words = given.replace(",", " ").split()
    else:
        words = [str(size) for size in ([given] if isinstance(given, int) else given)]
    for word in words:
        if not _SIZE.fullmatch(word):
            raise ConfigError(f"'{word}' is no size that can be left open", hint="a size is a number from 1")
    return [int(word) for word in words]
