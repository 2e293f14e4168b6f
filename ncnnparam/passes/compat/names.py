"""Types that have another name now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.ops import registry
from ncnnparam.passes.base import Pass, PassResult

if TYPE_CHECKING:
    from ncnnparam.model import Model

NEW_NAMES = {"LSTM2": "LSTM"}
"""What sherpa-ncnn's converter of 2022 wrote, and the type of ncnn that has its params and weights since
20221128."""


class RenewNames(Pass):
    """Gives types that an old converter wrote the names they have now (LSTM2)."""

    name = "renew-names"

    def run(self, model: Model) -> PassResult:
        """Renames the types; one that is registered under the old name is left alone."""
        result = PassResult()
        for layer in model.graph:
            new = NEW_NAMES.get(layer.type)
            if new is None or registry.get(layer.type) is not None:
                continue
            known, old, weights = registry.get(new), layer.type, layer._weights
            strange = [id for id in layer.params if known is None or known.param(id) is None]
            if strange:
                result.decline(f"{new} has no param {strange[0]}", layer.name)
                continue
            renamed = model.graph.replace(layer, new, params=dict(layer.params))
            renamed._weights = weights
            result.change(f"{old} is called {new}", renamed.name)
        return result
