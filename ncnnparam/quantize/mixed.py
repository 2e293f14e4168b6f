"""Mixed precision: of an int8 model the layers that hurt most stay in float, as many as it takes.

The order is that of ``sensitivity``. How many it takes is measured on the models themselves, which are made
one after the other in a temporary folder.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.model import load
from ncnnparam.quantize.accuracy import fetch, run_item
from ncnnparam.quantize.accuracy_probes import Numbers
from ncnnparam.quantize.accuracy_sensitivity import LayerCost, selector, sensitivity
from ncnnparam.quantize.accuracy_spread import Spread, at_once
from ncnnparam.quantize.accuracy_sums import Sums
from ncnnparam.quantize.guard import guard_of
from ncnnparam.quantize.int8 import Options, quantize
from ncnnparam.runtime.session import Session, custom_types, require_sound

if TYPE_CHECKING:
    from ncnnparam.quantize.data import Inputs, Item
    from ncnnparam.quantize.runners import Pair
    from ncnnparam.quantize.table import Table

Enough = Callable[["Pair"], bool]
"""Tells whether a model is good enough."""


class Mixed:
    """A float model, and int8 forms of it with more or fewer layers in float.

    Args:
        files: The float model.
        table: The calibration table, or None.
        options: What may be quantised, and how.
    """

    def __init__(self, files: Pair, table: Table | None, options: Options) -> None:
        self.files = files
        self._table, self._options = table, options
        self._folder = tempfile.TemporaryDirectory(prefix="ncnnparam-")

    def without(self, kept: Sequence[LayerCost]) -> Options:
        """The options with these layers in float."""
        skipped = [f"({self._options.skip})"] if self._options.skip else []
        skipped += [selector(kept)] if kept else []
        return replace(self._options, skip=" or ".join(skipped) or None)

    def make(self, kept: Sequence[LayerCost]) -> Pair:
        """Files of the model with these layers in float; they are there until ``close`` or the next call."""
        model = load(*self.files)
        quantize(model.graph, self._table, self.without(kept))
        place = Path(self._folder.name)
        pair = str(place / "mixed.param"), str(place / "mixed.bin")
        model.save(*pair)
        return pair

    def costs(
        self,
        items: Iterable[Item],
        spread: Spread = at_once,
        advance: Callable[[int], None] | None = None,
    ) -> list[LayerCost]:
        """What each layer costs when quantised alone, the dearest first; see ``sensitivity``."""
        return sensitivity(self.files, self.make([]), items, spread=spread, advance=advance)

    def fewest(self, costs: Sequence[LayerCost], enough: Enough) -> list[LayerCost]:
        """The layers to keep in float, so few that one less is not enough.

        It is taken that more layers in float are never worse; so some log2 of their number are tried.

        Raises:
            ConfigError: Even with all of them in float it is not enough.
        """
        count = bisect_left(range(len(costs) + 1), True, key=lambda number: enough(self.make(costs[:number])))
        if count > len(costs):
            raise ConfigError(
                "the model is not near enough even with all of these layers in float",
                hint="ask for less, or keep the weights of float layers as they are: --storage fp32",
            )
        return list(costs[:count])

    def close(self) -> None:
        """Deletes the models."""
        self._folder.cleanup()

    def __enter__(self) -> Mixed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Nearness:
    """The lowest SQNR of an output, in dB, of one model after the other against a float one.

    Args:
        files: The float model.
        items: What to run the models on.
        spread: Makes the runs of an item; those of a streaming encoder all begin with the float states.
    """

    def __init__(self, files: Pair, items: Sequence[Item], spread: Spread = at_once) -> None:
        self._files, self._items, self._spread = files, items, spread

    def __call__(self, pair: Pair) -> float:
        """Runs a model.

        Raises:
            BadItemError: An item cannot be run.
            NcnnParamError: ncnn cannot load the model.
        """
        graph = load(*pair).graph
        names = [blob.name for blob in graph.outputs if blob not in graph.inputs]
        types = custom_types(graph)
        require_sound(*pair, types)
        nets = Session(*self._files, types), Session(*pair, types)
        guards = [guard_of(one, names) for one in (load(self._files[0]).graph, graph)]
        sums = {name: Sums() for name in names}

        def run(item: Inputs) -> None:
            for inputs in self._spread(nets[0], item):
                right, found = (guard.start(net, inputs) for guard, net in zip(guards, nets, strict=True))
                for name, one in sums.items():
                    one.add(fetch(right, Numbers(name)), fetch(found, Numbers(name)))

        try:
            for item in self._items:
                run_item(item, run)
        finally:
            for net in nets:
                net.close()
        return min(-float("inf") if one.distance is None else one.distance.sqnr for one in sums.values())
