"""Layers as rows of json."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ncnnparam.views.layers import LayerRow


def layer_json(row: LayerRow) -> dict[str, Any]:
    """A layer as an object of json; its params have values and not the spelling of the file."""
    params = [{"id": param.id, "name": param.name, "value": param.value} for param in row.params]
    return {**asdict(row), "params": params}
