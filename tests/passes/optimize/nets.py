"""Small models with weights, and questions about them, for the tests of the passes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncnnparam import Model, dumps, loads, save
from ncnnparam.passes import Pass, PassManager, PassResult
from ncnnparam.runtime.compare import TOLERANCE, compare_models, random_inputs
from ncnnparam.runtime.net import run_net
from ncnnparam.weights import Storage, wanted

CASES = Path(__file__).parent / "cases"
"""Folders of models before and after a pass: ``NAME.param`` and ``NAME.after.param``."""


def model(text: str, seed: int = 0) -> Model:
    """A model of these layers, each array of random numbers of moderate size.

    Args:
        text: Layer lines; the magic and the counts come by themselves.
        seed: Of the random numbers.
    """
    made = loads(header(text))
    fill(made, seed)
    return made


def fill(made: Model, seed: int = 0) -> None:
    """Gives every layer the arrays that it wants."""
    random = np.random.default_rng(seed)
    for layer in made.graph:
        for array in wanted(layer):
            if "int8_scale" in array.name:
                numbers = random.uniform(20, 40, array.shape)
            elif array.count == 1:
                numbers = np.full(array.shape, 0.75)  # a pass may write it into a param
            elif "var" in array.name:
                numbers = random.uniform(0.5, 1.5, array.shape)
            elif len(array.shape) > 1 and array.name.startswith("weight"):
                numbers = random.normal(size=array.shape) / sqrt(array.count / array.shape[0])
            else:
                numbers = random.normal(size=array.shape)
            layer.weights.put(array.name, numbers.astype(np.float32))


def header(text: str) -> str:
    """Layer lines as a whole file."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    graph = loads("\n".join(["7767517", f"{len(lines)} 0", *lines, ""])).graph
    return "\n".join(["7767517", f"{graph.layer_count} {graph.blob_count}", *lines, ""])


def run(one: Pass, before: Model) -> tuple[Model, PassResult]:
    """A pass on a copy of a model: the model after it, which has no new faults, and the account."""
    report = PassManager([one], verify=True)(before)
    return report.model, report.steps[0].result


def store(made: Model, layer: str, storage: Storage, array: str = "weight_data") -> None:
    """Gives an array another storage."""
    weights = made.graph.layer(layer).weights
    weights.put(array, weights[array].numpy(np.float32), storage)


def reasons(result: PassResult) -> str:
    """What was declined, a place a line."""
    return "\n".join(map(str, result.declined))


def assert_same_numbers(
    before: Model,
    after: Model,
    shapes: Mapping[str, Sequence[int]] | None = None,
    tolerance: float = TOLERANCE,
    outputs: Sequence[str] | None = None,
) -> None:
    """Both models give the same outputs, in shape and in numbers, on the real ncnn."""
    for difference in compare_models(before, after, random_inputs(before.graph, shapes), outputs):
        assert difference.is_within(tolerance), difference


def outputs_of(made: Model, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """What a model gives on the real ncnn."""
    names = [blob.name for blob in made.graph.outputs]
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder, "m.param"), Path(folder, "m.bin")
        save(made, param, weights)
        outcome = run_net(param, weights, inputs, names)
    assert outcome.ok, outcome
    return outcome.outputs


def assert_golden(
    one: Pass,
    case: str,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    outputs: Sequence[str] | None = None,
) -> PassResult:
    """A pass makes of a case what stands beside it, with the same numbers; then it does nothing more."""
    path = CASES / f"{case}.param"
    before = model(path.read_text().partition("\n")[2].partition("\n")[2])
    after, result = run(one, before)
    assert dumps(after) == path.with_suffix(".after.param").read_text()
    assert_same_numbers(before, after, shapes, outputs=outputs)
    again, second = run(one, after)
    assert not second.modified
    assert dumps(again) == dumps(after)
    return result
