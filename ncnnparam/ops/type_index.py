"""The numbers of layer types, which the binary form of a graph has in place of their names.

ncnn counts its types in the order in which ``src/CMakeLists.txt`` adds them; ``type_index.json`` has that of
1.0.20261020. New types are put at the end, so an older release gives those that it has the same numbers.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

CUSTOM = 256
"""Number of the first type that a net registers itself (``LayerType::CustomBit``)."""
MOST_CUSTOM = 256
"""How many such types there can be: the bit must stay apart from the count."""


def index_of(name: str) -> int | None:
    """The number of a type, or None if it is none of ncnn's own."""
    return _indexes().get(name)


def name_of(index: int) -> str | None:
    """The type of ncnn's own that has a number, or None."""
    return _order()[index] if 0 <= index < len(_order()) else None


@cache
def _order() -> tuple[str, ...]:
    return tuple(json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")))


@cache
def _indexes() -> dict[str, int]:
    return {name: index for index, name in enumerate(_order())}
