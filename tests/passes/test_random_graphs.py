"""The default pipeline on random models: the same outputs on the real ncnn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings

from ncnnparam import Model, dumps
from ncnnparam.passes import PassManager, parse_pipeline

from .net_server import NetServer
from .random_graphs import Shape, models

pytest.importorskip("ncnn")

TOLERANCE = 1e-4
"""Of the largest number of an output, or of 1."""
quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]


@pytest.fixture(scope="module")
def server() -> Iterator[NetServer]:
    with NetServer() as started:
        yield started


DEFAULT = PassManager(parse_pipeline("optimize"), verify=True, until_stable=True)
FOLDING = PassManager(parse_pipeline("fold-constants,optimize"), verify=True, until_stable=True)


def _check(server: NetServer, before: Model, shapes: dict[str, Shape], pipeline: PassManager) -> None:
    note(dumps(before))
    constants = {blob.name for layer in before.graph.find("MemoryData") for blob in layer.outputs}
    outputs = [blob.name for blob in before.graph.outputs if blob.name not in {*constants, *shapes}]
    assume(outputs)
    random = np.random.default_rng(0)
    inputs = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    expected = server.run(before, inputs, outputs)
    assert expected is not None, "the model itself does not run"
    report = pipeline(before)
    note("\n".join(f"{step.name}: {change}" for step in report.steps for change in step.result.changes))
    note(dumps(report.model))
    found = server.run(report.model, inputs, outputs)
    assert found is not None, "the model does not run any more"
    for name in outputs:
        assert found[name].shape == expected[name].shape, name
        scale = max(1.0, float(np.abs(expected[name]).max()))
        assert np.abs(found[name] - expected[name]).max() <= TOLERANCE * scale, name


@settings(max_examples=60, derandomize=True, suppress_health_check=quiet)
@given(made=models())
def test_outputs_stay(server: NetServer, made: tuple[Model, dict[str, Shape]]) -> None:
    _check(server, *made, DEFAULT)


@pytest.mark.nightly
@settings(max_examples=5000, suppress_health_check=quiet)
@given(made=models())
def test_outputs_of_many_stay(server: NetServer, made: tuple[Model, dict[str, Shape]]) -> None:
    _check(server, *made, DEFAULT)


@settings(max_examples=5, derandomize=True, suppress_health_check=quiet)
@given(made=models())
def test_constants_are_folded_too(server: NetServer, made: tuple[Model, dict[str, Shape]]) -> None:
    _check(server, *made, FOLDING)
