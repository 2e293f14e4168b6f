"""What a graph shows of its metadata, each value with the layers that prove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ncnnparam.errors import MetadataError
from ncnnparam.speech.flags import Kind, Setting
from ncnnparam.speech.metadata import Metadata, of_kind

if TYPE_CHECKING:
    from ncnnparam.graph import Layer


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that the graph shows.

    Attributes:
        value: The flag's value.
        evidence: The layers it was read from, in words.
        span: How many values from ``value`` on give the same graph; more than 1 where the recipe rounds.
        stacks: For a value with a number for each stack, the fact of each stack.
    """

    value: Setting
    evidence: str
    span: int = 1
    stacks: tuple[Fact, ...] = ()

    @property
    def number(self) -> int:
        """The value of a fact that is one number."""
        assert isinstance(self.value, int)
        return self.value

    def allows(self, value: Setting) -> bool:
        """Whether an export with this value of the flag could have given the graph."""
        if isinstance(value, tuple) or isinstance(self.value, tuple):
            return value == self.value
        return self.value <= value < self.value + self.span

    def against(self, value: Setting) -> str:
        """The evidence against another value: only that of the stacks which differ."""
        if not isinstance(value, tuple) or len(value) != len(self.stacks):
            return self.evidence
        return "; ".join(
            f"stack {index}: {fact.evidence}"
            for index, (fact, item) in enumerate(zip(self.stacks, value, strict=True))
            if not fact.allows(item)
        )


@dataclass(frozen=True)
class Inference:
    """All that a graph shows.

    Attributes:
        kind: The kind of encoder, or None when it is none that sherpa-ncnn knows.
        evidence: Why it is of that kind, or of none.
        facts: What is known, by field name.
        unknown: Why a field is not known, by field name.
    """

    kind: Kind | None
    evidence: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def metadata(self) -> Metadata:
        """The metadata, when the graph shows all of it; constants of the recipe's code are filled in.

        Raises:
            MetadataError: Something is not known; the text says what and why.
        """
        if self.kind is None:
            raise MetadataError(f"this is no encoder that sherpa-ncnn knows: {self.evidence}")
        if self.unknown:
            labels = {each.name: each.label for each in self.kind.fields}
            reasons = "; ".join(f"{labels[name]}: {reason}" for name, reason in self.unknown.items())
            raise MetadataError(
                f"the graph does not show {reasons}", hint="give these flags as in the export"
            )
        return of_kind(self.kind, {name: fact.value for name, fact in self.facts.items()})


class Reading(NamedTuple):
    """One place that shows a value."""

    value: int
    layer: Layer


Answer: TypeAlias = Fact | str
"""A fact, or why there is none."""


def settle(readings: Iterable[Reading], what: str, missing: str, *, times: int = 1, span: int = 1) -> Answer:
    """One fact from all the places that show it.

    Args:
        readings: The places.
        what: What each place says, with ``{}`` for the number; it ends before the names of the layers.
        missing: What to say when there is none.
        times: What the number in the graph is multiplied by to get the flag's value.
        span: ``Fact.span``.
    """
    by_value: dict[int, list[Layer]] = {}
    for reading in readings:
        by_value.setdefault(reading.value, []).append(reading.layer)
    if not by_value:
        return missing
    if len(by_value) > 1:
        sides = [f"{what.format(value)} {named(at)}" for value, at in by_value.items()]
        return f"layers disagree: {', '.join(sides)}"
    ((value, layers),) = by_value.items()
    evidence = f"{what.format(value)} {named(layers)}"
    value *= times
    if span > 1:
        evidence += f", the same for {value} to {value + span - 1}"
    return Fact(value, evidence, span)


def per_stack(answers: Iterable[Answer]) -> Answer:
    """One fact with a number for each stack from the facts of the stacks, of which there is at least one."""
    facts: list[Fact] = []
    for stack, answer in enumerate(answers):
        if isinstance(answer, str):
            return f"stack {stack}: {answer}"
        facts.append(answer)
    value = tuple(fact.number for fact in facts)
    evidence = f"{facts[0].evidence}" + (", and so on for each stack" if len(facts) > 1 else "")
    return Fact(value, evidence, stacks=tuple(facts))


def conclude(kind: Kind, evidence: str, answers: Mapping[str, Answer]) -> Inference:
    """The inference from what was found for each field of a kind."""
    return Inference(
        kind,
        evidence,
        {name: found for name, found in answers.items() if isinstance(found, Fact)},
        {name: found for name, found in answers.items() if isinstance(found, str)},
    )


def named(layers: Iterable[Layer]) -> str:
    """Layers in a sentence: the first by type and name, the others by their number."""
    first, *others = layers
    more = f" and {len(others)} more" if others else ""
    return f"{first.type} {first.name}{more}"
