"""What is told of shapes is what ncnn finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ncnnparam import Graph, load, loads
from ncnnparam.passes.optimize.shapes import Shapes, Symbol, Unknown
from ncnnparam.runtime import blob_shapes
from ncnnparam.views.shapes import SHAPE_HINTS

from .nets import CASES, header

LINES = """
    Input in0 0 1 in0 0=9 1=8 2=4
    Input any 0 1 any
    Split s 1 6 in0 a b c d e f
    Split t 1 3 any p q r
    Convolution conv 1 1 a a1 0=6 1=3 4=1 5=1 6=216
    Pooling half 1 1 a1 a2 1=2 2=2
    Convolution point 1 1 a2 a3 0=8 1=1 6=48
    Split u 1 2 a3 a4 a5
    Pooling all 1 1 a4 a6 4=1
    Convolution flat 1 1 a6 a7 0=8 1=1 6=64
    HardSigmoid gate 1 1 a7 a8
    BinaryOp gated 2 1 a5 a8 a9 0=2
    Permute turned 1 1 b b1 0=1
    Flatten row 1 1 b1 b2
    InnerProduct fc 1 1 b2 b3 0=5 2=1440
    Reshape matrix 1 1 c c1 0=8 1=-1
    InnerProduct rows 1 1 c1 c2 0=5 2=40
    BinaryOp sum 2 1 b3 c2 c3
    Reduction mean 1 1 d d1 0=3 1=0 -23303=2,1,2 4=0 5=1
    Reduction kept 1 1 e e1 0=3 1=0 -23303=1,-1 4=1 5=1
    Reduction total 1 1 f f1 0=0 1=1 4=1
    Convolution away 1 1 p p1 0=3 1=3 6=108
    Deconvolution up 1 1 p1 p2 0=4 1=2 3=2 6=48
    ReLU relu 1 1 q q1
    BinaryOp scaled 1 1 q1 q2 0=2 1=1 2=0.5
    BinaryOp same 2 1 q2 r q3
    Slice sliced 1 2 q3 q4 q5 -23300=2,-233,-233
    MemoryData data 0 1 m 0=1 1=1 2=4
    BinaryOp product 2 1 q4 q5 q6
    Concat joined 2 1 q6 m q7 0=2
"""


def assert_agrees(graph: Graph, found: Mapping[str, tuple[int, ...]]) -> int:
    """Checks what is told of each blob that ncnn computed; returns of how many anything is told."""
    shapes = Shapes(graph)
    sizes: dict[Symbol, int] = {}
    whole: dict[Unknown, tuple[int, ...]] = {}
    told = 0
    for blob in graph.blobs:
        shape, actual = shapes[blob], found.get(blob.name)
        if actual is None:
            continue
        if isinstance(shape, Unknown):
            assert whole.setdefault(shape, actual) == actual, blob
            continue
        told += 1
        assert len(shape) == len(actual), blob
        for size, true in zip(shape, actual, strict=True):
            assert (sizes.setdefault(size, true) if isinstance(size, Symbol) else size) == true, blob
    return told


def measured(param: Path, inputs: Mapping[str, Sequence[int]]) -> Mapping[str, tuple[int, ...]]:
    outcome = blob_shapes(param, inputs)
    assert outcome.ok, outcome.problem
    return outcome.shapes


def test_rules(tmp_path: Path) -> None:
    param = tmp_path / "net.param"
    param.write_text(header(LINES))
    graph = loads(param.read_text()).graph
    told = assert_agrees(graph, measured(param, {"in0": (4, 8, 9), "any": (4, 6, 7)}))
    shapes = Shapes(graph)
    unknown = {blob.name for blob in graph.blobs if isinstance(shapes[blob], Unknown)}
    assert unknown == {"any", "p", "q", "r", "q1", "q2", "q3", "q4", "q5", "q6", "q7"}
    assert told == len(list(graph.blobs)) - len(unknown)
    assert shapes[graph.blob("any")] is shapes[graph.blob("q3")]
    assert shapes[graph.blob("a9")] == shapes[graph.blob("a5")]
    assert shapes[graph.blob("f1")] == (1, 1, 1)
    assert shapes[graph.blob("q4")] != shapes[graph.blob("q5")]


@pytest.mark.parametrize("case", ["fuse-batchnorm", "fuse-mul", "fuse-memorydata-binaryop"])
def test_cases(case: str) -> None:
    param = CASES / f"{case}.param"
    graph = load(param).graph
    inputs = {"pic": (4, 6, 7), "seq": (4, 9), "vol": (2, 3, 4, 5), "vec": (5,), "in0": (4, 6, 7)}
    known = {blob.name: inputs[blob.name] for blob in graph.inputs}
    assert assert_agrees(graph, measured(param, known)) == len(list(graph.blobs))


REAL = {
    "gh__Tencent+ncnn__benchmark__models__mobilenet_v3": {"data": (3, 64, 96)},
    "gh__Tencent+ncnn__benchmark__models__shufflenet_v2": {"data": (3, 64, 96)},
    "gh__cmdbug+YOLOv5_NCNN__android_YOLOV5_NCNN__app__src__main__assets__ENet_sim-opt": {
        "input": (3, 64, 96)
    },
    "gh__zhangtingfeng-2000+ppocr-ncnn__models__cls__ch_ppocr_mobile_v2.0_cls_infer": {"input": (3, 48, 192)},
}


@pytest.mark.parametrize("name", REAL, ids=lambda name: name.split("__")[-1])
def test_real_models(shared: Path, name: str) -> None:
    """The sizes that the models state are left out: they are run with others."""
    param = shared / "corpus" / f"{name}.param"
    graph = load(param).graph
    for layer in graph:
        layer.params.pop(SHAPE_HINTS, None)
        if layer.type == "Input":
            layer.params.clear()
    assert assert_agrees(graph, measured(param, REAL[name])) > len(graph) // 3
