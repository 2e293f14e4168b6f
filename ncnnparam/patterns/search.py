"""Looks for a pattern in a graph.

The search starts at each layer that the pattern's last single line may be, and goes along blobs, so it looks
only at layers near that one: the time grows with the layers of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import permutations, product

from ncnnparam.collector import collector_paused
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.patterns import reasons
from ncnnparam.patterns.leaks import leak
from ncnnparam.patterns.match import Match, MatchResult, Miss
from ncnnparam.patterns.pattern import LayerPattern, Pattern, Step
from ncnnparam.syntax import Value


@collector_paused()
def find_matches(graph: Graph, pattern: Pattern, *, explain: bool = False) -> MatchResult:
    """The matches of a pattern; where they overlap, the first in the graph wins.

    Args:
        graph: The graph.
        pattern: What to look for.
        explain: Tell of every place where the last single line fits why the others do not; otherwise only
            of those where every line found its layer.
    """
    result = MatchResult()
    taken: set[int] = set()
    finder = Finder(pattern, explain=explain)
    for layer in finder.candidates(graph):
        if id(layer) in taken:
            continue
        found = finder.at(layer, taken)
        if isinstance(found, Match):
            result.matches.append(found)
            taken.update(map(id, found.layers))
        elif found is not None:
            result.misses.append(found)
    return result


@dataclass(frozen=True, slots=True)
class _State:
    """What is known in the middle of a search; each step makes a new one."""

    layers: dict[str, tuple[Layer, ...]]
    blobs: dict[str, Blob]
    groups: dict[str, tuple[Blob, ...]]
    values: dict[str, Value]

    def found(self) -> list[Layer]:
        """All layers so far."""
        return [layer for layers in self.layers.values() for layer in layers]


class Finder:
    """Looks for one pattern.

    Args:
        pattern: The pattern.
        explain: Whether to find words for everything that does not fit.
    """

    def __init__(self, pattern: Pattern, *, explain: bool = False) -> None:
        self.pattern = pattern
        self.explain = explain
        self._start: Layer | None = None
        self._taken: Collection[int] = ()
        self._miss: Miss | None = None

    def candidates(self, graph: Graph) -> list[Layer]:
        """The layers at which to look, in the order of the graph."""
        fits = self.pattern.steps[0].line.types
        return [layer for layer in graph if fits(layer.type)]

    def at(self, layer: Layer, taken: Collection[int] = ()) -> Match | Miss | None:
        """Looks at one place.

        Args:
            layer: One of ``candidates``, to be what the pattern's last single line stands for.
            taken: Layers not to use, by ``id``.

        Returns:
            The match, or why there is none, or None if that is not to be told.
        """
        self._start, self._taken, self._miss = layer, taken, None
        first = self.pattern.steps[0].line
        for state in self._fit(_State({}, {}, {}, {}), first, layer):
            for end in self._search(state, 1):
                if self._holds(end):
                    return self._match(end)
        return self._miss

    def _search(self, state: _State, number: int) -> Iterator[_State]:
        """The ways to go on from a step to the end."""
        steps = self.pattern.steps
        if number == len(steps):
            yield state
            return
        step = steps[number]
        for fitted in self._singles(state, step) if step.single else self._chains(state, step):
            yield from self._search(fitted, number + 1)

    def _singles(self, state: _State, step: Step) -> Iterator[_State]:
        """The ways to fit a line that is one layer."""
        for layer in self._next(state, step, state.blobs[step.via]):
            yield from self._fit(state, step.line, layer)

    def _chains(self, state: _State, step: Step) -> Iterator[_State]:
        """The ways to fit a line that may be missing or repeated, those with the most layers first."""
        line, start = step.line, state.blobs[step.via]
        ends = [(state, start)]
        for first in self._next(state, step, start):
            run, blob = state, start
            following: Sequence[Layer] = (first,)
            while len(following) == 1 and (linked := self._link(run, step, following[0])) is not None:
                run = linked
                blob = following[0].inputs[0].source if step.up else following[0].outputs[0]
                ends.append((run, blob))
                following = self._next(run, step, blob) if line.quantity.repeats else ()
        for run, blob in reversed(ends):
            if len(run.layers.get(line.name, ())) >= line.quantity.least:
                yield from self._closed(run, step, blob)

    def _closed(self, state: _State, step: Step, blob: Blob) -> Iterator[_State]:
        """The state at the end of a chain, with its far blob bound, if that fits."""
        (far,) = step.line.inputs if step.up else step.line.outputs
        blobs = dict(state.blobs)
        if _bind(blobs, (far,), (blob,)):
            layers = {step.line.name: (), **state.layers}
            yield _State(layers, blobs, state.groups, state.values)

    def _link(self, state: _State, step: Step, layer: Layer) -> _State | None:
        """The state with one more layer in a chain, or None."""
        values = self._values(state, step.line, layer)
        if values is None:
            return None
        chain = state.layers.get(step.line.name, ())
        chain = (layer, *chain) if step.up else (*chain, layer)
        return _State({**state.layers, step.line.name: chain}, state.blobs, state.groups, values)

    def _next(self, state: _State, step: Step, blob: Blob) -> Sequence[Layer]:
        """The layers that a step may come to from a blob."""
        if step.up:
            if blob.producer is None:
                self._note(state, reasons.no_producer, blob)
                return ()
            return (blob.producer,)
        readers = {id(use.layer): use.layer for use in blob.readers}
        if not readers:
            self._note(state, reasons.no_reader, blob)
        return tuple(readers.values())

    def _fit(self, state: _State, line: LayerPattern, layer: Layer) -> Iterator[_State]:
        """The ways in which a layer is what a line stands for: several if inputs may come in any order."""
        values = self._values(state, line, layer)
        if values is None:
            return
        layers = {**state.layers, line.name: (layer,)}
        inputs = tuple([blob.source for blob in layer.inputs])
        groups = dict(state.groups)
        if line.all_inputs:
            groups[str(line.inputs[0])] = inputs
        if line.all_outputs:
            groups[line.outputs[0]] = layer.outputs
        fits = False
        for order in _orders(inputs, line.any_order):
            blobs = dict(state.blobs)
            if (line.all_inputs or _bind(blobs, line.inputs, order)) and (
                line.all_outputs or _bind(blobs, line.outputs, layer.outputs)
            ):
                fits = True
                yield _State(layers, blobs, groups, values)
        if not fits:
            self._note(state, reasons.other_blobs, layer)

    def _values(self, state: _State, line: LayerPattern, layer: Layer) -> dict[str, Value] | None:
        """The values of variables with those of one more layer, or None if it is not like the line."""
        if not line.types(layer.type):
            self._note(state, reasons.wrong_type, line, layer)
        elif id(layer) in self._taken:
            self._note(state, reasons.in_other_match, layer)
        elif any(layer is other for layers in state.layers.values() for other in layers):
            self._note(state, reasons.used_twice, layer)
        elif not line.takes(layer):
            self._note(state, reasons.wrong_counts, line, layer)
        else:
            values = dict(state.values)
            for condition in line.early:
                if not condition.holds(layer, values):
                    self._note(state, condition.why_not, layer, values)
                    return None
            return values
        return None

    def _holds(self, state: _State) -> bool:
        """Whether what can be told only in the end is as it should be."""
        for line in self.pattern.lines:
            for condition in line.late:
                for layer in state.layers[line.name]:
                    if not condition.holds(layer, state.values):
                        self._note(state, condition.why_not, layer, state.values)
                        return False
        found = state.found()
        outputs = self._outputs(state)
        if any(all(blob.producer is not layer for layer in found) for blob in outputs):
            self._note(state, reasons.nothing_made)
            return False
        reason = leak(found, outputs)
        if reason is not None:
            self._miss = Miss(self._ordered(found), reason, complete=True)
        return reason is None

    def _outputs(self, state: _State) -> list[Blob]:
        blobs: list[Blob] = []
        for name in self.pattern.outputs:
            blobs += state.groups[name] if name in state.groups else (state.blobs[name],)
        return blobs

    def _match(self, state: _State) -> Match:
        layers = self._ordered(state.found())
        graph = layers[0].graph
        assert graph is not None  # they were found in it
        return Match(
            graph,
            self.pattern,
            layers,
            {line.name: state.layers[line.name] for line in self.pattern.lines},
            state.blobs,
            state.groups,
            state.values,
        )

    @staticmethod
    def _ordered(layers: list[Layer]) -> tuple[Layer, ...]:
        graph = layers[0].graph
        assert graph is not None  # they were found in it

        def compare(one: Layer, other: Layer) -> int:
            return -1 if graph.layers.before(one, other) else 1

        return tuple(sorted(layers, key=cmp_to_key(compare)))

    def _note(self, state: _State, words: Callable[..., str], *about: object) -> None:
        """Keeps the reason of what got furthest; in a pattern of several lines the first must fit."""
        if not self.explain or (not state.layers and len(self.pattern.lines) > 1):
            return
        assert self._start is not None
        layers = tuple(state.found()) or (self._start,)
        if self._miss is None or len(layers) >= len(self._miss.layers):
            self._miss = Miss(layers, words(*about), complete=False)


def _bind(blobs: dict[str, Blob], names: Sequence[str | None], found: Sequence[Blob]) -> bool:
    """Gives variables their blobs; False if one has another already."""
    return all(
        name is None or blobs.setdefault(name, blob) is blob for name, blob in zip(names, found, strict=True)
    )


def _orders(inputs: tuple[Blob, ...], groups: tuple[tuple[int, ...], ...]) -> Iterator[tuple[Blob, ...]]:
    """The orders in which inputs may come, as they stand first."""
    for arrangement in product(*(permutations(group) for group in groups)):
        order = list(inputs)
        for group, places in zip(groups, arrangement, strict=True):
            for place, origin in zip(group, places, strict=True):
                order[place] = inputs[origin]
        yield tuple(order)
