"""Layers that compute the same."""

from __future__ import annotations

import pytest

from ncnnparam import Model, dumps, loads
from ncnnparam.passes import parse_pipeline
from ncnnparam.weights import Storage

from .nets import CASES, assert_same_numbers, header, model, reasons, run, store

TWICE = """
Input in0 0 1 in0 0=6 1=5 2=4
Split s 1 2 in0 a b
{} x 1 1 a c {}
{} y 1 1 b d {}
BinaryOp z 2 1 c d out0
"""


def _alike(made: Model, first: str, second: str) -> None:
    """Gives a layer the weights of another one."""
    graph = made.graph
    for name, weight in graph.layer(first).weights.items():
        graph.layer(second).weights[name] = weight.numpy()


def _twice(type: str, params: str, other: str | None = None) -> str:
    return TWICE.format(type, params, type, params if other is None else other)


def test_golden() -> None:
    path = CASES / "eliminate-duplicates.param"
    before = model("\n".join(path.read_text().splitlines()[2:]))
    _alike(before, "m0", "m1")
    _alike(before, "fc0", "fc1")
    (one,) = parse_pipeline("eliminate-duplicates")
    after, result = run(one, before)
    assert dumps(after) == path.with_suffix(".after.param").read_text()
    assert [note.layers[0] for note in result.changes] == ["m1", "add1", "act1", "fc1"]
    assert_same_numbers(before, after)
    again, second = run(one, after)
    assert not second.modified
    assert dumps(again) == dumps(after)


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [
        ("ReLU", "0=0.1", "0=0.2"),
        ("ReLU", "", "0=0.2"),
        ("InnerProduct", "0=2 2=240", "0=2 2=240"),  # with other weights
        ("Permute", "0=1", "0=2"),
    ],
)
def test_what_differs_stays(type: str, one: str, other: str) -> None:
    _, result = run(parse_pipeline("eliminate-duplicates")[0], model(_twice(type, one, other)))
    assert not result.modified
    assert not result.declined


def test_spelling_and_hints_are_no_difference() -> None:
    before = model(_twice("ReLU", "0=0.1 -23330=4,3,6,5,4", "0=1.0e-1"))
    after, _ = run(parse_pipeline("eliminate-duplicates")[0], before)
    assert [layer.name for layer in after.graph.find("ReLU")] == ["x"]


def test_another_storage_is_a_difference() -> None:
    before = model(_twice("InnerProduct", "0=2 2=240"))
    _alike(before, "x", "y")
    store(before, "y", Storage.FLOAT16)
    assert not run(parse_pipeline("eliminate-duplicates")[0], before)[1].modified


def test_weights_that_are_not_there_cannot_be_compared() -> None:
    before = loads(header(_twice("InnerProduct", "0=2 2=240")))
    _, result = run(parse_pipeline("eliminate-duplicates")[0], before)
    assert not result.modified
    assert reasons(result) == "x, y: the weights of y are not loaded"


@pytest.mark.parametrize("type", ["PoolingModuleNoProj", "NoSuchType"])
def test_types_of_others_stay(type: str) -> None:
    before = loads(header(_twice(type, "")))
    assert not run(parse_pipeline("eliminate-duplicates")[0], before)[1].modified


def test_outputs_of_the_network_stay_two() -> None:
    (one,) = parse_pipeline("eliminate-duplicates")
    before = model("Input in0 0 1 in0 0=6\nSplit s 1 2 in0 a b\nReLU x 1 1 a out0\nReLU y 1 1 b out1")
    after, result = run(one, before)
    assert not result.modified
    assert "would be one blob" in reasons(result)
    before = model(
        "Input in0 0 1 in0 0=6\nSplit s 1 2 in0 a b\nReLU x 1 1 a c\nReLU y 1 1 b out1\nTanH z 1 1 c out0"
    )
    after, result = run(one, before)
    assert result.modified
    assert {blob.name for blob in after.graph.outputs} == {"out0", "out1"}
    assert_same_numbers(before, after)
