"""What was found: matches, and places that came near."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncnnparam.errors import NotFoundError, did_you_mean
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.syntax import Value

if TYPE_CHECKING:
    from ncnnparam.patterns.pattern import Pattern


@dataclass(frozen=True)
class Match:
    """A place where a pattern fits. ``match["conv"]`` is the layer of a variable.

    Attributes:
        graph: The graph.
        pattern: The pattern.
        layers: All matched layers, in the order of the graph.
        named: The layers by variable: one, none or more, from the top down.
        blobs: The blobs by variable, seen through Splits.
        groups: The blobs of variables that stand for all inputs or outputs of a layer.
        params: The values of the variables of params (``?n``).
        made: The layers of the replacement by variable, once it is in place.
    """

    graph: Graph
    pattern: Pattern
    layers: tuple[Layer, ...]
    named: Mapping[str, tuple[Layer, ...]]
    blobs: Mapping[str, Blob]
    groups: Mapping[str, tuple[Blob, ...]]
    params: Mapping[str, Value]
    made: dict[str, Layer] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Layer:
        """The layer of a variable.

        Raises:
            NotFoundError: There is no such variable, or its layer is missing here or there are several.
        """
        found = self.all(name)
        if len(found) != 1:
            raise NotFoundError(
                f"'{name}' stands for {len(found) or 'no'} layers here", hint="use get() or all()"
            )
        return found[0]

    def get(self, name: str) -> Layer | None:
        """The layer of a variable, or None if it is missing here."""
        return self[name] if self.all(name) else None

    def all(self, name: str) -> tuple[Layer, ...]:
        """The layers of a variable from the top down.

        Raises:
            NotFoundError: The pattern has no such variable.
        """
        if name not in self.named:
            hint = did_you_mean(name, self.named) or f"there are {', '.join(self.named)}"
            raise NotFoundError(f"the pattern has no layer '{name}'", hint=hint)
        return self.named[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the matched layers."""
        return tuple(layer.name for layer in self.layers)

    def __repr__(self) -> str:
        return f"<match of {', '.join(self.names)}>"


@dataclass(frozen=True)
class Miss:
    """A place where a pattern nearly fits.

    Attributes:
        layers: The layers that fitted, the one it was looked for from first.
        reason: Why the rest does not fit, without a final full stop.
        complete: All lines found their layers, and only what reads their blobs is in the way.
    """

    layers: tuple[Layer, ...]
    reason: str
    complete: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(layer.name for layer in self.layers)

    def __str__(self) -> str:
        return f"{', '.join(self.names)}: {self.reason}"


@dataclass
class MatchResult:
    """All that was found.

    Attributes:
        matches: The matches in the order of the graph; no layer is in two.
        misses: Where the pattern came near, and why it does not fit there.
    """

    matches: list[Match] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
