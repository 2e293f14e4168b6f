"""Edited and saved, real models compute the same numbers in the real ncnn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.graph import INPUT, SPLIT
from ncnnparam.runtime import run_net
from ncnnparam.runtime.compare import random_inputs
from ncnnparam.weights import WeightFile

from .pairs import corpus

pytest.importorskip("ncnn")

SIZES = {"det2": 24, "det3": 48, "live__model": 80, "landmark106": 112}
"""Width and height that a model takes, by a part of its name; any other takes ``USUAL``."""
USUAL = 64
NOT_RUN = ("crnn", "yoloface", "yolo-fastest", "174aafb2", "detection__detection")
"""Inputs of these are not known, or what they find in random numbers is not the same twice."""
QUICK = 3

KNOWN = [case for case in corpus() if not any(part in case.values[0].name for part in NOT_RUN)]
PAIRS = [
    pytest.param(*case.values[:2], id=case.id, marks=[] if number < QUICK else [pytest.mark.nightly])
    for number, case in enumerate(sorted(KNOWN, key=lambda case: case.values[1].stat().st_size))
]


def inputs_of(model: nnp.Model) -> dict[str, np.ndarray]:
    side = next((size for part, size in SIZES.items() if part in str(model.path)), USUAL)
    return random_inputs(model.graph, {blob.name: (3, side, side) for blob in model.graph.inputs})


def middle(graph: nnp.Graph, outputs: list[str]) -> str:
    """A blob about half-way from which alone all outputs can be computed."""
    for layer in list(graph)[len(graph) // 2 :: -1]:
        if layer.type not in (SPLIT, INPUT) and len(layer.outputs) == 1:
            try:
                graph.extract(inputs=[layer.outputs[0].name], outputs=outputs)
            except nnp.GraphError:
                continue
            return layer.outputs[0].name
    return next(blob.name for layer in graph.find(INPUT) for blob in layer.outputs)


def test_most_pairs_can_be_run(shared: Path) -> None:
    assert len(PAIRS) == 19


@pytest.mark.parametrize(("param", "weights"), PAIRS)
def test_renamed_and_cut_it_computes_the_same(param: Path, weights: Path, tmp_path: Path) -> None:
    model = nnp.load(param, weights)
    graph = model.graph
    outputs = [
        blob.name for blob in graph.outputs if blob.producer is not None and blob.producer.type != SPLIT
    ]
    between = middle(graph, outputs)
    inputs = inputs_of(model)
    whole = run_net(param, weights, inputs, [between, *outputs])
    assert whole.ok, whole.problem
    assert all(np.isfinite(value).all() for value in whole.outputs.values())

    for number, layer in enumerate(graph):
        layer.name = f"layer_{number}"
    kept = {*inputs, *outputs, between}
    for number, blob in enumerate(list(graph.blobs)):
        if blob.name not in kept:
            graph.rename_blob(blob.name, f"blob_{number}")
    model.save(tmp_path / "renamed.param", tmp_path / "renamed.bin")
    assert (tmp_path / "renamed.bin").read_bytes() == weights.read_bytes()
    renamed = run_net(tmp_path / "renamed.param", tmp_path / "renamed.bin", inputs, [between, *outputs])
    same(renamed.outputs, whole.outputs)

    nnp.save(
        graph.extract(inputs=list(inputs), outputs=[between]), tmp_path / "head.param", tmp_path / "head.bin"
    )
    nnp.save(graph.extract(inputs=[between], outputs=outputs), tmp_path / "tail.param", tmp_path / "tail.bin")
    for name in ("head", "tail"):
        file = WeightFile.open(tmp_path / f"{name}.bin")
        file.attach(nnp.load(tmp_path / f"{name}.param").graph)
        assert not len(file.leftover)
    head = run_net(tmp_path / "head.param", tmp_path / "head.bin", inputs, [between])
    same(head.outputs, {between: whole.outputs[between]})
    if between not in inputs:
        fed = {between: whole.outputs[between]}
        tail = run_net(tmp_path / "tail.param", tmp_path / "tail.bin", fed, outputs)
        same(tail.outputs, {name: whole.outputs[name] for name in outputs})


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
