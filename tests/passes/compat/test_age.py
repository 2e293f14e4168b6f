"""Axes as the first releases counted them."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam import Model, dumps, loads
from ncnnparam.checks import check
from ncnnparam.passes.compat import Lower, RenewAxes

from ..optimize.nets import assert_same_numbers, header, outputs_of, reasons, run

PICTURE = "Input in0 0 1 in0 0=5 1=4 2=3"
NEW, OLD, OLDEST = "latest", "ncnn-20211208", "ncnn-20210525"

SOFTMAX = [
    ("0=6 1=4", "0=1", "0=1 1=1"),  # matrices were counted as today
    ("0=6", "0=1", "0=1 1=1"),
    ("0=5 1=4 2=3", "0=1", "0=2 1=1"),  # height and width of pictures were the other way round
    ("0=5 1=4 2=3", "0=2", "0=1 1=1"),
    ("0=5 1=4 2=3", "0=0", "0=0"),
    ("0=5 1=4 2=3", "0=2 1=1", "0=2 1=1"),
]


@pytest.mark.parametrize(("sizes", "before", "after"), SOFTMAX)
def test_softmax(sizes: str, before: str, after: str) -> None:
    text = header(f"Input in0 0 1 in0 {sizes}\nSoftmax s 1 1 in0 out0 {before}")
    made, result = run(RenewAxes(), loads(text))
    assert dumps(made).split("out0 ")[1].strip() == after
    assert result.modified == (before != after)
    assert not check(made.graph)
    assert not run(RenewAxes(), made)[1].modified


@pytest.mark.parametrize(
    ("sizes", "axis", "reason"),
    [("", 1, "in0 may have 3 axes"), ("0=6 1=4", 2, "has an axis 2"), ("0=5 1=4 2=3", -1, "has an axis -1")],
)
def test_softmax_is_declined(sizes: str, axis: int, reason: str) -> None:
    text = header(f"Input in0 0 1 in0 {sizes}\nSoftmax s 1 1 in0 out0 0={axis}")
    made, result = run(RenewAxes(), loads(text))
    assert reason in reasons(result)
    assert dumps(made) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0=3 1=0 -23303=2,2,3", "0=3 1=0 -23303=2,1,2 5=1"),
        ("0=3 1=0 -23303=1,-1 4=1", "0=3 1=0 -23303=1,-1 4=1 5=1"),
        ("0=3 1=1 -23303=1,1", "0=3 1=1 -23303=1,1 5=1"),  # over all axes, whatever it names
        ("0=3 1=1", "0=3 1=1"),
    ],
)
def test_reduction_of_an_old_file(before: str, after: str) -> None:
    made, result = run(RenewAxes(), loads(header(f"{PICTURE}\nReduction r 1 1 in0 out0 {before}")))
    assert dumps(made).split("out0 ")[1].strip() == after
    assert all("if it was one of ncnn's" in note.message for note in result.changes)
    assert not check(made.graph)


def test_reduction_for_an_old_release_and_back() -> None:
    original = loads(header(f"{PICTURE}\nReduction r 1 1 in0 out0 0=3 1=0 -23303=2,0,-1 4=1 5=1"))
    old = Model(original.graph.copy())
    assert RenewAxes(OLD).run(old).modified  # newer releases refuse it now, and that is right
    assert dict(old.graph.layer("r").params) == {0: 3, 1: 0, 3: (1, -1), 4: 1}
    assert not RenewAxes(OLD).run(old).modified
    back, _ = run(RenewAxes(NEW), old)
    assert dict(back.graph.layer("r").params) == dict(original.graph.layer("r").params)
    assert_same_numbers(original, back)


def test_recounted_axes_are_those_that_were_meant() -> None:
    """Converters of 2018 took width and height for each other, and counted the batch as axis 0."""
    text = header(
        f"{PICTURE}\nSplit s 1 2 in0 a b\nSoftmax x 1 1 a out0 0=1\n"
        "Reduction m 1 1 b out1 0=3 1=0 -23303=2,2,3"
    )
    made, _ = run(RenewAxes(), loads(text))
    picture = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    found = outputs_of(made, {"in0": picture})
    powers = np.exp(picture)
    np.testing.assert_allclose(found["out0"], powers / powers.sum(axis=2, keepdims=True), rtol=1e-4)
    np.testing.assert_allclose(found["out1"], picture.mean(axis=(1, 2)), rtol=1e-4, atol=1e-6)


def test_reduction_of_the_batch_is_declined() -> None:
    text = header(f"{PICTURE}\nReduction r 1 1 in0 out0 1=0 -23303=1,0")
    made, result = run(RenewAxes(), loads(text))
    assert "axis 0 was the batch axis" in reasons(result)
    assert dumps(made) == text


def test_new_layers_are_counted_as_the_target_does_too() -> None:
    rows = "Input in0 0 1 in0 0=5 1=4\nPooling1D p 1 1 in0 out0 0=1 4=1"
    lowered = Model(loads(header(rows)).graph)
    result = Lower(OLDEST).run(lowered)
    assert not result.declined
    assert dict(lowered.graph.layer("p").params) == {0: 3, 1: 0, 3: (2,), 4: 0}
