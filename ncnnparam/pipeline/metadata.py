"""The encoder's metadata, from the flags in the config and from its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.errors import MetadataError
from ncnnparam.pipeline.config import Model

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.speech.given import Flags, Resolved


def require_flags(model: Model) -> None:
    """Makes sure that the flags are those of the kind and have values that a model can have.

    Raises:
        ConfigError: One has not, or is another kind's.
    """
    from ncnnparam.speech import named_kind
    from ncnnparam.speech.given import require_values

    require_values(_given(model), kind=named_kind(model.kind) if model.kind else None)


def resolved_metadata(model: Model, graph: Graph) -> Resolved:
    """What the flags say, and where they are silent the graph.

    Args:
        model: The config.
        graph: The encoder, mended.

    Raises:
        ConfigError: Something is missing that neither tells.
        MetadataError: They contradict each other.
    """
    from ncnnparam.speech import infer, named_kind, resolve, verify

    shown = infer(graph)
    resolved = resolve(_given(model), kind=named_kind(model.kind) if model.kind else None, shown=shown)
    found = verify(resolved.metadata, graph, shown=shown)
    if found:
        lines = [f"{item}{f' ({item.hint})' if item.hint else ''}" for item in found]
        raise MetadataError(
            "\n  ".join(["the metadata contradict the graph:", *lines]),
            hint=f"correct the flags under [model] in {model.file}, or leave them out: the graph shows them",
        )
    return resolved


def _given(model: Model) -> Flags:
    from ncnnparam.speech import Given, collect

    items = ((flag.name, Given(flag.value, flag.place)) for flag in model.flags)
    return collect(items, source=str(model.file))
