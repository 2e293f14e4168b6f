"""The shapes of all blobs, asked of the real ncnn."""

from __future__ import annotations

from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.runtime import blob_shapes
from ncnnparam.stats import stated_shapes

pytest.importorskip("ncnn")

NET = """7767517
8 12
Input in0 0 1 in0
Input in1 0 1 in1
Split sp 1 2 in0 a b
Convolution conv 1 1 a c 0=8 1=3 4=1 5=1 6=216
LSTM lstm 1 3 in1 d h s 0=6 1=240
Slice cut 1 2 b e f -23300=2,1,-233 1=0
Embed words 1 1 h out0 0=9 1=100 3=900
Reshape volume 1 1 c out1 0=-1 1=3 2=2 11=2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "m.param"
    path.write_text(text)
    return path


def test_every_blob_has_the_shape_that_numpy_would_give_it(tmp_path: Path) -> None:
    outcome = blob_shapes(write(tmp_path, NET), {"in0": (3, 5, 6), "in1": (4, 10)})
    assert outcome.ok, outcome
    assert outcome.failed == []
    assert outcome.shapes == {
        "in0": (3, 5, 6),
        "in1": (4, 10),
        "a": (3, 5, 6),
        "b": (3, 5, 6),
        "c": (8, 5, 6),
        "d": (4, 6),
        "h": (1, 6),
        "s": (1, 6),
        "e": (1, 5, 6),
        "f": (2, 5, 6),
        "out0": (6, 9),
        "out1": (2, 2, 3, 20),
    }


def test_a_large_input(tmp_path: Path) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nPooling pool 1 1 in0 out0 4=1\n"
    outcome = blob_shapes(write(tmp_path, text), {"in0": (3, 2000, 1000)})
    assert outcome.shapes == {"in0": (3, 2000, 1000), "out0": (3,)}


def test_below_a_layer_that_cannot_be_computed_nothing_is_known(tmp_path: Path) -> None:
    text = "7767517\n5 6\nInput in0 0 1 in0\nSplit sp 1 2 in0 a b\nFoo foo 1 1 a c\n"
    path = write(tmp_path, text + "ReLU r 1 1 c d\nReLU q 1 1 b e\n")
    outcome = blob_shapes(path, {"in0": (4,)}, custom_types=["Foo"])
    assert (outcome.ok, outcome.failed) == (True, ["foo"])
    assert outcome.shapes == {"in0": (4,), "a": (4,), "b": (4,), "e": (4,)}
    refused = blob_shapes(path, {"in0": (4,)})
    assert not refused.ok
    assert "refuses" in refused.problem


def test_an_input_without_a_shape_is_not_run(tmp_path: Path) -> None:
    outcome = blob_shapes(write(tmp_path, NET), {"in1": (4, 10)})
    assert outcome.ok
    assert set(outcome.shapes) == {"in1", "d", "h", "s", "out0"}


def test_a_network_without_inputs(tmp_path: Path) -> None:
    text = "7767517\n2 2\nMemoryData m 0 1 a 0=3 1=2\nReLU r 1 1 a out0\n"
    assert blob_shapes(write(tmp_path, text), {}).shapes == {"a": (2, 3), "out0": (2, 3)}


def test_weights_beyond_the_limit(tmp_path: Path) -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=1 2=2147483647\n"
    assert not blob_shapes(write(tmp_path, text), {"in0": (4,)}, memory=2 << 30).ok


def assert_agrees(path: Path) -> None:
    graph = nnp.load(path).graph
    stated = stated_shapes(graph)
    outcome = blob_shapes(path, {blob.name: stated[blob.name] for blob in graph.inputs})
    assert outcome.ok, outcome
    # what a detector finds depends on the numbers
    sure = {blob.name for blob in graph.blobs if blob.producer and "Detection" not in blob.producer.type}
    assert outcome.failed == []
    assert {name: sizes for name, sizes in stated.items() if name in sure} == {
        name: outcome.shapes[name] for name in stated if name in sure
    }


@pytest.mark.parametrize("name", ["mobilenet_v3", "shufflenet", "squeezenet_ssd_int8", "yolo-fastestv2"])
def test_ncnn_agrees_with_what_files_state(shared: Path, name: str) -> None:
    assert_agrees(shared / "corpus" / f"gh__Tencent+ncnn__benchmark__models__{name}.param")


@pytest.mark.nightly
def test_ncnn_agrees_with_every_file_that_states_shapes(shared: Path) -> None:
    compared = 0
    for path in sorted((shared / "corpus").glob("gh__*.param")):
        graph = nnp.load(path).graph
        stated = stated_shapes(graph)
        if len(stated) > len(graph) / 2 and all(blob.name in stated for blob in graph.inputs):
            assert_agrees(path)
            compared += 1
    assert compared >= 30
