"""Compares metadata with the graph it belongs to, number by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.speech.flags import Kind, Setting, spell
from ncnnparam.speech.infer import infer
from ncnnparam.speech.metadata import Metadata

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.speech.evidence import Inference


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A number of the metadata that the graph denies.

    Attributes:
        field: Name of the field, or ``kind``.
        label: Its flag.
        key: Its key in the ``SherpaMetaData`` layer.
        stated: The flag's value according to the metadata; for the kind its name.
        shown: The flag's value according to the graph.
        stored: What the key holds.
        right: What the key would hold by the graph.
        evidence: The layers that show it.
        hint: What probably happened, or None.
    """

    field: str
    label: str
    key: int
    stated: Setting | str
    shown: Setting | str
    stored: Setting
    right: Setting
    evidence: str
    hint: str | None = None

    def __str__(self) -> str:
        stated, shown = (each if isinstance(each, str) else spell(each) for each in (self.stated, self.shown))
        return (
            f"{self.label}: the metadata says {stated} ({self.key}={spell(self.stored)}), "
            f"the graph {shown} ({self.key}={spell(self.right)}): {self.evidence}"
        )


def verify(metadata: Metadata, graph: Graph, *, shown: Inference | None = None) -> list[Contradiction]:
    """Every contradiction between metadata and a graph, by ascending key.

    Args:
        metadata: The metadata.
        graph: The encoder it shall describe. Values that the graph does not show are not compared.
        shown: What ``infer`` says of the graph, when it is known already.
    """
    return compare(metadata.kind, metadata.values(), shown or infer(graph))


def compare(kind: Kind, values: Mapping[str, Setting], shown: Inference) -> list[Contradiction]:
    """``verify`` for values that may be incomplete.

    Args:
        kind: The kind that the metadata states.
        values: The flags' values by field name, as far as they are known.
        shown: What the graph shows.
    """
    if shown.kind is None:
        return []
    if shown.kind is not kind:
        names = (kind.name, shown.kind.name)
        return [Contradiction("kind", "kind", 0, *names, kind.number, shown.kind.number, shown.evidence)]
    found: list[Contradiction] = []
    for field in kind.fields:
        fact = shown.facts.get(field.name)
        stated = values.get(field.name)
        if fact is None or stated is None or fact.allows(stated):
            continue
        stored, right = field.store(stated), field.store(fact.value)
        undivided = field.divisor > 1 and stored == fact.value
        hint = f"key {field.key} holds the flag's value divided by {field.divisor}" if undivided else None
        why = fact.against(stated)
        found.append(
            Contradiction(field.name, field.label, field.key, stated, fact.value, stored, right, why, hint)
        )
    return found
