"""The order of a whole graph, and what in it serves no purpose."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ncnnparam.errors import GraphError
from ncnnparam.graph.fanout import detach, tidy
from ncnnparam.graph.layer import INPUT, Blob, Layer, is_split

if TYPE_CHECKING:
    from ncnnparam.graph.graph import Graph


def sort(graph: Graph) -> bool:
    """``Graph.sort``: of the layers that are ready, the one that stood first comes first."""
    layers = list(graph)
    position = {id(layer): index for index, layer in enumerate(layers)}
    waits_for = [
        len({id(blob.producer) for blob in layer.inputs if blob.producer is not None}) for layer in layers
    ]
    ready = [index for index, count in enumerate(waits_for) if count == 0]
    order: list[Layer] = []
    while ready:
        layer = layers[heapq.heappop(ready)]
        order.append(layer)
        for index in {position[id(user)] for blob in layer.outputs for user in blob.consumers}:
            waits_for[index] -= 1
            if waits_for[index] == 0:
                heapq.heappush(ready, index)
    if len(order) < len(layers):
        stuck = ", ".join(f"'{layer.name}'" for layer, count in zip(layers, waits_for, strict=True) if count)
        raise GraphError(f"these layers read each other in a circle, or read one that does: {stuck}")
    if all(one is other for one, other in zip(order, layers, strict=True)):
        return False
    graph.layers.arrange(order)
    return True


def remove_dead(graph: Graph, outputs: Iterable[str] | None) -> list[Layer]:
    """``Graph.remove_dead``; layers without outputs are taken to be there for a reason."""
    if outputs is None:
        wanted = {blob for blob in graph.outputs if not is_split(blob.producer)}
    else:
        wanted = {graph.blob(name) for name in outputs}
    staying = [layer for layer in graph if not layer.outputs or layer.type == INPUT]
    needed = needed_layers([*wanted, *(blob for layer in staying for blob in layer.inputs)])
    needed |= {id(layer): layer for layer in staying}
    dead = [layer for layer in graph if id(layer) not in needed]
    loose = [detach(layer, index) for layer in dead for index in range(len(layer.inputs))]
    for layer in dead:
        for blob in layer.outputs:
            graph._forget_blob(blob)
        graph._forget_layer(layer)
    for blob in [*loose, *graph.outputs]:
        if blob not in wanted or blob.producer is None:
            tidy(graph, blob, keep=wanted)
    return dead


def needed_layers(outputs: Iterable[Blob], stop: Iterable[Blob] = ()) -> dict[int, Layer]:
    """The layers that some blobs depend on, by their ``id``; what is above ``stop`` is not looked at."""
    stops = {id(blob) for blob in stop}
    found: dict[int, Layer] = {}
    pending = [blob for blob in outputs if id(blob) not in stops]
    while pending:
        producer = pending.pop().producer
        if producer is not None and id(producer) not in found:
            found[id(producer)] = producer
            pending += [blob for blob in producer.inputs if id(blob) not in stops]
    return found
