"""What a pattern is: lines that stand for layers, and the order in which to look for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal

from ncnnparam.graph import Layer
from ncnnparam.patterns.conditions import Bound, Computed, Condition
from ncnnparam.patterns.types import TypeTest


class Quantity(Enum):
    """How many layers a line stands for, as its name says."""

    ONE = ""
    OPTIONAL = "?"
    SOME = "+"
    ANY = "*"

    @property
    def least(self) -> int:
        """The fewest."""
        return int(self in (Quantity.ONE, Quantity.SOME))

    @property
    def repeats(self) -> bool:
        """Whether there may be more than one."""
        return self in (Quantity.SOME, Quantity.ANY)


@dataclass(frozen=True)
class LayerPattern:
    """A line of a pattern.

    Attributes:
        types: Which types it takes.
        name: The variable that stands for the layer.
        quantity: How many layers it stands for; other than one only with one input and one output.
        inputs: Variables of the input blobs; None for one that may be anything (``_``).
        outputs: Variables of the output blobs.
        all_inputs: There is one input variable, and it stands for all inputs, however many there are.
        all_outputs: The same for the outputs.
        any_order: Groups of input positions whose blobs may come in any order.
        conditions: What is asked of the params.
        line: Where it stands in the text, from 1.
    """

    types: TypeTest
    name: str
    quantity: Quantity
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    all_inputs: bool
    all_outputs: bool
    any_order: tuple[tuple[int, ...], ...]
    conditions: tuple[Condition, ...]
    line: int

    @cached_property
    def early(self) -> tuple[Condition, ...]:
        """The conditions that are looked at as soon as there is a layer."""
        return tuple(part for part in self.conditions if not isinstance(part.operand, Computed))

    @cached_property
    def late(self) -> tuple[Condition, ...]:
        """The conditions with formulas, which wait until all variables have a value."""
        return tuple(part for part in self.conditions if isinstance(part.operand, Computed))

    def takes(self, layer: Layer) -> bool:
        """Whether a layer has as many blobs as the line says."""
        return (self.all_inputs or len(layer.inputs) == len(self.inputs)) and (
            self.all_outputs or len(layer.outputs) == len(self.outputs)
        )

    @property
    def variables(self) -> set[str]:
        """The variables of its blobs."""
        return {name for name in (*self.inputs, *self.outputs) if name is not None}


@dataclass(frozen=True)
class Step:
    """One step of looking for a pattern: which line, and how to come to its candidates.

    Attributes:
        line: The line.
        via: The variable of the blob from which to go on; empty for the first step.
        up: Go to the layer that writes the blob, not to those that read it.
    """

    line: LayerPattern
    via: str = ""
    up: bool = False

    @property
    def single(self) -> bool:
        """Whether the line is one layer."""
        return self.line.quantity is Quantity.ONE


@dataclass(frozen=True)
class Pattern:
    """A pattern: its lines in the order of the text, and the variables that layers outside may read.

    Attributes:
        text: As it was written.
        lines: The lines.
        outputs: Variables of blobs made inside that may be read outside, in the order of the text.
        name: Of the rule or file, for messages; or None.
    """

    text: str
    lines: tuple[LayerPattern, ...]
    outputs: tuple[str, ...]
    name: str | None = None

    def line(self, name: str) -> LayerPattern | None:
        """The line of a layer variable."""
        return next((line for line in self.lines if line.name == name), None)

    @cached_property
    def made(self) -> frozenset[str]:
        """Variables of the blobs that the pattern's layers write."""
        return frozenset(name for line in self.lines for name in line.outputs)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Variables of the blobs that come from outside, in the order of the text."""
        read = [name for line in self.lines for name in line.inputs if name is not None]
        return tuple(name for name in dict.fromkeys(read) if name not in self.made)

    @cached_property
    def groups(self) -> frozenset[str]:
        """Variables that stand for all inputs or all outputs of a layer."""
        return frozenset(
            name
            for line in self.lines
            for names, all in ((line.inputs, line.all_inputs), (line.outputs, line.all_outputs))
            for name in names
            if all and name is not None
        )

    @cached_property
    def bound(self) -> frozenset[str]:
        """Variables of params."""
        return frozenset(
            condition.operand.name
            for line in self.lines
            for condition in line.conditions
            if isinstance(condition.operand, Bound)
        )

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The way through the pattern: from the last line that is one layer along blobs, if possible upwards.

        A blob has one producer and maybe many readers, so going up there is nothing to choose. Lines that are
        not connected with the others have no step.
        """
        anchor = next(line for line in reversed(self.lines) if line.quantity is Quantity.ONE)
        steps, left = [Step(anchor)], [line for line in reversed(self.lines) if line is not anchor]
        known = anchor.variables - self.groups
        while step := _next_step(left, known):
            steps.append(step)
            left.remove(step.line)
            known |= step.line.variables - self.groups
        return tuple(steps)


def _next_step(left: list[LayerPattern], known: set[str]) -> Step | None:
    ways: tuple[Literal["outputs", "inputs"], ...] = ("outputs", "inputs")
    for names in ways:
        for line in sorted(left, key=lambda line: line.quantity is not Quantity.ONE):
            via = next((name for name in getattr(line, names) if name in known), None)
            if via is not None:
                return Step(line, via, up=names == "outputs")
    return None
