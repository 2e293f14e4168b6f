"""What holds for all passes that change the weights of a convolution or InnerProduct."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam import dumps, loads
from ncnnparam.passes import PassManager, parse_pipeline
from ncnnparam.weights import Storage

from .nets import assert_same_numbers, header, model, reasons, run, store

FOLLOWERS = {
    "fuse-batchnorm": "BatchNorm last 1 1 y out0 0=4",
    "fuse-scale": "Scale last 1 1 y out0 0=4 1=1",
    "fuse-dropout": "Dropout last 1 1 y out0 0=0.5",
    "fuse-mul": "MemoryData data 0 1 m 0=4\nBinaryOp last 2 1 y m out0 0=2",
    "fuse-add": "MemoryData data 0 1 m 0=4\nBinaryOp last 2 1 y m out0 0=0",
}
FUSES = pytest.mark.parametrize("name", FOLLOWERS)


def net(name: str, params: str = "0=4 1=3 5=1 6=108", *, reader: str = "") -> str:
    return f"""
        Input in0 0 1 in0 0=8 1=7 2=3
        Convolution conv 1 1 in0 y {params}
        {FOLLOWERS[name]}
        {reader}
    """


def assert_declines(name: str, text: str, reason: str) -> None:
    before = model(text)
    (one,) = parse_pipeline(name)
    after, result = run(one, before)
    assert not result.modified
    assert dumps(after) == dumps(before)
    assert reason in reasons(result)


@FUSES
def test_int8_is_left_alone(name: str) -> None:
    assert_declines(name, net(name, "0=4 1=3 5=1 6=108 8=2"), "conv computes in int8")


@FUSES
def test_an_activation_stays_between(name: str) -> None:
    assert_declines(name, net(name, "0=4 1=3 5=1 6=108 9=1"), "conv applies an activation already")


@FUSES
def test_another_reader_keeps_the_layers_apart(name: str) -> None:
    text = net(name).replace(" y out0", " y0 out0").replace("in0 y ", "in0 y ")
    text = text.replace(" y out0", " y0 out0").replace("last 2 1 y m", "last 2 1 y0 m")
    lines = text.strip().splitlines()
    lines.insert(2, "Split split 1 2 y y0 y1")
    assert_declines(name, "\n".join([*lines, "ReLU other 1 1 y1 out1"]), "blob y is read by other too")


@FUSES
def test_without_weights_nothing_changes(name: str) -> None:
    before = loads(header(net(name)))
    (one,) = parse_pipeline(name)
    _, result = run(one, before)
    assert not result.modified
    assert "of conv are not loaded" in reasons(result)


@FUSES
def test_int8_numbers_are_no_weights(name: str) -> None:
    before = model(net(name))
    before.graph.layer("conv").weights.put("weight_data", np.ones(108, np.int8), Storage.INT8)
    (one,) = parse_pipeline(name)
    _, result = run(one, before)
    assert not result.modified
    assert "weight_data of conv is stored as int8" in reasons(result)


@FUSES
@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.BFLOAT16])
def test_storage_is_kept(name: str, storage: Storage) -> None:
    before = model(net(name))
    store(before, "conv", storage)
    (one,) = parse_pipeline(name)
    after, result = run(one, before)
    assert result.modified
    assert after.graph.layer("conv").weights["weight_data"].storage is storage
    # a weight is rounded again
    assert_same_numbers(before, after, tolerance=2e-3 if storage is Storage.FLOAT16 else 2e-2)


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_what_float16_cannot_hold_is_declined(factor: float) -> None:
    before = model(net("fuse-mul"))
    store(before, "conv", Storage.FLOAT16)
    before.graph.layer("data").weights["data"] = np.full(4, factor)
    (one,) = parse_pipeline("fuse-mul")
    _, result = run(one, before)
    assert not result.modified
    assert "fp16 cannot hold the new weights of conv" in reasons(result)


def test_outputs_that_are_always_zero_fit_into_float16() -> None:
    before = model(net("fuse-mul"))
    store(before, "conv", Storage.FLOAT16)
    before.graph.layer("data").weights["data"] = [0, 1, 2, 0]
    after, result = run(parse_pipeline("fuse-mul")[0], before)
    assert result.modified
    assert_same_numbers(before, after)


@pytest.mark.parametrize(
    ("name", "array"), [("fuse-batchnorm", "var_data"), ("fuse-scale", "scale_data"), ("fuse-mul", "data")]
)
def test_what_is_no_number_is_declined(name: str, array: str) -> None:
    before = model(net(name))
    layer = "data" if name == "fuse-mul" else "last"
    before.graph.layer(layer).weights[array] = [1, 1, -5, np.nan]
    _, result = run(parse_pipeline(name)[0], before)
    assert not result.modified
    assert "has numbers that are infinite or none" in reasons(result)


def test_a_bias_is_made_only_for_something_to_add() -> None:
    multiplied, _ = run(parse_pipeline("fuse-mul")[0], model(net("fuse-mul", "0=4 1=3 6=108")))
    assert "bias_data" not in multiplied.graph.layer("conv").weights
    added, _ = run(parse_pipeline("fuse-add")[0], model(net("fuse-add", "0=4 1=3 6=108")))
    conv, data = added.graph.layer("conv"), model(net("fuse-add", "0=4 1=3 6=108")).graph.layer("data")
    assert conv["bias_term"] == 1
    assert np.array_equal(conv.weights["bias_data"].numpy(), data.weights["data"].numpy())


def test_weights_that_do_not_change_stay_where_they_are() -> None:
    before = model(net("fuse-add"))
    after, _ = run(parse_pipeline("fuse-add")[0], before)
    one, two = (made.graph.layer("conv").weights["weight_data"] for made in (before, after))
    assert one.content is two.content


def test_one_after_the_other() -> None:
    """Each pass leaves a layer that the next one can change further."""
    text = """
        Input in0 0 1 in0 0=8 1=7 2=3
        Convolution conv 1 1 in0 a 0=4 1=3 6=108
        BatchNorm norm 1 1 a b 0=4
        Scale scale 1 1 b c 0=4 1=1
        BatchNorm again 1 1 c d 0=4
        MemoryData half 0 1 h 0=1
        BinaryOp mul 2 1 h d e 0=2
        MemoryData shift 0 1 s 0=1 1=1 2=4
        BinaryOp add 2 1 e s f 0=0
        Dropout drop 1 1 f g 0=0.5
        HardSwish act 1 1 g out0
    """
    before = model(text)
    after = PassManager(parse_pipeline("fuse-*"), verify=True)(before).model
    assert [layer.type for layer in after.graph] == ["Input", "Convolution"]
    assert_same_numbers(before, after)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ("0=4 1=3 6=-5", "weight_data would have -5 elements"),
        ("0=4 1=3 19=1", "conv has no weights of its own"),
    ],
)
def test_broken_layers_are_left_alone(params: str, reason: str) -> None:
    before = loads(header(net("fuse-dropout", params)))
    _, result = run(parse_pipeline("fuse-dropout")[0], before)
    assert not result.modified
    assert reason in reasons(result)


@pytest.mark.parametrize("follower", ["BatchNorm", "Scale"])
def test_what_may_be_a_matrix_is_left_alone(follower: str) -> None:
    before = model(f"""
        Input in0 0 1 in0 0=3
        Reshape r 1 1 in0 a 0=-1 1=3
        InnerProduct fc 1 1 a b 0=3 2=3
        {follower} last 1 1 b out0 0=3
    """)
    _, result = run(parse_pipeline(f"fuse-{follower.lower()}")[0], before)
    assert not result.modified
    assert "fc gives a matrix" in reasons(result)
