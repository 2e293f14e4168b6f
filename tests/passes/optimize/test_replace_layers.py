"""Layers that another type does the work of."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam import dumps, loads
from ncnnparam.passes import parse_pipeline
from ncnnparam.weights import Storage

from .nets import assert_golden, assert_same_numbers, header, model, reasons, run, store

POOLED = "Input in0 0 1 in0 0=6 1=5 2=4\nPooling pool 1 1 in0 a 0=1 4=1\n"


@pytest.mark.parametrize(
    "name",
    [
        "replace-reduction-with-global-pooling",
        "replace-prelu-with-relu",
        "replace-convolution-with-innerproduct",
    ],
)
def test_golden(name: str) -> None:
    (one,) = parse_pipeline(name)
    result = assert_golden(one, name)
    assert result.changes


@pytest.mark.parametrize("shape", ["0=6 1=5", "0=6 1=5 11=3 2=4", ""])
def test_means_of_what_is_no_picture_stay(shape: str) -> None:
    before = model(f"Input in0 0 1 in0 {shape}\nReduction mean 1 1 in0 out0 0=3 1=0 -23303=2,-2,-1 5=1")
    _, result = run(parse_pipeline("replace-reduction-with-global-pooling")[0], before)
    assert not result.modified
    assert "not 3" in reasons(result)


@pytest.mark.parametrize(
    "last",
    [
        "0=3 1=0 -23303=1,0 5=1",
        "0=3 1=0 2=2.0 -23303=1,1 5=1",
        "0=0 1=0 -23303=1,1 5=1",
        "0=3 1=0 -23303=1,1 4=1 5=1",
    ],
)
def test_other_pairs_of_reductions_stay(last: str) -> None:
    before = model(
        "Input in0 0 1 in0 0=6 1=5 2=4\nReduction w 1 1 in0 a 0=3 1=0 -23303=1,2 5=1\n"
        f"Reduction h 1 1 a out0 {last}"
    )
    assert not run(parse_pipeline("replace-reduction-with-global-pooling")[0], before)[1].modified


def test_an_axis_that_there_is_not_is_told_of() -> None:
    before = model(
        "Input in0 0 1 in0 0=6 1=5 2=4\nReduction w 1 1 in0 a 0=3 1=0 -23303=1,2 5=1\n"
        "Reduction h 1 1 a out0 0=3 1=0 -23303=1,2 5=1"
    )
    after, result = run(parse_pipeline("replace-reduction-with-global-pooling")[0], before)
    assert not result.modified
    assert reasons(result) == "w, h: h is over axis 2, and w leaves the axes 0 and 1"
    assert_same_numbers(before, after)


def test_a_prelu_needs_its_slope() -> None:
    (one,) = parse_pipeline("replace-prelu-with-relu")
    text = "Input in0 0 1 in0 0=6\nPReLU p 1 1 in0 out0 0=1"
    _, result = run(one, loads(header(text)))
    assert reasons(result) == "p: the weights of p are not loaded"
    before = model(text)
    before.graph.layer("p").weights["slope_data"] = np.array([np.inf], np.float32)
    _, result = run(one, before)
    assert reasons(result) == "p: the slope of p is infinite or no number"


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
def test_a_convolution_keeps_its_storage(storage: Storage) -> None:
    before = model(f"{POOLED}Convolution conv 1 1 a out0 0=3 1=1 5=1 6=12")
    store(before, "conv", storage)
    after, _ = run(parse_pipeline("replace-convolution-with-innerproduct")[0], before)
    weight = after.graph.layer("conv").weights["weight_data"]
    assert (weight.storage, weight.shape) == (storage, (3, 4))
    assert bytes(weight.raw) == bytes(before.graph.layer("conv").weights["weight_data"].raw)
    assert_same_numbers(before, after)


def test_a_convolution_without_its_weights_is_replaced() -> None:
    """The arrays in the file are the same for both types."""
    before = loads(header(f"{POOLED}Convolution conv 1 1 a out0 0=3 1=1 5=1 6=12"))
    after, _ = run(parse_pipeline("replace-convolution-with-innerproduct")[0], before)
    assert after.graph.layer("conv").type == "InnerProduct"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{POOLED}Convolution c 1 1 a out0 0=3 1=1 6=12 8=2", "c computes in int8"),
        (f"{POOLED}Convolution c 1 1 a out0 0=3 1=1 6=15", "a has 4 numbers, and the weights are for 5"),
        ("Input in0 0 1 in0\nConvolution c 1 1 in0 out0 0=3 1=1 6=12", "in0 may have more than one axis"),
        (
            "Input in0 0 1 in0 0=4 1=3\nInnerProduct f 1 1 in0 a 0=1 2=4\n"
            "Convolution c 1 1 a out0 0=2 1=1 6=2",
            "a may have more than one axis",
        ),
    ],
)
def test_convolutions_that_stay(text: str, reason: str) -> None:
    _, result = run(parse_pipeline("replace-convolution-with-innerproduct")[0], model(text))
    assert not result.modified
    assert reason in reasons(result)


def test_a_number_of_outputs_that_is_none() -> None:
    text = "Input in0 0 1 in0 0=4\nConvolution c 1 1 in0 out0 0=1.5 1=1 6=8"
    after, result = run(parse_pipeline("replace-convolution-with-innerproduct")[0], loads(header(text)))
    assert reasons(result) == "c: c has sizes that are no whole numbers"
    assert dumps(after) == header(text)


def test_convolutions_with_a_window_stay() -> None:
    before = model(f"{POOLED}Convolution c 1 1 a out0 0=3 1=3 4=1 6=27")
    assert not run(parse_pipeline("replace-convolution-with-innerproduct")[0], before)[1].modified
