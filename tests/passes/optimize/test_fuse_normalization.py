"""BatchNorm, Scale and Dropout."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, assert_same_numbers, model, reasons, run


@pytest.mark.parametrize("name", ["fuse-batchnorm-scale", "fuse-batchnorm", "fuse-scale", "fuse-dropout"])
def test_golden(name: str) -> None:
    (one,) = parse_pipeline(name)
    result = assert_golden(one, name)
    assert not result.declined


@pytest.mark.parametrize(
    ("name", "follower", "reason"),
    [
        (
            "fuse-batchnorm-scale",
            "BatchNorm a 1 1 in0 b 0=3\nScale s 1 1 b out0 0=2",
            "a has 3 channels, s has 2",
        ),
        (
            "fuse-batchnorm",
            "InnerProduct a 1 1 in0 b 0=3 2=9\nBatchNorm n 1 1 b out0 0=2",
            "n has 2 channels, a gives 3",
        ),
        (
            "fuse-scale",
            "InnerProduct a 1 1 in0 b 0=3 2=9\nScale n 1 1 b out0 0=2",
            "n has 2 channels, a gives 3",
        ),
        (
            "fuse-batchnorm",
            "InnerProduct a 1 1 in0 b 0=3 2=9\nBatchNorm n 1 1 b out0 0=3",
            "n normalises its rows",
        ),
        ("fuse-scale", "InnerProduct a 1 1 in0 b 0=3 2=9\nScale n 1 1 b out0 0=3", "n scales its rows"),
    ],
)
def test_declines(name: str, follower: str, reason: str) -> None:
    _, result = run(parse_pipeline(name)[0], model(f"Input in0 0 1 in0 0=3 1=3\n{follower}"))
    assert not result.modified
    assert reason in reasons(result)


def test_without_weights_a_batchnorm_keeps_its_scale() -> None:
    before = model("Input in0 0 1 in0 0=3\nBatchNorm a 1 1 in0 b 0=3\nScale s 1 1 b out0 0=3")
    del before.graph.layer("s").weights["scale_data"]
    _, result = run(parse_pipeline("fuse-batchnorm-scale")[0], before)
    assert not result.modified
    assert "the weights of s are not loaded" in reasons(result)


def test_a_deviation_of_zero_is_what_ncnn_takes_it_for() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        InnerProduct fc 1 1 in0 a 0=2 2=6
        BatchNorm norm 1 1 a out0 0=2
    """)
    before.graph.layer("norm").weights["var_data"] = [0, 1]
    after, result = run(parse_pipeline("fuse-batchnorm")[0], before)
    assert result.modified
    assert_same_numbers(before, after)


def test_a_dropout_that_changes_nothing_goes_without_weights() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        InnerProduct fc 1 1 in0 a 0=2 2=6 9=1
        Dropout drop 1 1 a out0
    """)
    del before.graph.layer("fc").weights["weight_data"]
    after, result = run(parse_pipeline("fuse-dropout")[0], before)
    assert result.modified
    assert [layer.name for layer in after.graph] == ["in0", "fc"]


def test_numbers_are_rounded_once() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        InnerProduct fc 1 1 in0 a 0=2 1=1 2=6
        BatchNorm norm 1 1 a out0 0=2 1=1e-3
    """)
    after, _ = run(parse_pipeline("fuse-batchnorm")[0], before)
    fc, norm = (before.graph.layer(name).weights for name in ("fc", "norm"))
    get = {name: norm[name].numpy(np.float64) for name in norm}
    factor = get["slope_data"] / np.sqrt(get["var_data"] + float(np.float64(1e-3)))
    weight = (fc["weight_data"].numpy(np.float64) * factor[:, None]).astype(np.float32)
    assert np.array_equal(after.graph.layer("fc").weights["weight_data"].numpy(), weight)
