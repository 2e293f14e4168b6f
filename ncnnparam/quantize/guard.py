"""Runs of a net in which no layer is computed of an input that it cannot take.

ncnn would crash, or compute with memory beyond the layer's weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ncnnparam.graph.arrange import needed_layers
from ncnnparam.quantize.demands import Demand, demands

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.quantize.data import Inputs
    from ncnnparam.runtime.session import Run, Session

Found: TypeAlias = "Mapping[Layer, tuple[Demand, ...]]"
"""The demands of each layer, in the order of the graph."""


@dataclass(frozen=True)
class Guard:
    """Looks at the inputs of layers before the layers are computed.

    Attributes:
        demands: What the layers on the way to some blobs demand, in the order of the graph.
    """

    demands: tuple[Demand, ...] = ()

    def start(self, net: Session, inputs: Inputs) -> Run:
        """Feeds a net for a run from which those blobs can be fetched.

        Args:
            net: The net, loaded.
            inputs: All its inputs.

        Raises:
            BadItemError: A layer takes another shape.
            NcnnParamError: ncnn cannot compute a blob.
        """
        run = net.start(inputs)
        shapes = {name: array.shape for name, array in inputs.items()}
        for demand in self.demands:  # one by one: a layer is computed only once its inputs were looked at
            if demand.blob not in shapes:
                shapes[demand.blob] = run.shape(demand.blob)
            demand.require(shapes[demand.blob])
        return run


def find_demands(graph: Graph) -> Found:
    """What the layers of a graph demand.

    Raises:
        WeightsError: The params of a layer make no sense.
    """
    return {layer: tuple(demands(layer)) for layer in graph}


def guard(found: Found, blobs: Iterable[Blob]) -> Guard:
    """The guard of the way to some blobs.

    Args:
        found: What the layers of the graph demand; or demanded, if other layers stand in their place now.
        blobs: Blobs of the graph.
    """
    needed = needed_layers(blobs)
    return Guard(tuple(demand for layer, own in found.items() if id(layer) in needed for demand in own))


def guard_of(graph: Graph, names: Iterable[str]) -> Guard:
    """The guard of the way to the blobs of these names.

    Raises:
        WeightsError: The params of a layer make no sense.
    """
    return guard(find_demands(graph), [graph.blob(name) for name in names])
