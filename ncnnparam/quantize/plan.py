"""Which layers of a graph become int8, by which scales, and why the others stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.errors import ConfigError
from ncnnparam.ops import registry
from ncnnparam.ops.params import FEATURE_MASK
from ncnnparam.quantize.int8_form import Int8Form, Scaled, int8_form, switch
from ncnnparam.quantize.int8_weights import Int8Weights, is_scale
from ncnnparam.quantize.table import Table, weight_key
from ncnnparam.weights import Storage
from ncnnparam.weights.layout import describe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops.versions import Target

_NO_INT8 = 8
"""What the feature mask says of a layer that must not compute in int8."""
_MOST_NAMED = 5


@dataclass
class Choice:
    """What becomes of a layer.

    Attributes:
        layer: The layer.
        form: How it looks in int8, or None if it stays as it is.
        weights: Its weights on their way to int8.
        input_scale: The scale of its input, if that is fixed.
        reason: Why it stays as it is, or empty.
    """

    layer: Layer
    form: Int8Form | None = None
    weights: tuple[Int8Weights, ...] = ()
    input_scale: NDArray[np.float32] | None = None
    reason: str = ""


def plan(
    graph: Graph,
    table: Table | None,
    *,
    wanted: Callable[[Layer], bool] = lambda layer: True,
    target: Target | None = None,
) -> list[Choice]:
    """Looks at each layer that has an int8 form, or weights that a tag describes.

    Args:
        graph: A graph with its weights.
        table: The calibration table, or None.
        wanted: Tells which layers may become int8.
        target: The runtime that has to understand the result, or None for the newest.

    Raises:
        ConfigError: Layers need the scale of their input, and there is no table; or it has rows of a wrong
            length.
    """
    choices = [_choose(layer, table, wanted, target) for layer in graph if _matters(layer)]
    lacking = [choice.layer.name for choice in choices if choice.form and table is None and _fixed(choice)]
    if lacking:
        more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
        raise ConfigError(
            "the scales of inputs are needed, which only calibration finds: "
            f"{', '.join(lacking[:_MOST_NAMED])}{more}",
            hint="give a calibration table with --table, or leave these layers out with --skip",
        )
    return choices


def _choose(
    layer: Layer, table: Table | None, wanted: Callable[[Layer], bool], target: Target | None
) -> Choice:
    if not wanted(layer):
        return Choice(layer, reason="it was not asked for")
    form = int8_form(layer)
    reason = _obstacle(layer, form, target)
    if form is None or reason:
        return Choice(layer, reason=reason)
    scale = None if table is None else table.input_scale(layer.name)
    if form.needs_input_scale and table is not None:
        if scale is None:
            return Choice(layer, reason="the table has no row for its input")
        if len(scale) != 1 or not is_scale(scale)[0]:
            return Choice(layer, reason=f"its input cannot be scaled by {_told(scale)}")
    weights = [Int8Weights(layer, scaled, _given(layer, scaled, table)) for scaled in form.scaled]
    return Choice(layer, form, tuple(weights), scale if form.needs_input_scale else None)


def _given(layer: Layer, scaled: Scaled, table: Table | None) -> NDArray[np.float32] | None:
    """The scales that a table gives for an array of weights."""
    given = None if table is None else table.weight_scales(layer.name, scaled.number)
    if given is not None and len(given) != scaled.scales.count:
        raise ConfigError(
            f"the row '{weight_key(layer.name, scaled.number)}' of the table has {len(given)} scales, "
            f"{describe(layer)} wants {scaled.scales.count}",
            hint="the table belongs to another model, or the row is damaged: make it again",
        )
    return given


def _obstacle(layer: Layer, form: Int8Form | None, target: Target | None) -> str:
    """Why a layer cannot be int8, whatever a table says; or empty."""
    layer_type, param = registry.get(layer.type), switch(layer.type)
    if layer_type is None or param is None:
        return f"ncnn has no int8 for {layer.type}"
    if form is None:
        return "its weights come in as inputs"
    if layer_type.read(param, layer.params):
        return "it is quantised already"
    mask = layer.params.get(FEATURE_MASK)
    if isinstance(mask, int) and mask & _NO_INT8:
        return f"its feature mask ({FEATURE_MASK}={mask}) switches int8 off"
    if target is not None and not target.has_type(layer.type):
        return f"{target} does not have {layer.type}"
    if target is not None and target.param(layer.type, param) != "reads":
        return f"{target} knows no int8 for {layer.type}"
    return ""


def _matters(layer: Layer) -> bool:
    return switch(layer.type) is not None or any(
        weight.storage.kind == Storage.FLOAT32.kind for weight in layer._weights
    )


def _fixed(choice: Choice) -> bool:
    return choice.form is not None and choice.form.needs_input_scale


def _told(scale: NDArray[np.float32]) -> str:
    return f"{scale[0]:g}" if len(scale) == 1 else f"{len(scale)} numbers"
