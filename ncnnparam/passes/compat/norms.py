"""Norms and poolings over whole axes, said with Reduction and BinaryOp.

They divide by a root: UnaryOp's ``rsqrt`` has 12 good bits only in releases such as 20250916 on x86.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.passes.compat.base import without_weights
from ncnnparam.passes.compat.build import CONSTANT
from ncnnparam.passes.compat.equivalent import built
from ncnnparam.passes.optimize.into_weights import floats

if TYPE_CHECKING:
    from ncnnparam.graph import Layer
    from ncnnparam.graph.substitute import Wire
    from ncnnparam.passes.compat.build import Build
    from ncnnparam.passes.optimize.shapes import Shapes

_ARITHMETIC = ("Reduction", "BinaryOp", "UnaryOp", "vector-along-width")
"""BinaryOp must stretch any axis of size 1, as it does since it knows vectors along the width."""
_PICTURE = 3
"""Axes of a picture: channels, height, width."""
_AVERAGE = 1
"""``pooling_type`` of a mean; 0 is the maximum."""
_EPS_INSIDE, _EPS_OF_ROOT = 0, 1
"""``eps_mode`` of Normalize."""


@built("RMSNorm", CONSTANT, *_ARITHMETIC)
def rms_norm(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Each row by the root of the mean of its squares."""
    blob, size = layer.inputs[0], layer["affine_size"]
    shape, rank = shapes[blob], shapes.rank(blob)
    reason = without_weights(layer)
    if rank is None:
        reason = f"{blob.name} has an unknown number of axes"
    elif rank > 2 and not (isinstance(shape, tuple) and shape[-1] == size):
        reason = "it may be over several axes"
    if rank is None or reason is not None:
        return reason or ""
    mean = build.reduce("mean", build.unary("square", build.input), [rank - 1])
    found = build.binary("div", build.input, build.unary("sqrt", _plus_eps(build, mean)))
    if layer["affine"]:
        gamma = floats(layer, "gamma_data")
        found = build.binary("mul", found, build.constant(gamma.reshape((1,) * (rank - 1) + (-1,))))
    return found


@built("InstanceNorm", CONSTANT, *_ARITHMETIC)
def instance_norm(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Each channel of a picture to mean 0 and variance 1."""
    reason = without_weights(layer) or _no_picture(layer, shapes)
    return reason or _normed(layer, build, (1, 2))


@built("GroupNorm", CONSTANT, *_ARITHMETIC)
def group_norm(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """One group of all channels, or a group for each channel."""
    reason = without_weights(layer) or _no_picture(layer, shapes)
    if reason is None and layer["group"] not in (1, layer["channels"]):
        reason = "it has several groups of several channels"
    return reason or _normed(layer, build, (0, 1, 2) if layer["group"] == 1 else (1, 2))


@built("MVN", *_ARITHMETIC)
def mean_variance(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """The mean taken away, and divided by the deviation."""
    reason = _no_picture(layer, shapes)
    if reason is not None:
        return reason
    axes = (0, 1, 2) if layer["across_channels"] else (1, 2)
    centred = build.binary("sub", build.input, build.reduce("mean", build.input, axes))
    if not layer["normalize_variance"]:
        return centred
    variance = build.reduce("mean", build.unary("square", centred), axes)
    return build.binary("div", centred, _plus_eps(build, build.unary("sqrt", variance)))


@built("Normalize", CONSTANT, *_ARITHMETIC)
def normalize(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """By the root of a sum of squares, then by factors."""
    reason = without_weights(layer) or _no_picture(layer, shapes)
    channels, spatial = bool(layer["across_channel"]), bool(layer["across_spatial"])
    if reason is None and not channels and not spatial:
        reason = "it does nothing"
    if reason is not None:
        return reason
    axes = ((0,) if channels else ()) + ((1, 2) if spatial else ())
    squares = build.reduce("sumsq", build.input, axes)
    eps = _number(layer, "eps")
    if layer["eps_mode"] == _EPS_OF_ROOT:
        root = build.binary("max", build.unary("sqrt", squares), eps)
        found = build.binary("div", build.input, root)
    else:
        kind = "add" if layer["eps_mode"] == _EPS_INSIDE else "max"
        found = build.binary("div", build.input, build.unary("sqrt", build.binary(kind, squares, eps)))
    factors = floats(layer, "scale_data")
    return build.binary("mul", found, build.constant(factors[:1] if layer["channel_shared"] else factors))


@built("StatisticsPooling", *_ARITHMETIC, "Concat")
def statistics_pooling(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """The mean of each channel of a picture, and its deviation."""
    reason = _no_picture(layer, shapes)
    if reason is not None:
        return reason
    mean = build.reduce("mean", build.input, (1, 2), keep=False)
    if not layer["include_stddev"]:
        return mean
    squares = build.unary("square", build.binary("sub", build.input, mean))
    deviation = build.unary("sqrt", build.reduce("mean", squares, (1, 2), keep=False))
    return build.add("Concat", mean, deviation, axis=0)


@built("Pooling", "Reduction")
def pooling(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Over a whole picture."""
    return _pooled(layer, build, shapes, (1, 2))


@built("Pooling1D", "Reduction")
def pooling_1d(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Over a whole sequence."""
    return _pooled(layer, build, shapes, (1,))


@built("Pooling3D", "Reduction")
def pooling_3d(layer: Layer, build: Build, shapes: Shapes) -> Wire | str:
    """Over a whole volume."""
    return _pooled(layer, build, shapes, (1, 2, 3))


def _pooled(layer: Layer, build: Build, shapes: Shapes, axes: tuple[int, ...]) -> Wire | str:
    blob = layer.inputs[0]
    if not layer["global_pooling"]:
        return "it does not pool over the whole input"
    if shapes.rank(blob) != len(axes) + 1:
        return f"{blob.name} may not have {len(axes) + 1} axes"
    kind = "mean" if layer["pooling_type"] == _AVERAGE else "max"
    return build.reduce(kind, build.input, axes, keep=False)


def _normed(layer: Layer, build: Build, axes: tuple[int, ...]) -> Wire:
    centred = build.binary("sub", build.input, build.reduce("mean", build.input, axes))
    variance = build.reduce("mean", build.unary("square", centred), axes)
    found = build.binary("div", centred, build.unary("sqrt", _plus_eps(build, variance)))
    if not layer["affine"]:
        return found
    scaled = build.binary("mul", found, build.constant(floats(layer, "gamma_data")))
    return build.binary("add", scaled, build.constant(floats(layer, "beta_data")))


def _plus_eps(build: Build, wire: Wire) -> Wire:
    return build.binary("add", wire, _number(build.layer, "eps"))


def _number(layer: Layer, name: str) -> float:
    return float(str(layer[name]))


def _no_picture(layer: Layer, shapes: Shapes) -> str | None:
    blob = layer.inputs[0]
    return None if shapes.rank(blob) == _PICTURE else f"{blob.name} may not have {_PICTURE} axes"


EQUIVALENTS = (
    rms_norm,
    instance_norm,
    group_norm,
    mean_variance,
    normalize,
    statistics_pooling,
    pooling,
    pooling_1d,
    pooling_3d,
)
