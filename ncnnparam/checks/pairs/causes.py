"""Why a ``.bin`` may not fit its graph: guesses that are tried on the file before they are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ncnnparam.checks.pairs.pair import Pair
from ncnnparam.checks.pairs.reading import Odd, Wish, is_int8, read, wishes
from ncnnparam.errors import NcnnParamError
from ncnnparam.graph import Graph, graph_from_syntax
from ncnnparam.ops import registry
from ncnnparam.syntax import parse, read_text
from ncnnparam.syntax.pairing import is_bin, is_param
from ncnnparam.weights import Storage, WeightFile

_NEAR = 64
"""Bytes before and behind the place where a tag should be, in which the rest of the file is sought."""
_WINDOW = 1 << 16
"""Bytes in which the next tag is sought."""
_MOST_NEIGHBOURS = 32
"""Files of the same folder that are tried."""
_LARGEST_TEXT = 16 << 20

_TAGS = {Storage.FLOAT16, Storage.BFLOAT16, Storage.INT8, Storage.SCALED}
"""Storages whose tag is not zero, and so can be sought."""


def neighbour(pair: Pair) -> str | None:
    """A file in the same folder that does fit."""
    here, own = pair.file.path, pair.graph.syntax and pair.graph.syntax.name
    if here is None:
        return None
    try:
        paths = [path for path in Path(here).parent.iterdir() if not path.name.startswith(".")]
    except OSError:
        return None
    others = [path for path in paths if path.name not in {Path(here).name, Path(own or "").name}]
    stem = _stem(Path(here))
    others.sort(key=lambda path: (_stem(path) != stem, path.name))
    for path in islice(filter(is_param, others), _MOST_NEIGHBOURS):
        graph = _graph(path)
        if graph is not None and _fits(graph, pair.data):
            return f"it fits {path.name}, which lies beside it"
    for path in islice(filter(is_bin, others), _MOST_NEIGHBOURS):
        if _fits(pair.graph, _data(path)):
            return f"{path.name}, which lies beside it, fits the graph"
    return None


def is_float_twin(pair: Pair) -> bool:
    """Whether the file fits an int8 graph as that was before it was quantised."""
    if not any(map(is_int8, pair.graph)):
        return False
    reading = read(list(_float_wishes(pair.graph)), pair.data, sure=True)
    return reading.is_exact


def missing(pair: Pair) -> int:
    """Bytes that a file which was cut off lacks, if what is not there is stored as the rest is."""
    reading = pair.reading
    storages = {"tagged": reading.usual_storage(), "raw": Storage.RAW, "bytes": Storage.BYTES}
    lacking = sum(storages[array.kind].size(array.count) for _, array in reading.left)
    return lacking - (reading.size - reading.end)


def shift(pair: Pair, odd: Odd) -> int | None:
    """By how many bytes the rest of the file is moved against where the graph wants it, or None.

    Args:
        pair: The pair.
        odd: The array whose tag makes no sense.
    """
    rest = pair.wishes[odd.number :]
    for by in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        start = odd.offset + by
        if by and 0 <= start < len(pair.data) and read(rest, pair.data, start=start, sure=True).is_exact:
            return by
    return None


def damaged_tag(pair: Pair, odd: Odd) -> Storage | None:
    """The storage with which the array, and all behind it, would fit the file exactly; or None.

    Args:
        pair: The pair.
        odd: The array whose tag makes no sense.
    """
    rest = pair.wishes[odd.number + 1 :]
    for storage in (Storage.FLOAT32, Storage.FLOAT16, Storage.INT8):
        start = odd.offset + storage.size(odd.array.count)
        if start <= len(pair.data) and read(rest, pair.data, start=start, sure=True).is_exact:
            return storage
    return None


def next_tag(pair: Pair, offset: int) -> tuple[int, Storage] | None:
    """Where behind an offset the next tag is that is not zero, and what it says; or None."""
    window = bytes(pair.data[offset : offset + _WINDOW])
    found = [
        (match.start(), storage)
        for storage in _TAGS
        if storage.tag is not None
        and (match := re.search(re.escape(storage.tag.to_bytes(4, "little")), window)) is not None
    ]
    return min(found, key=lambda item: item[0], default=None)


def _float_wishes(graph: Graph) -> Iterator[Wish]:
    """The arrays that the layers would want if none of them computed in int8."""
    for layer in graph:
        layer_type = registry.get(layer.type)
        if layer_type is None or not is_int8(layer):
            yield from wishes([layer])
            continue
        marks = {
            spec.id for spec in layer_type.params if spec.name in layer_type.parsed(layer_type.int8).names
        }
        params = {id: value for id, value in layer.params.items() if id not in marks}
        for array in layer_type.weight_layout(params):
            yield layer, array


def _stem(path: Path) -> str:
    """What ``encoder.ncnn.bin`` and ``encoder.ncnn.int8.param`` share."""
    return path.name.partition(".")[0]


def _fits(graph: Graph, data: memoryview) -> bool:
    try:
        wished = list(wishes(graph))
    except NcnnParamError:
        return False
    reading = read(wished, data, sure=True)
    return bool(wished) and reading.is_exact and reading.first_int8_in_float() is None


def _graph(path: Path) -> Graph | None:
    try:
        return graph_from_syntax(parse(read_text(path, max_size=_LARGEST_TEXT)))
    except NcnnParamError:
        return None


def _data(path: Path) -> memoryview:
    try:
        return WeightFile.open(path).data
    except NcnnParamError:
        return memoryview(b"")
