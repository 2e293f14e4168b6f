"""Parameters, bytes, multiply-accumulates and activations of whole models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.runtime import blob_shapes
from ncnnparam.stats import Tally, measure, stated_shapes
from ncnnparam.weights import Storage

from ..weights.pairs import corpus, demo

NET = """7767517
6 7
Input in0 0 1 in0 0=5 1=4
Split sp 1 2 in0 a b
InnerProduct fc 1 1 a c 0=3 1=1 2=15 -23330=4,2,3,4,1
InnerProduct other 1 1 b d 0=3 1=0 2=15
Foo foo 1 1 c e
Convolution bad 1 1 d f 0=8 1=3 6=-1
"""


def test_counts_by_hand() -> None:
    graph = nnp.loads(NET).graph
    stats = measure(graph, stated_shapes(graph))
    by_name = {layer.name: layer for layer in stats.layers}
    assert {name: layer.parameters for name, layer in by_name.items()} == {
        "in0": 0,
        "sp": 0,
        "fc": 18,
        "other": 15,
        "foo": None,
        "bad": None,
    }
    assert {name: layer.macs for name, layer in by_name.items()} == {
        "in0": 0,
        "sp": 0,
        "fc": 60,
        "other": None,
        "foo": None,
        "bad": None,
    }
    assert [by_name[name].activations for name in ("in0", "sp", "fc", "other")] == [20, 0, 12, None]
    assert by_name["fc"].outputs == ((4, 3),)
    assert not by_name["foo"].known
    assert by_name["bad"].known
    assert "-1" in by_name["bad"].weights.problem
    assert (stats.shaped, stats.blobs, stats.inputs) == (4, 7, {"in0": (4, 5)})
    assert stats.storages == []


def test_totals_say_what_is_missing() -> None:
    graph = nnp.loads(NET).graph
    stats = measure(graph, stated_shapes(graph))
    assert stats.total.layers == 6
    assert stats.total.parameters == Tally(33, 2)
    assert stats.total.macs == Tally(60, 3)
    assert stats.total.activations == Tally(32, 3)
    (fully,) = [row for row in stats.types if row.type == "InnerProduct"]
    assert (fully.layers, fully.parameters, fully.macs) == (2, Tally(33, 0), Tally(60, 1))
    assert [row.type for row in stats.types][:2] == ["InnerProduct", "Convolution"]


def test_storage_and_bytes() -> None:
    lines = NET.splitlines()[2:6]
    graph = nnp.loads("\n".join(["7767517", "4 5", *lines, ""])).graph
    first, second = graph.layer("fc").weights, graph.layer("other").weights
    first.put("weight_data", np.zeros(15), Storage.FLOAT16)
    first.put("bias_data", np.zeros(3), Storage.RAW)
    second.put("weight_data", np.zeros(15), Storage.FLOAT32)
    stats = measure(graph, {})
    sizes = {str(row.storage): (row.arrays, row.elements, row.nbytes) for row in stats.storages}
    assert sizes == {"fp32": (1, 15, 64), "fp16": (1, 15, 4 + 32), "raw": (1, 3, 12)}
    assert next(iter(sizes)) == "fp32"  # the most bytes first
    assert stats.total.nbytes == 64 + 36 + 12
    assert [layer.name for layer in stats.largest(lambda layer: layer.nbytes, 9)] == ["other", "fc"]
    assert [layer.name for layer in stats.largest(lambda layer: layer.parameters, 1)] == ["fc"]


@pytest.mark.parametrize(("param", "weights", "consumed"), list(corpus()))
def test_the_bytes_of_real_pairs_are_what_ncnn_reads(param: Path, weights: Path, consumed: int) -> None:
    stats = measure(nnp.load(param, weights).graph, {})
    assert stats.total.nbytes == consumed == sum(row.nbytes for row in stats.storages)
    assert stats.total.parameters.known == sum(row.elements for row in stats.storages)
    assert stats.total.parameters == measure(nnp.load(param).graph, {}).total.parameters


def test_the_demo() -> None:
    param, weights = demo()
    assert measure(nnp.load(param, weights).graph, {}).total.nbytes == weights.stat().st_size


def test_a_famous_network(shared: Path) -> None:
    """ResNet-18 as its authors wrote it: torchvision's, and a convolution in the first shortcut.

    torchvision counts 11,689,512 parameters, of which 9,600 are factors and biases of normalisations that
    have become 4,800 biases of convolutions here; PyTorch counts 1,814,073,344 multiply-accumulates.
    """
    pytest.importorskip("ncnn")
    path = shared / "corpus" / "gh__Tencent+ncnn__benchmark__models__resnet18.param"
    outcome = blob_shapes(path, {"data": (3, 224, 224)})
    assert outcome.ok, outcome
    stats = measure(nnp.load(path).graph, outcome.shapes)
    shortcut = 64 * 64
    assert stats.total.macs == Tally(1_814_073_344 + shortcut * 56 * 56, 0)
    assert stats.total.parameters == Tally(11_689_512 - 9_600 + 4_800 + shortcut + 64, 0)
