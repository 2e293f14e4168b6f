"""Do two models compute the same? Both are run on the same random inputs, and all outputs compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import NcnnParamError
from ncnnparam.graph import INPUT
from ncnnparam.model import Model, save
from ncnnparam.ops import registry
from ncnnparam.runtime.net import run_net
from ncnnparam.views.shapes import shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph

TOLERANCE = 1e-4
"""How far an output may be off, relative to the largest number in it."""


@dataclass(frozen=True)
class Difference:
    """How far an output of two models is apart.

    Attributes:
        blob: Name of the output.
        error: Largest absolute difference; infinity where shapes differ or only one is a number.
        scale: Largest absolute number in the output of the first model.
        shapes: Shapes in the first and the second model.
    """

    blob: str
    error: float
    scale: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    def is_within(self, tolerance: float) -> bool:
        """Whether the error is at most ``tolerance`` times the scale (or times 1, if that is more)."""
        return self.error <= tolerance * max(self.scale, 1.0)


def random_inputs(
    graph: Graph, shapes: Mapping[str, Sequence[int]] | None = None, *, seed: int = 0
) -> dict[str, NDArray[Any]]:
    """Random numbers for every input of a graph.

    Args:
        graph: The graph.
        shapes: By blob name, sizes as numpy orders them, the width last; where one is not given, what the
            graph states about it is taken.
        seed: Of the random numbers, which are normal; an Embed layer gets ints that it knows.

    Raises:
        NcnnParamError: The shape of an input is not known.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    given = dict(shapes or {})
    found: dict[str, NDArray[Any]] = {}
    for layer in graph.find(INPUT):
        for blob in layer.outputs:
            sizes = given.get(blob.name) or tuple(reversed(shape(blob) or ()))
            if not sizes:
                hint = f"say it: {blob.name}=C,H,W"
                raise NcnnParamError(f"the shape of the input '{blob.name}' is not known", hint=hint)
            words = [use.layer for use in blob.readers if use.layer.type == "Embed"]
            if words:
                count = words[0]["input_dim"]
                assert isinstance(count, int)
                found[blob.name] = random.integers(0, max(count, 1), sizes).astype(np.int32)
            else:
                found[blob.name] = random.normal(size=sizes).astype(np.float32)
    return found


def compare_models(
    first: Model, second: Model, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None
) -> list[Difference]:
    """Runs two models on the real ncnn, in child processes, and compares their outputs.

    Args:
        first: A model with its weights.
        second: Another one with the same inputs.
        inputs: What to feed, by blob name.
        outputs: Names of the blobs to compare; by default what nobody reads in the first model.

    Raises:
        NcnnParamError: One of them cannot be run, or ncnn is not installed.
    """
    import numpy as np

    names = list(outputs) if outputs is not None else [blob.name for blob in first.graph.outputs]
    one, two = (_run(model, inputs, names) for model in (first, second))
    found = []
    for name in names:
        a, b = one[name].astype(np.float64), two[name].astype(np.float64)
        if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
            error = float("inf")
        else:
            with np.errstate(invalid="ignore"):  # infinity minus itself
                error = float(np.nan_to_num(np.abs(a - b)).max(initial=0))
        scale = float(np.abs(a[np.isfinite(a)]).max(initial=0))
        found.append(Difference(name, error, scale, (a.shape, b.shape)))
    return found


def same_numbers(
    shapes: Mapping[str, Sequence[int]] | None = None, *, tolerance: float = TOLERANCE, seed: int = 0
) -> Callable[[Model, Model], str | None]:
    """A verifier for ``PassManager``: do the outputs keep their numbers, on random inputs?

    Args:
        shapes: Shapes of the inputs, see ``random_inputs``.
        tolerance: See ``TOLERANCE``.
        seed: Of the random numbers.
    """

    def verify(before: Model, after: Model) -> str | None:
        inputs = random_inputs(before.graph, shapes, seed=seed)
        for difference in compare_models(before, after, inputs):
            one, two = difference.shapes
            if one != two:
                return f"the output '{difference.blob}' has the shape {two}, it had {one}"
            if not difference.is_within(tolerance):
                return f"the output '{difference.blob}' is off by up to {difference.error:.3g}"
        return None

    return verify


def _run(model: Model, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
    types = {layer.type for layer in model.graph}
    known = {name: registry.get(name) for name in types}
    custom = [name for name, layer_type in known.items() if layer_type is not None and layer_type.custom]
    with tempfile.TemporaryDirectory(prefix="ncnnparam-") as folder:
        param, weights = Path(folder, "m.param"), Path(folder, "m.bin")
        save(model, param, weights)
        outcome = run_net(param, weights, inputs, outputs, custom_types=custom)
    if not outcome.ok:
        said = "; ".join(outcome.messages[-3:])
        raise NcnnParamError(f"the model cannot be run: {outcome.problem}", hint=said or None)
    return outcome.outputs
