"""One layer as a row: where it stands, what it reads and writes, and its params by name."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from ncnnparam.errors import OpsError
from ncnnparam.graph import Graph, Layer
from ncnnparam.ops import registry
from ncnnparam.syntax import Param, Style, Value, spell


@dataclass(frozen=True)
class NamedParam:
    """A param that a layer states.

    Attributes:
        id: Its id.
        name: Its name in ncnn's source, or None where the registry does not know it.
        value: Its value.
        text: The value as it is spelled in the file; an array without its length, an empty one as ``[]``.
    """

    id: int
    name: str | None
    value: Value
    text: str

    def __str__(self) -> str:
        return f"{self.name or self.id}={self.text}"


@dataclass(frozen=True)
class LayerRow:
    """A layer of a graph.

    Attributes:
        index: Its place among the layers, from 0, as in ncnn's messages.
        line: The line of the file where it begins, from 1, or None.
        type: Its type.
        name: Its name.
        inputs: Names of the blobs it reads.
        outputs: Names of the blobs it writes.
        params: The params it states; of one that is stated twice only the last counts.
    """

    index: int
    line: int | None
    type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: tuple[NamedParam, ...]


def layer_row(index: int, layer: Layer, *, past_splits: bool = False) -> LayerRow:
    """A layer as a row; ``past_splits`` names the blobs behind the Splits as its inputs."""
    return LayerRow(
        index,
        layer.line,
        layer.type,
        layer.name,
        tuple((blob.source if past_splits else blob).name for blob in layer.inputs),
        tuple(blob.name for blob in layer.outputs),
        named_params(layer),
    )


def layer_rows(graph: Graph, *, type: str | None = None, name: str | None = None) -> list[LayerRow]:
    """The layers whose type and name match globs, all by default."""
    wanted = {id(layer) for layer in graph.find(type, name=name)}
    return [layer_row(index, layer) for index, layer in enumerate(graph) if id(layer) in wanted]


def named_params(layer: Layer) -> tuple[NamedParam, ...]:
    """The params that a layer states, with their names."""
    layer_type = registry.get(layer.type)
    stated = []
    for id in layer.params:
        param = layer.params.find(id)
        assert param is not None
        spec = layer_type.param(id) if layer_type else None
        stated.append(NamedParam(id, spec.name if spec else None, param.value, value_text(param)))
    return tuple(stated)


def has_weights(layer: Layer) -> bool:
    """Whether a layer reads weights from the ``.bin`` file, as far as the registry knows its type."""
    layer_type = registry.get(layer.type)
    if layer_type is None:
        return False
    try:
        return bool(layer_type.weight_layout(layer.params))
    except OpsError:  # its params make no sense
        return bool(layer_type.weights)


def in_the_way(layers: Sequence[Layer], gone: Container[Layer]) -> list[Layer]:
    """The layers whose weights keep the others from finding theirs in the old ``.bin`` file.

    The file holds the weights one behind the other. Those behind the last that are needed do no harm: ncnn
    does not look at them.

    Args:
        layers: The layers as they were, in their order.
        gone: Those that were removed.
    """
    found: list[Layer] = []
    needed = False
    for layer in reversed(layers):
        if not has_weights(layer):
            continue
        if layer not in gone:
            needed = True
        elif needed:
            found.append(layer)
    return found[::-1]


def value_text(param: Param) -> str:
    """The value of a param as it is spelled; an array without its length, an empty one as ``[]``."""
    text = param.text.partition("=")[2]
    if param.style is Style.OLD_ARRAY:
        text = text.partition(",")[2]
    return text or "[]"


def shown(value: Value) -> str:
    """A value that stands in no file, a default for example, in the spelling of the language."""
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, tuple):
        return ",".join(shown(item) for item in value) or "[]"
    try:
        return spell(value)
    except ValueError:  # a computed default may be infinite
        return str(value)
