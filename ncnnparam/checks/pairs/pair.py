"""A graph and the bytes that are said to be its weights, and rules about the two together."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.pairs.contents import Contents, contents_of
from ncnnparam.checks.pairs.reading import Reading, Wish, read, wishes
from ncnnparam.checks.rule import Problem, Rule, rule
from ncnnparam.errors import WeightsError
from ncnnparam.ops import registry
from ncnnparam.syntax.foreign import Foreign, recognise_weights

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.weights import Weight, WeightFile


_ENOUGH = 1 << 25
"""Bytes to look at before their pages are given back."""


class Misfit(enum.Enum):
    """How a file of weights does not fit a graph."""

    NONE = "it fits"
    SIZE = "the graph asks for arrays of impossible size"
    FOREIGN = "the file holds no weights"
    INT8 = "an array of a layer that computes in float is int8"
    TAG = "a tag stands for nothing"
    SHORT = "the file ends too early"
    LONG = "bytes are left over"


@dataclass(eq=False)
class Pair:
    """A graph with the file that is said to hold its weights.

    Attributes:
        graph: The graph.
        file: The mapped ``.bin``; the graph's layers have no views of it.
    """

    graph: Graph
    file: WeightFile

    @property
    def data(self) -> memoryview:
        """All bytes of the ``.bin``."""
        return self.file.data

    @property
    def name(self) -> str:
        """Name of the ``.bin`` in messages."""
        return self.file.path or "the .bin"

    @property
    def wishes(self) -> list[Wish]:
        """The arrays that the graph wants, up to a layer whose params make no sense."""
        return self._wished[0]

    @property
    def senseless(self) -> WeightsError | None:
        """What is wrong with the params of the first layer whose arrays have no size, or None."""
        return self._wished[1]

    @cached_property
    def _wished(self) -> tuple[list[Wish], WeightsError | None]:
        found: list[Wish] = []
        try:
            found.extend(wishes(self.graph))
        except WeightsError as error:
            return found, error
        return found, None

    @cached_property
    def reading(self) -> Reading:
        """What ncnn would read."""
        return read(self.wishes, self.data)

    @cached_property
    def misfit(self) -> Misfit:
        """How the file does not fit the graph: the first thing that is wrong."""
        reading = self.reading
        if self.senseless is not None:
            return Misfit.SIZE
        int8, odd = reading.first_int8_in_float(), reading.first_odd()
        if reading.is_exact and int8 is None:  # a tag that looks odd is then one of a lookup table
            return Misfit.NONE
        if not reading.is_exact and self.foreign is not None:
            return Misfit.FOREIGN
        if int8 is not None and (odd is None or int8 < odd.number):
            return Misfit.INT8
        if odd is not None:
            return Misfit.TAG
        return Misfit.SHORT if reading.left else Misfit.LONG

    @cached_property
    def foreign(self) -> Foreign | None:
        """What the file looks like if it does not look like weights."""
        return recognise_weights(bytes(self.data[:4096]))

    @cached_property
    def contents(self) -> list[tuple[Layer, Weight, Contents]]:
        """What is remarkable about the numbers of each array, of a file that can be read to its end."""
        found: list[tuple[Layer, Weight, Contents]] = []
        looked_at = 0
        for layer, weight in self.reading.arrays if not self.reading.left else ():
            found.append((layer, weight, contents_of(weight)))
            looked_at += weight.nbytes
            if looked_at > _ENOUGH:
                self.file.release()
                looked_at = 0
        return found

    @cached_property
    def unknown_types(self) -> list[str]:
        """Types that nobody has declared, which are taken to have no weights."""
        return sorted({layer.type for layer in self.graph if registry.get(layer.type) is None})


@dataclass(frozen=True)
class PairRule:
    """A rule about a pair: ``rule`` says what it is, ``on`` makes it one of a graph.

    Attributes:
        rule: Code, name, severity, summary; it finds nothing, for a graph without weights.
        find: Yields the problems of a pair.
    """

    rule: Rule
    find: Callable[[Pair], Iterator[Problem]]

    def on(self, pair: Pair) -> Rule:
        """The rule for the graph of this pair."""
        return replace(self.rule, find=lambda _: self.find(pair))


def pair_rule(
    code: str, name: str, severity: Severity, *, refused: bool = False
) -> Callable[[Callable[[Pair], Iterator[Problem]]], PairRule]:
    """Makes a ``PairRule`` of a generator of problems, as ``checks.rule.rule`` makes a ``Rule``."""

    def decorate(find: Callable[[Pair], Iterator[Problem]]) -> PairRule:
        def nothing(_: Graph) -> Iterator[Problem]:
            return iter(())

        nothing.__doc__ = find.__doc__
        return PairRule(rule(code, name, severity, refused=refused)(nothing), find)

    return decorate
