"""The encoder's metadata, from the flags in the config and from its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.errors import MetadataError
from ncnnparam.pipeline.config import Model

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.speech.given import Resolved


def resolved_metadata(model: Model, graph: Graph) -> Resolved:
    """What the flags say, and where they are silent the graph.

    Args:
        model: The config.
        graph: The encoder, mended.

    Raises:
        ConfigError: Something is missing that neither tells.
        MetadataError: They contradict each other.
    """
    from ncnnparam.speech import Given, collect, infer, named_kind, resolve, verify

    shown = infer(graph)
    given = collect(
        ((flag.name, Given(flag.value, flag.place)) for flag in model.flags), source=str(model.file)
    )
    resolved = resolve(given, kind=named_kind(model.kind) if model.kind else None, shown=shown)
    found = verify(resolved.metadata, graph, shown=shown)
    if found:
        lines = [f"{item}{f' ({item.hint})' if item.hint else ''}" for item in found]
        raise MetadataError(
            "\n  ".join(["the metadata contradict the graph:", *lines]),
            hint=f"correct the flags under [model] in {model.file}, or leave them out: the graph shows them",
        )
    return resolved
