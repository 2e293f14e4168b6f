"""What cannot be said exactly is left, and the account says so."""

from __future__ import annotations

import pytest

from ncnnparam import dumps, loads
from ncnnparam.errors import ConfigError
from ncnnparam.ops import LayerType, registry
from ncnnparam.ops.versions import target
from ncnnparam.passes import parse_pipeline
from ncnnparam.passes.compat import Lower, LowerActivations
from ncnnparam.passes.compat.types import all_equivalents

from ..optimize.nets import header, model, reasons, run

SHERPA = "sherpa-ncnn-2.1.15"
ROWS = "Input in0 0 1 in0 0=6 1=4"
PICTURE = "Input in0 0 1 in0 0=5 1=4 2=3"
QUERY = "Input in0 0 1 in0 0=4 1=3 2=4\nInput in1 0 1 in1 0=4 1=3 2=2\nInput in2 0 1 in2 0=4 1=3 2=2"
UNKNOWN = "Input in0 0 1 in0"
DEPTHWISE = "ConvolutionDepthWise x 1 1 in0 out0"

DECLINED = [
    (ROWS, "Erf x 1 1 in0 out0", "no Erf: nothing that it has does the same"),
    (ROWS, "CELU x 1 1 in0 out0 0=0.0", "no CELU: what it has instead does not do what these params say"),
    (ROWS, "Shrink x 1 1 in0 out0 0=0.25 1=0.5", "no Shrink: what it has instead"),
    (ROWS, "HardSwish x 1 1 in0 out0 0=-1.0", "no HardSwish: what it has instead"),
    (ROWS, "Log x 1 1 in0 out0 0=1.0", "there is no logarithm to the base 1"),
    (ROWS, "Bias x 1 1 in0 out0 0=4", "in0 may have one channel"),
    (ROWS, "InstanceNorm x 1 1 in0 out0 0=4", "in0 may not have 3 axes"),
    (PICTURE, "GroupNorm x 1 1 in0 out0 0=2 1=4 3=0", "several groups of several channels"),
    (PICTURE, "RMSNorm x 1 1 in0 out0 0=20", "it may be over several axes"),
    (UNKNOWN, "RMSNorm x 1 1 in0 out0 0=20", "in0 has an unknown number of axes"),
    (PICTURE, "Normalize x 1 1 in0 out0 3=1 4=0", "it does nothing"),
    (PICTURE, "Pooling x 1 1 in0 out0 0=1 1=2", "it does not pool over the whole input"),
    (UNKNOWN, "Pooling x 1 1 in0 out0 0=1 4=1", "in0 may not have 3 axes"),
    (UNKNOWN, "Tile x 1 1 in0 out0 0=1 1=2", "in0 may not have an axis 1"),
    (ROWS, "Tile x 1 1 in0 out0 -23302=3,1,1,2", "in0 may have fewer than 3 axes"),
    (ROWS, "Tile x 1 1 in0 out0 0=0 1=2000000000", "2000000000 copies, more than 256"),
    (UNKNOWN, "CumulativeSum x 1 1 in0 out0", "in0 may have more than 2 axes"),
    ("Input in0 0 1 in0 0=2000000000", "CumulativeSum x 1 1 in0 out0", "2000000000 numbers, more than 1024"),
    (QUERY, "SDPA x 3 1 in0 in1 in2 out0", "may have other numbers of heads"),
    (QUERY, "SDPA x 5 3 in0 in1 in1 in2 in2 out0 out1 out2 7=1", "it has a cache"),
    (PICTURE, f"{DEPTHWISE} 0=3 1=1 6=3 7=3 8=1", "no ConvolutionDepthWise: what it has instead"),
    (PICTURE, f"{DEPTHWISE} 0=2048 1=1 6=2048 7=2048 5=0", "4194304 weights"),
]


@pytest.mark.parametrize(("above", "layer", "reason"), DECLINED, ids=lambda value: value[:32])
def test_declines(above: str, layer: str, reason: str) -> None:
    before = model(f"{above}\n{layer}")
    before.graph.split_fanout()
    after, result = run(Lower(SHERPA), before)
    if "4194304" in reason:  # just not too many
        assert not result.declined
        return
    assert reason in reasons(result)
    assert dumps(after) == dumps(before)
    assert not result.modified


