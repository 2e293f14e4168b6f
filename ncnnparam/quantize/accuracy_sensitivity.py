"""What each quantised layer costs at the outputs if all others stay as they are.

No model is made for that: the quantised layer reads the first net's numbers, and the first net goes on with
what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import inf, log10
from typing import TYPE_CHECKING, Any

from ncnnparam.diff.quantized import is_quantized, mode
from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.quantize.accuracy import fetch, run_item
from ncnnparam.quantize.accuracy_probes import Numbers, Probe, find_probes
from ncnnparam.quantize.accuracy_spread import Spread, at_once
from ncnnparam.quantize.accuracy_sums import Sums
from ncnnparam.quantize.calibrate import prepare_net
from ncnnparam.quantize.data import Inputs, Item
from ncnnparam.runtime.session import Run, Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.quantize.runners import Pair


@dataclass(frozen=True)
class LayerCost:
    """What a layer costs if it alone is quantised.

    Attributes:
        layer: Name of the layer in the second model.
        type: Its type there.
        new: What it computes with there, ``int8`` for example.
        noise: Power of the error over that of the signal, at the output where that is largest.
        output: The name of that output.
    """

    layer: str
    type: str
    new: str
    noise: float
    output: str

    @property
    def sqnr(self) -> float:
        """SQNR at that output in dB."""
        return decibel(self.noise)

    def to_json(self) -> dict[str, Any]:
        """The fields in types that ``json.dumps`` takes; an infinite SQNR is None."""
        return {
            "layer": self.layer,
            "type": self.type,
            "new": self.new,
            "sqnr": self.sqnr if abs(self.sqnr) < inf else None,
            "output": self.output,
        }


def decibel(noise: float) -> float:
    """SQNR in dB for the power of an error over that of the signal."""
    if noise == inf:
        return -inf
    return -10 * log10(noise) if noise else inf


def sensitivity(
    first: Pair,
    second: Pair,
    items: Iterable[Item],
    *,
    spread: Spread = at_once,
    advance: Callable[[int], None] | None = None,
) -> list[LayerCost]:
    """What each quantised layer of a net costs, the dearest first.

    Args:
        first: ``.param`` and ``.bin`` of the float net.
        second: Those of the quantised one.
        items: What to run them on; see ``npy_items`` and ``array_items``, or ``wav_items``.
        spread: Makes the runs of an item; ``by_chunks`` those of a streaming encoder.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: There is no item, or one cannot be run.
        ConfigError: The nets do not belong together, or the second has no quantised layer.
        NcnnParamError: A net cannot be loaded.
    """
    (one, part), (two, other) = (prepare_net(*pair, lower=False) for pair in (first, second))
    probes = find_probes(part.graph, other.graph)
    layers = _quantized(probes.layers)
    if not layers:
        raise ConfigError(
            f"{second[0]} has no quantised layer that {first[0]} has too",
            hint="name the float model first, then the quantised one",
        )
    nets = Session(*one.files, one.types), Session(*two.files, two.types)
    costs = {layer: {name: Sums() for name in probes.outputs} for layer in layers}
    first_guard, second_guard = probes.guards(part.graph, other.graph)
    runs = 0

    def run(item: Inputs) -> None:
        for inputs in spread(nets[0], item):
            both = first_guard.start(nets[0], inputs), second_guard.start(nets[1], inputs)
            _add(nets, layers, inputs, both, costs)

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
    found = [_cost(layers[layer][0], sums) for layer, sums in costs.items()]
    return sorted(found, key=lambda cost: cost.noise, reverse=True)


def keep_float(costs: Iterable[LayerCost], least: float) -> list[LayerCost]:
    """The layers to leave in float so that the others cost no more than wanted, the dearest first.

    Errors of several layers are taken to add up in power, which they do if they have nothing to do with
    each other; a comparison of the resulting model tells whether that was so.

    Args:
        costs: What each layer costs.
        least: The SQNR in dB that is wanted at every output.
    """
    allowed = 10 ** (-least / 10)
    kept = sorted(costs, key=lambda cost: cost.noise)
    total = 0.0
    while kept and total + kept[0].noise <= allowed:
        total += kept.pop(0).noise
    return kept[::-1]


def expected(costs: Iterable[LayerCost]) -> float:
    """The SQNR in dB to be expected of several layers together; see ``keep_float``."""
    return decibel(sum(cost.noise for cost in costs))


def selector(costs: Iterable[LayerCost]) -> str:
    """A selector that means these layers."""
    return " or ".join(f'name="{cost.layer}"' for cost in costs)


def _quantized(probes: Iterable[Probe]) -> dict[str, list[Probe]]:
    """The quantised layers whose error can be told, by name, each with its outputs."""
    wanted = [probe for probe in probes if is_quantized(probe.second) and probe.feed is not None]
    return {name: list(outputs) for name, outputs in groupby(wanted, lambda probe: probe.second.name)}


def _add(
    nets: tuple[Session, Session],
    layers: Mapping[str, list[Probe]],
    inputs: Inputs,
    runs: tuple[Run, Run],
    costs: Mapping[str, Mapping[str, Sums]],
) -> None:
    """Goes on from each layer's output, for one run of either net."""
    (one, two), (right, other) = nets, runs
    for layer, probes in layers.items():
        off = dict(_made_alone(two, right, other, probes))
        run = one.start({**inputs, **off})
        for name, sums in costs[layer].items():
            output = Numbers(name)
            sums.add(fetch(right, output), fetch(run, output))


def _made_alone(
    net: Session, right: Run, other: Run, probes: list[Probe]
) -> Iterator[tuple[str, NDArray[Any]]]:
    """What a layer of the second net makes of the first net's numbers, by the first net's names.

    Args:
        net: The second net.
        right: A run of the first net.
        other: A run of the second net, with the same inputs.
        probes: The outputs of the layer.
    """
    inputs = {}
    for blob, numbers in probes[0].feed or ():
        inputs[blob] = fetch(right, numbers)
        # ncnn may crash on shapes that a layer is not made for
        _require_same_shape(blob, inputs[blob], fetch(other, Numbers(blob)))
    run = net.start(inputs)
    for probe in probes:
        made = fetch(run, probe.b)
        _require_same_shape(probe.b.blob, fetch(right, probe.a), made)
        yield probe.a.blob, made / probe.a.factor


def _require_same_shape(blob: str, right: NDArray[Any], other: NDArray[Any]) -> None:
    if right.shape != other.shape:
        raise ConfigError(
            f"'{blob}' has the shape {right.shape} in the first model and {other.shape} in the second",
            hint="do the models belong together?",
        )


def _cost(probe: Probe, outputs: Mapping[str, Sums]) -> LayerCost:
    noise, output = max((_noise(sums), name) for name, sums in outputs.items())
    return LayerCost(probe.second.name, probe.second.type, mode(probe.second), noise, output)


def _noise(sums: Sums) -> float:
    if sums.lost_a != sums.lost_b or (sums.ee and not sums.aa):
        return inf
    return sums.ee / sums.aa if sums.ee else 0.0
