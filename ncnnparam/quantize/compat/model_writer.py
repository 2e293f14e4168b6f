"""A ``.param`` as ncnn's own tools print it: ``ModelWriter::save`` in ``tools/modelwriter.h``.

``modelwriter.json`` has the params of each type that the C++ writer knows, in its order. A param is left out
where it equals ncnn's default: that of a layer which states nothing, or for an id in quotes that of a layer
with the other params of this one. Two types get a mark of their age, under a condition. Of a type that is not
in the file the writer prints no params, even if it has some.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ncnnparam.ops import LayerType, registry
from ncnnparam.syntax.values import OLD_ARRAY_BASE
from ncnnparam.views.shapes import SHAPE_HINTS, shape

if TYPE_CHECKING:
    from ncnnparam.graph import Blob, Graph, Layer
    from ncnnparam.syntax import Value

_MAGIC = "7767517"
_ORDERS = Path(__file__).with_name("modelwriter.json")
_WIDTH = 24


def header(graph: Graph) -> str:
    """The first two lines; of blobs with one name only one is counted."""
    names = {blob.name for layer in graph for blob in (*layer.inputs, *layer.outputs)}
    return f"{_MAGIC}\n{graph.layer_count} {len(names)}\n"


def line(layer: Layer, params: Mapping[int, Value]) -> str:
    """A layer.

    Args:
        layer: Its type, name and blobs count.
        params: What it says.
    """
    words = [
        f"{_padded(layer.type)} {_padded(layer.name)} {len(layer.inputs)} {len(layer.outputs)}",
        *[blob.name for blob in (*layer.inputs, *layer.outputs)],
        *_hints(layer),
        *(_custom(params) if is_custom(layer) else _built_in(layer, params)),
    ]
    return " ".join(words) + "\n"


def is_custom(layer: Layer) -> bool:
    """Whether the C++ tools take a layer for one of a type that ncnn does not have."""
    layer_type = registry.get(layer.type)
    return layer_type is None or layer_type.custom


def lost_params(layer: Layer) -> list[int]:
    """Ids of the params that a layer states and the C++ writer forgets."""
    if is_custom(layer):
        return [id for id, value in layer.params.items() if isinstance(value, str)]
    known = {int(entry["id"] if isinstance(entry, dict) else entry) for entry in _order(layer.type)}
    layer_type = cast(LayerType, registry.get(layer.type))
    return [
        id
        for id, value in layer.params.items()
        if id not in known and (spec := layer_type.param(id)) is not None and id != SHAPE_HINTS
        if value != layer_type.value(spec.id, {})
    ]


def _built_in(layer: Layer, params: Mapping[int, Value]) -> Iterator[str]:
    layer_type = registry.get(layer.type)
    assert layer_type is not None
    for entry in _order(layer.type):
        if isinstance(entry, dict):
            if layer_type.evaluate(entry["when"], params):
                yield f"{entry['id']}={entry['value']}"
            continue
        id = int(entry)
        value = layer_type.read(id, params)
        others = {key: params[key] for key in params if key != id} if isinstance(entry, str) else {}
        if not _same(value, layer_type.value(id, others)):
            spec = layer_type.param(id)
            assert spec is not None
            yield _spelled(id, value, floats=spec.items == "float")


def _custom(params: Mapping[int, Value]) -> Iterator[str]:
    for id, value in sorted(params.items()):
        if not isinstance(value, str):
            floats = isinstance(value, tuple) and any(isinstance(item, float) for item in value)
            yield _spelled(id, value, floats=floats)


def _hints(layer: Layer) -> Iterator[str]:
    """The shapes of all outputs if they are known, which those of a layer without outputs always are."""
    hinted = layer.params.find(SHAPE_HINTS) is not None
    sizes = [_sizes(blob) if hinted else None for blob in layer.outputs]
    if None not in sizes:
        numbers = [number for one in sizes if one is not None for number in one]
        yield _spelled(SHAPE_HINTS, tuple(numbers), floats=False)


def _sizes(blob: Blob) -> tuple[int, ...] | None:
    """Number of axes, width, height, depth and channels."""
    found = shape(blob)
    if found is None:
        return None
    # a blob of three dimensions has no depth
    sizes = found if len(found) > 3 else (*found[:2], *(1,) * (len(found) > 1), *found[2:])
    return (len(found), *sizes, *(1,) * (4 - len(sizes)))


def _spelled(id: int, value: Value, *, floats: bool) -> str:
    if isinstance(value, tuple):
        items = [f"{np.float32(item):e}" if floats else f"{int(item)}" for item in value]
        return ",".join([f"{OLD_ARRAY_BASE - id}={len(items)}", *items])
    if isinstance(value, str):
        return f'{id}="{value}"'
    return f"{id}={value}" if isinstance(value, int) else f"{id}={np.float32(value):e}"


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.float32(cast(float, one)) == np.float32(cast(float, other)))
    return one == other


def _padded(word: str) -> str:
    """A word with blanks behind it; C counts bytes."""
    return word + " " * (_WIDTH - len(word.encode("utf-8", "surrogateescape")))


def _order(type: str) -> list[Any]:
    return _orders().get(type, [])


@cache
def _orders() -> dict[str, list[Any]]:
    return cast("dict[str, list[Any]]", json.loads(_ORDERS.read_text(encoding="utf-8")))
