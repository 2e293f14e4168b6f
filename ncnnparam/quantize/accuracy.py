"""How far one model is from another when both run on the same data, layer by layer.

Of every blob that both have, only sums are kept; the numbers live as long as the run that made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, log10
from typing import TYPE_CHECKING, Any, TypeVar

from ncnnparam.diff.quantized import mode
from ncnnparam.errors import BadItemError, NcnnParamError
from ncnnparam.quantize.accuracy_probes import Numbers, Probe, Probes, find_probes
from ncnnparam.quantize.accuracy_sums import Sums
from ncnnparam.quantize.calibrate import prepare_net
from ncnnparam.quantize.data import Item
from ncnnparam.runtime.session import Run, Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.diff.measure import Distance
    from ncnnparam.graph import Graph
    from ncnnparam.quantize.data import Inputs
    from ncnnparam.quantize.runners import Pair

_Found = TypeVar("_Found")

GROWTH = 3.0
"""An error grows in a layer where its power doubles, in dB, beyond what the layer reads and makes."""


@dataclass(frozen=True)
class LayerError:
    """What an output of a layer is off by.

    Attributes:
        layer: Name of the layer in the second model.
        type: Its type there.
        old: What it computes with in the first model: ``fp32``, for example.
        new: What it computes with in the second model: ``int8``, for example.
        blob: Name of the output in the second model.
        distance: How far it is from the first model's; None where ``note`` says why not.
        read: Lowest SQNR in dB of what the layer reads; infinity for equal numbers, None if not known.
        own: SQNR in dB of the output if the layer reads the first model's numbers, so that the error is its
            own; None if that cannot be told.
        note: Why the numbers were not compared, or empty.
    """

    layer: str
    type: str
    old: str
    new: str
    blob: str
    distance: Distance | None
    read: float | None
    own: float | None
    note: str = ""

    @property
    def sqnr(self) -> float:
        """SQNR of the output in dB; minus infinity if it could not be compared, or lost finite numbers."""
        distance = self.distance
        if distance is None or distance.not_finite[0] != distance.not_finite[1]:
            return -inf
        return distance.sqnr

    @property
    def grows(self) -> bool:
        """The error is more than what the layer reads and what it makes by itself."""
        if self.distance is None or self.read is None or self.own is None:
            return False
        expected = sum(10 ** (-sqnr / 10) for sqnr in (self.read, self.own))
        return 0 < expected < inf and self.sqnr < -10 * log10(expected) - GROWTH

    def to_json(self) -> dict[str, Any]:
        """The fields in types that ``json.dumps`` takes; an infinite SQNR is None."""
        numbers = {name: _finite(getattr(self, name)) for name in ("read", "own")}
        return {
            "layer": self.layer,
            "type": self.type,
            "old": self.old,
            "new": self.new,
            "blob": self.blob,
            "distance": self.distance and self.distance.to_json(),
            **numbers,
            "grows": self.grows,
            "note": self.note,
        }


@dataclass(frozen=True)
class Accuracy:
    """How far a model is from another one.

    Attributes:
        layers: In the order of the second graph.
        outputs: The network's outputs by name: how far they are apart, None for other shapes.
        only: Names of the layers that only the first and only the second has.
    """

    layers: tuple[LayerError, ...]
    outputs: dict[str, Distance | None]
    only: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def sqnr(self) -> float:
        """The lowest SQNR of an output in dB; minus infinity if one was not compared, or lost numbers."""
        return min(
            -inf if one is None or one.not_finite[0] != one.not_finite[1] else one.sqnr
            for one in self.outputs.values()
        )

    def worst(self) -> list[LayerError]:
        """The layers, those with the lowest SQNR first."""
        return sorted(self.layers, key=lambda layer: layer.sqnr)

    def entering(self) -> list[LayerError]:
        """The layers that make an error by themselves, the largest first."""
        own = [layer for layer in self.layers if layer.own is not None and layer.own < inf]
        return sorted(own, key=lambda layer: layer.own if layer.own is not None else inf)

    def growing(self) -> list[LayerError]:
        """The layers in which the error grows, in the order of the graph."""
        return [layer for layer in self.layers if layer.grows]

    def to_json(self) -> dict[str, Any]:
        """The fields in types that ``json.dumps`` takes."""
        return {
            "sqnr": _finite(self.sqnr),
            "outputs": {name: one and one.to_json() for name, one in self.outputs.items()},
            "layers": [layer.to_json() for layer in self.layers],
            "only_first": list(self.only[0]),
            "only_second": list(self.only[1]),
        }


class Comparison:
    """Gathers how far the blobs of two nets are apart, run by run.

    Args:
        a: The first graph, with weights.
        b: The second graph, with weights.
        second: The second net, loaded; its layers also run alone.

    Attributes:
        guards: Of the way to what is looked at in either net.

    Raises:
        ConfigError: The graphs have other inputs, or no output in common.
    """

    def __init__(self, a: Graph, b: Graph, second: Session) -> None:
        self._probes: Probes = find_probes(a, b)
        self.guards = self._probes.guards(a, b)
        self._second = second
        self._sums = [Sums() for _ in self._probes.layers]
        self._own = [Sums() for _ in self._probes.layers]
        self._outputs = {name: Sums() for name in self._probes.outputs}

    def add(self, one: Run, two: Run) -> None:
        """Looks at a run of either net; both must have been fed."""
        other_shapes: set[str] = set()
        for probe, sums, own in zip(self._probes.layers, self._sums, self._own, strict=True):
            wanted, found = fetch(one, probe.a), fetch(two, probe.b)
            sums.add(wanted, found)
            if wanted.shape != found.shape:
                other_shapes.add(probe.b.blob)
            # ncnn may crash on shapes that a layer is not made for
            if probe.feed is not None and not probe.is_same and other_shapes.isdisjoint(probe.reads):
                inputs = {blob: fetch(one, numbers) for blob, numbers in probe.feed}
                own.add(wanted, fetch(self._second.start(inputs), probe.b))
        for name, sums in self._outputs.items():
            sums.add(fetch(one, Numbers(name)), fetch(two, Numbers(name)))

    def result(self) -> Accuracy:
        """What was seen."""
        sqnr: dict[str, float] = {}
        layers = []
        for probe, sums, own in zip(self._probes.layers, self._sums, self._own, strict=True):
            distance = sums.distance
            layers.append(_layer_error(probe, sums, own, [sqnr.get(name) for name in probe.reads]))
            if distance is not None:
                sqnr[probe.b.blob] = distance.sqnr
        outputs = {name: sums.distance for name, sums in self._outputs.items()}
        return Accuracy(tuple(layers), outputs, self._probes.only)


def compare_nets(
    first: Pair,
    second: Pair,
    items: Iterable[Item],
    *,
    advance: Callable[[int], None] | None = None,
) -> Accuracy:
    """Runs two nets on the same items and compares their blobs.

    Args:
        first: ``.param`` and ``.bin`` of the one that is right.
        second: Those of the other.
        items: What to run them on; see ``npy_items`` and ``array_items``.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: There is no item, or one cannot be run.
        ConfigError: The nets have other inputs, or no output in common.
        NcnnParamError: A net cannot be loaded.
    """
    (one, part), (two, other) = (prepare_net(*pair, lower=False) for pair in (first, second))
    nets = [Session(*runner.files, runner.types) for runner in (one, two)]
    comparison = Comparison(part.graph, other.graph, nets[1])
    runs = 0

    def run(inputs: Inputs) -> None:
        first_guard, second_guard = comparison.guards
        comparison.add(first_guard.start(nets[0], inputs), second_guard.start(nets[1], inputs))

    try:
        for item in items:
            run_item(item, run)
            runs += 1
            if advance is not None:
                advance(1)
    finally:
        for net in nets:
            net.close()
    if not runs:
        raise BadItemError("there is nothing to run the models on")
    return comparison.result()


def run_item(item: Item, run: Callable[[Any], _Found]) -> _Found:
    """Loads an item and runs it; returns what the run gives.

    Raises:
        BadItemError: It cannot be loaded or run; the text names it.
    """
    try:
        return run(item.load())
    except NcnnParamError as error:
        raise BadItemError(f"{item.name}: {error.message}", hint=error.hint) from error


def fetch(run: Run, numbers: Numbers) -> NDArray[Any]:
    """The numbers of a blob, and of one that stays int8 those that it stands for."""
    found = run.fetch([numbers.blob])[numbers.blob]
    return found if numbers.factor == 1 else found * numbers.factor


def _layer_error(probe: Probe, sums: Sums, own: Sums, read: Sequence[float | None]) -> LayerError:
    note = "" if sums.runs else "not run"
    if sums.shapes is not None:
        note = "other shapes: {} and {}".format(*sums.shapes)
    alone = None if own.distance is None else own.distance.sqnr
    return LayerError(
        probe.second.name,
        probe.second.type,
        mode(probe.first),
        mode(probe.second),
        probe.b.blob,
        sums.distance,
        min((sqnr for sqnr in read if sqnr is not None), default=None),
        inf if probe.is_same and probe.feed is not None else alone,
        note,
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and abs(number) < inf else None