BROKEN = [
    ("Tile x 1 1 in0 out0 0=1,1 1=2", "axis"),
    ("Tile x 1 1 in0 out0 2=3", "repeats"),
    ("CumulativeSum x 1 1 in0 out0 0=1,1", "axis"),
    ("Tile x 0 1 out0", "it has 0 inputs instead of 1"),
    (
        "Split x 0 1 out0\nReLU y 0 1 out1\nBinaryOp z 0 1 out2\nConcat c 0 1 out3\nInnerProduct i 0 1 out4",
        "",
    ),
]
"""Layers that ncnn does not load, and what is said of them."""


@pytest.mark.parametrize(("layers", "reason"), BROKEN)
def test_broken_layers_are_left(layers: str, reason: str) -> None:
    before = loads(header(f"{ROWS}\n{layers}"))
    after, result = run(Lower(SHERPA), before)
    assert reason in reasons(result)
    assert dumps(after) == dumps(before)


@pytest.mark.parametrize(
    "layer", ["Scale x 1 1 in0 out0 0=4", "PReLU x 1 1 in0 out0 0=4", DEPTHWISE + " 0=3 1=1 6=3 7=3"]
)
def test_without_its_weights_a_layer_is_left(layer: str) -> None:
    before = loads(header(f"{ROWS}\n{layer}"))
    after, result = run(Lower(SHERPA), before)
    assert "its weights are not loaded" in reasons(result)
    assert dumps(after) == dumps(before)


def test_what_needs_a_newer_runtime_itself_is_left() -> None:
    """BinaryOp did not stretch all axes before 20230816."""
    text = f"{ROWS}\nRMSNorm x 1 1 in0 out0 0=6"
    assert "no RMSNorm: nothing that it has" in reasons(run(Lower("ncnn-20230517"), model(text))[1])
    assert not run(Lower("ncnn-20230816"), model(text))[1].declined


def test_several_layers_with_one_reason_are_one_note() -> None:
    before = model(f"{ROWS}\nErf x 1 1 in0 a\nErf y 1 1 a out0")
    _, result = run(Lower(SHERPA), before)
    assert [note.layers for note in result.declined] == [("x", "y")]


def test_a_type_that_came_later_is_said_to_have() -> None:
    _, result = run(Lower("ncnn-20220729"), model(f"{ROWS}\nErf x 1 1 in0 out0"))
    assert "ncnn has it since 20231027" in reasons(result)


def test_other_faults_of_the_target_are_told_of() -> None:
    before = loads(header('Input in0 0 1 in0 0=6 1=4\nReshape r 1 1 in0 out0 6="0w,0h"'))
    _, result = run(Lower("ncnn-20241226"), before)
    assert "is a string" in reasons(result)


def test_types_of_users_and_of_sherpa_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    text = header(f"{ROWS}\nMyLayer m 1 1 in0 a\nSherpaMetaData meta 0 0\nReLU r 1 1 a out0")
    after, result = run(Lower(SHERPA), loads(text))
    assert reasons(result).startswith(f"m: {SHERPA} has no MyLayer: nor has ncnn")
    assert dumps(after) == text
    registry.register(LayerType("MyLayer", (), custom=True))
    assert not run(Lower(SHERPA), loads(text))[1].declined


def test_an_activation_before_int8_numbers_stays() -> None:
    convolution = "Convolution c 1 1 in0 out0 0=3 1=1 6=9 8=101 9=3 -23310=2,-0.5,0.5"
    _, result = run(LowerActivations(SHERPA), loads(header(f"{PICTURE}\n{convolution}")))
    assert reasons(result) == "c: it gives int8 numbers, and clip comes before that"


def test_an_activation_without_its_numbers_stays() -> None:
    convolution = "Convolution c 1 1 in0 out0 0=3 1=1 6=9 9=3"
    _, result = run(LowerActivations(SHERPA), loads(header(f"{PICTURE}\n{convolution}")))
    assert reasons(result) == "c: its activation_params lack numbers for clip"


def test_no_equivalent_needs_what_the_runtime_lacks() -> None:
    """What sherpa-ncnn has suffices for all types that it lacks and that there are equivalents for."""
    runtime = target(SHERPA)
    for subject, equivalents in all_equivalents().items():
        assert registry.get(subject.partition(".")[0]) is not None
        for one in equivalents:
            types = [need.partition(".")[0] for need in one.needs if "-" not in need]
            assert all(map(runtime.has_type, types)), subject


def test_a_target_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="there is no target 'sherpa'"):
        parse_pipeline("lower{target=sherpa}")


def test_the_newest_sherpa_may_be_called_by_its_name() -> None:
    assert Lower("sherpa-ncnn").target == target(SHERPA)
