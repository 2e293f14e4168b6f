"""Which blobs of two models to compare, and what to feed a layer of the second to see its own error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.diff.compare import align_graphs
from ncnnparam.errors import ConfigError
from ncnnparam.quantize.guard import Guard, guard_of
from ncnnparam.quantize.int8_form import OUTPUT_SCALES

if TYPE_CHECKING:
    from ncnnparam.diff.align import Alignment
    from ncnnparam.graph import Blob, Graph, Layer


@dataclass(frozen=True)
class Numbers:
    """The numbers of a blob.

    Attributes:
        blob: Its name.
        factor: What turns the int8 numbers of an output that stays int8 into those they stand for; else 1.
    """

    blob: str
    factor: float = 1.0


@dataclass(frozen=True)
class Probe:
    """A blob to compare.

    Attributes:
        first: The layer that writes it in the first graph.
        second: The layer that writes it in the second graph.
        a: The blob in the first graph.
        b: The blob in the second graph.
        reads: The blobs that the second layer reads, as their names are behind Splits.
        feed: What to feed the second layer, to see the error that it makes by itself: its input blobs, each
            with the same of the first graph. None where some are not in the first graph.
        is_same: Both layers compute the same from the same inputs: they have the same params and no weights.
    """

    first: Layer
    second: Layer
    a: Numbers
    b: Numbers
    reads: tuple[str, ...]
    feed: tuple[tuple[str, Numbers], ...] | None
    is_same: bool


@dataclass(frozen=True)
class Probes:
    """What to compare in two graphs.

    Attributes:
        layers: The blobs that both have, in the order of the second graph.
        outputs: Names of the network's outputs that both have.
        only: Names of the layers that only the first and only the second has.
    """

    layers: tuple[Probe, ...]
    outputs: tuple[str, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]

    def guards(self, a: Graph, b: Graph) -> tuple[Guard, Guard]:
        """The guards of the way to these blobs in the first and in the second graph."""
        ones, twos = ([getattr(probe, side).blob for probe in self.layers] for side in ("a", "b"))
        return guard_of(a, (*ones, *self.outputs)), guard_of(b, (*twos, *self.outputs))


def find_probes(a: Graph, b: Graph) -> Probes:
    """Finds the blobs that two graphs have in common.

    Layers are aligned as the diff aligns them. Those that it leaves alone, such as neighbours of another type
    each, are then matched by their names.

    Raises:
        ConfigError: The networks have other inputs, or no output in common.
    """
    ours, theirs = ({blob.name for blob in graph.inputs} for graph in (a, b))
    if ours != theirs:
        raise ConfigError(
            "the models cannot run on the same data: the first has the inputs "
            f"{', '.join(sorted(ours))}, the second {', '.join(sorted(theirs))}"
        )
    written, others = ([blob.name for blob in graph.outputs if blob not in graph.inputs] for graph in (a, b))
    outputs = tuple(name for name in others if name in written)
    if not outputs:
        raise ConfigError(
            "the models have no output in common: the first has "
            f"{', '.join(written)}, the second {', '.join(others)}"
        )
    found = align_graphs(a, b)
    _match_names(found)
    ones, twos = found.left()
    only = tuple(found.a.name[one] for one in ones), tuple(found.b.name[two] for two in twos)
    unread = {blob for blob in b.inputs if not blob.uses}
    return Probes(tuple(_probes(found, unread)), outputs, only)


def _match_names(found: Alignment) -> None:
    ones, twos = found.left()
    named = {found.a.name[one]: one for one in ones}
    for two in twos:
        one = named.get(found.b.name[two])
        if one is not None:
            found.match(one, two)


def _probes(found: Alignment, unread: set[Blob]) -> Iterator[Probe]:
    same = {
        other: blob
        for one, two in found.pairs()
        for blob, other in zip(found.a.layers[one].outputs, found.b.layers[two].outputs, strict=False)
    }
    for two, one in enumerate(found.to_a):
        if one < 0:
            continue
        first, second = found.a.layers[one], found.b.layers[two]
        sources = [blob.source for blob in second.inputs]
        feed = tuple(
            (blob.name, _numbers(same[source]))
            for blob, source in zip(second.inputs, sources, strict=True)
            if source in same
        )
        is_whole = len(feed) == len(sources) > 0
        has_weights = bool(first._weights or second._weights)
        for blob, other in zip(first.outputs, second.outputs, strict=False):
            if other in unread:  # nobody needs to feed it, and ncnn crashes when it is asked for it then
                continue
            yield Probe(
                first,
                second,
                _numbers(blob),
                _numbers(other),
                tuple(source.name for source in sources),
                feed if is_whole else None,
                found.a.kind[one] == found.b.kind[two] and not has_weights,
            )


def _numbers(blob: Blob) -> Numbers:
    producer = blob.producer
    scales = None if producer is None else dict(producer.weights).get(OUTPUT_SCALES)
    return (
        Numbers(blob.name) if scales is None else Numbers(blob.name, 1 / float(scales.numpy().reshape(-1)[0]))
    )
