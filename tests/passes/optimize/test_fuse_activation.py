"""Activations."""

from __future__ import annotations

import pytest

from ncnnparam import dumps, loads
from ncnnparam.passes import parse_pipeline

from .nets import assert_golden, assert_same_numbers, header, model, reasons, run


def test_golden() -> None:
    (one,) = parse_pipeline("fuse-activation")
    result = assert_golden(one, "fuse-activation")
    assert not result.declined


def test_all_of_them_on_all_types() -> None:
    """Seven rounds over the types of the golden net, each with another activation."""
    from .nets import CASES

    lines = (CASES / "fuse-activation.after.param").read_text().splitlines()[2:]
    acts = [
        "ReLU",
        "ReLU 0=0.3",
        "Clip 0=-0.1 1=0.4",
        "Sigmoid",
        "Mish",
        "HardSwish 0=0.2",
        "HardSwish 1=0.4",
    ]
    text = []
    for turn, act in enumerate(acts):
        type, _, params = act.partition(" ")
        for line in lines:
            kind, name, ins, outs, *blobs = line.partition(" 9=")[0].split()
            if kind == "Input":
                text += [line] if turn == 0 else []
                continue
            above = blobs[0] if blobs[0] in ("pic", "seq", "vol", "vec") else f"{blobs[0]}{turn}"
            text += [f"{kind} {name}{turn} {ins} {outs} {above} {name}_y{turn} {' '.join(blobs[2:])}"]
            text += [f"{type} {name}_act{turn} 1 1 {name}_y{turn} {blobs[1]}{turn} {params}"]
    graph = loads(header("\n".join(text))).graph
    graph.split_fanout()
    before = model("\n".join(dumps(graph).splitlines()[2:]))
    after, result = run(parse_pipeline("fuse-activation")[0], before)
    assert len(result.changes) == 7 * 14
    assert_same_numbers(before, after)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ("8=1 9=0", ""),
        ("9=3 -23310=2,0.0,1.0", "applies an activation already"),
        ("8=102", "gives int8 numbers"),
    ],
)
def test_declines(params: str, reason: str) -> None:
    before = loads(
        header(f"""
        Input in0 0 1 in0 0=8 1=7 2=3
        Convolution conv 1 1 in0 y 0=4 1=3 5=1 6=108 {params}
        ReLU relu 1 1 y out0
    """)
    )
    _, result = run(parse_pipeline("fuse-activation")[0], before)
    assert result.modified is not bool(reason)
    assert reason in reasons(result)


def test_int8_keeps_its_numbers() -> None:
    before = model("""
        Input in0 0 1 in0 0=8 1=7 2=3
        Convolution conv 1 1 in0 y 0=4 1=3 5=1 6=108 8=2
        ReLU relu 1 1 y z 0=0.1
        InnerProduct fc 1 1 z f 0=5 1=1 2=600 8=1
        Sigmoid act 1 1 f out0
    """)
    after, result = run(parse_pipeline("fuse-activation")[0], before)
    assert len(result.changes) == 2
    assert_same_numbers(before, after)


def test_weights_that_are_an_input() -> None:
    before = model("""
        Input in0 0 1 in0 0=8 1=7 2=3
        MemoryData w 0 1 w 0=3 1=3 11=3 2=4
        Convolution conv 2 1 in0 w y 0=4 1=3 6=0 19=1
        Mish mish 1 1 y out0
    """)
    after, result = run(parse_pipeline("fuse-activation")[0], before)
    assert result.modified
    assert_same_numbers(before, after)


def test_only_the_first_of_two() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        InnerProduct fc 1 1 in0 y 0=4 1=1 2=12
        ReLU relu 1 1 y z
        Sigmoid act 1 1 z out0
    """)
    after, result = run(parse_pipeline("fuse-activation")[0], before)
    assert [layer.name for layer in after.graph] == ["in0", "fc", "act"]
    assert "fc applies an activation already" in reasons(result)


def test_params_of_the_wrong_kind_count_as_for_ncnn() -> None:
    before = model("""
        Input in0 0 1 in0 0=3
        InnerProduct fc 1 1 in0 y 0=4 1=1 2=12
        Clip clip 1 1 y out0 0=0.1 1=inf
    """)
    after, result = run(parse_pipeline("fuse-activation")[0], before)
    assert result.modified
    assert after.graph.layer("fc")["activation_params"] == pytest.approx((0.1, 3.4028235e38))
    assert_same_numbers(before, after)
