"""Puts metadata into a graph."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.errors import MetadataError
from ncnnparam.speech.flags import spell
from ncnnparam.speech.metadata import LAYER_NAME, LAYER_TYPE, Metadata, from_layer

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

NCNN_IDS = frozenset((30, 31))
"""Params that any layer may have (shape hints, feature mask); ncnn's own tools add ``-23330=0`` here."""


class Action(enum.Enum):
    """What ``inject`` did."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Injection:
    """The result of ``inject``.

    Attributes:
        action: What was done.
        layer: The layer that now holds the metadata.
        changes: What the layer said before and says now, one sentence for each difference.
    """

    action: Action
    layer: Layer
    changes: tuple[str, ...] = ()

    @property
    def modified(self) -> bool:
        """Whether the graph is another than before."""
        return self.action is not Action.UNCHANGED


def metadata_layers(graph: Graph) -> list[Layer]:
    """The ``SherpaMetaData`` layers of a graph; a sound encoder has one."""
    return [layer for layer in graph if layer.type == LAYER_TYPE]


def required_metadata(graph: Graph, name: str) -> Metadata:
    """The metadata of an encoder that shall be run.

    Args:
        graph: The encoder.
        name: Its file, for the error.

    Raises:
        MetadataError: It has none, or none that is in order.
    """
    layers = metadata_layers(graph)
    if not layers:
        raise MetadataError(
            f"{name} has no SherpaMetaData, which says how the encoder is run",
            hint="ncnnparam inject-meta puts it in",
            code="NP310",
        )
    return from_layer(layers[0])


def inject(graph: Graph, metadata: Metadata, *, replace: bool = False) -> Injection:
    """Let a graph hold metadata: as its first layer, under the name that sherpa-ncnn looks for.

    A graph that holds the same already stays as it is, wherever the layer stands and however it is spelled.

    Args:
        graph: The encoder; it is edited.
        metadata: What to put in.
        replace: Whether to overwrite other metadata.

    Raises:
        MetadataError: There is other metadata and ``replace`` is false, or another layer has the name.
    """
    present = metadata_layers(graph)
    if graph.has_layer(LAYER_NAME) and (other := graph.layer(LAYER_NAME)).type != LAYER_TYPE:
        raise MetadataError(
            f"the name {LAYER_NAME} is taken by a layer of type {other.type}", hint="rename that layer first"
        )
    changes = tuple(change for layer in present for change in _changes(layer, metadata))
    if len(present) > 1:
        changes = (f"{len(present)} {LAYER_TYPE} layers instead of one", *changes)
    if present and not changes:
        return Injection(Action.UNCHANGED, present[0])
    if present and not replace:
        raise MetadataError(
            f"the graph has other metadata already: {'; '.join(changes)}",
            hint="pass --replace to overwrite it",
        )
    for layer in present:
        graph.remove(layer, reconnect=False)
    layer = graph.insert_at(0, LAYER_TYPE, LAYER_NAME, outputs=0, params=dict(metadata.params()))
    return Injection(Action.REPLACED if present else Action.ADDED, layer, changes)


def _changes(layer: Layer, metadata: Metadata) -> list[str]:
    """How a layer differs from the one that ``inject`` writes."""
    found: list[str] = []
    if layer.name != LAYER_NAME:
        found.append(f"its name is {layer.name}, not {LAYER_NAME}")
    if layer.inputs or layer.outputs:
        found.append(f"it has {len(layer.inputs)} inputs and {len(layer.outputs)} outputs, not 0 0")
    has = {id: value for id, value in layer.params.items() if id not in NCNN_IDS}
    wants = metadata.params()
    for id in sorted(has.keys() | wants.keys()):
        if has.get(id) != wants.get(id) or type(has.get(id)) is not type(wants.get(id)):
            before = _spelled(has[id]) if id in has else "nothing"
            after = spell(wants[id]) if id in wants else "nothing"
            found.append(f"key {id} holds {before}, not {after}")
    return found


def _spelled(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
