"""Axes as the first releases counted them.

A mark tells that a layer counts as today: ``1=1`` of Softmax (since 20190320), ``5=1`` of Reduction (since
20220216). Without it newer releases refuse the layer. What the releases before computed is known from their
source, so the axes can be counted anew, if a converter of that time wrote the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ncnnparam.checks.rules.target_rule import FINE
from ncnnparam.passes.base import PassResult
from ncnnparam.passes.compat.base import TargetPass
from ncnnparam.passes.optimize.shapes import Shapes

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.model import Model

_MARK = "fixbug0"
_REDUCTION, _REDUCTION_MARK = "Reduction", 5


class RenewAxes(TargetPass):
    """Counts the axes of Softmax and Reduction as the target does (1=1 and 5=1)."""

    name = "renew-axes"

    def run(self, model: Model) -> PassResult:
        """Counts anew what an old converter wrote, or for a release that counts as of old."""
        result = PassResult()
        shapes = Shapes(model.graph)
        for layer in model.graph.find("Softmax"):
            if not layer[_MARK] and layer["axis"]:
                self._renew_softmax(layer, shapes.rank(layer.inputs[0]), result)
        for layer in model.graph.find(_REDUCTION):
            if layer["axes"] and bool(layer[_MARK]) != self.as_today:
                self._recount(layer, result)
        return result

    @property
    def as_today(self) -> bool:
        """Whether the target counts the axes of Reduction as releases do since 20220216."""
        return self.target.param(_REDUCTION, _REDUCTION_MARK) in FINE

    def _renew_softmax(self, layer: Layer, rank: int | None, result: PassResult) -> None:
        """The axes 1 and 2 of a picture were the other way round; vectors and matrices are as they were."""
        axis = cast("int", layer["axis"])
        if rank is None:
            result.decline(
                f"an old converter wrote it, and {layer.inputs[0].name} may have 3 axes", layer.name
            )
        elif rank > 3 or not 0 < axis < max(rank, 2):
            result.decline(f"no release that takes it without 1=1 has an axis {axis}", layer.name)
        else:
            layer["axis"] = new = 3 - axis if rank == 3 else axis
            layer[_MARK] = 1
            result.change(
                f"axis {axis} is {new} as axes are counted since 20190320: a converter before that wrote it, "
                "if it was one of ncnn's",
                layer.name,
            )

    def _recount(self, layer: Layer, result: PassResult) -> None:
        """Before 20220216 the batch axis was number 0; axes from the end are the same."""
        as_today = self.as_today
        axes = cast("tuple[int, ...]", layer["axes"])
        if layer["reduce_all"]:
            new = axes  # whatever they are
        elif as_today and 0 in axes:
            result.decline("an old converter wrote it, and axis 0 was the batch axis then", layer.name)
            return
        else:
            new = tuple(axis if axis < 0 else axis - 1 if as_today else axis + 1 for axis in axes)
        if new != axes:
            layer["axes"] = new
        if as_today:
            layer[_MARK] = 1
        else:
            del layer[_MARK]
        since = "since" if as_today else "before"
        why = ": a converter before that wrote it, if it was one of ncnn's" if as_today else ""
        result.change(
            f"axes {_listed(axes)} are {_listed(new)} as they are counted {since} 20220216{why}", layer.name
        )


def _listed(axes: tuple[int, ...]) -> str:
    return ",".join(map(str, axes))
