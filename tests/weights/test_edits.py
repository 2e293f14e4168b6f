"""Edits of the graph carry the weights along: what is saved computes the same in the real ncnn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.runtime import run_net
from ncnnparam.weights import Storage, in_order

from .conftest import Pair
from .pairs import DEMO, demo

CHAIN = """7767517
4 4
Input in0 0 1 in0
InnerProduct one 1 1 in0 a 0=4 1=0 2=16
InnerProduct two 1 1 a b 0=4 1=0 2=16
InnerProduct three 1 1 b out0 0=4 1=0 2=16
"""
FORK = """7767517
5 6
Input in0 0 1 in0
Split s 1 2 in0 a b
InnerProduct one 1 1 a out1 0=4 1=0 2=16
InnerProduct two 1 1 b out2 0=4 1=0 2=16
Noop end 0 0
"""
X = np.array([1, -2, 0.5, 3], dtype=np.float32)


def filled(text: str) -> nnp.Model:
    """A model whose square matrices are all different."""
    model = nnp.loads(text)
    generator = np.random.default_rng(1)
    for layer in model.graph.find("InnerProduct"):
        layer.weights["weight_data"] = generator.normal(size=(4, 4)).astype(np.float32)
    return model


def run(model: nnp.Model, folder: Path, inputs: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    """Saves a model and runs it."""
    pytest.importorskip("ncnn")
    param, weights = folder / "run.param", folder / "run.bin"
    model.save(param, weights)
    outcome = run_net(param, weights, inputs, outputs)
    assert outcome.ok, outcome
    return outcome.outputs


def product(model: nnp.Model, *names: str) -> Any:
    """What the layers of these names make of ``X``, by numpy."""
    value = X
    for name in names:
        value = np.asarray(model.graph.layer(name).weights["weight_data"].numpy()) @ value
    return value


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    with np.load(DEMO / "expected.npz") as arrays:
        return {name.removeprefix("chunk0."): arrays[name] for name in arrays if name.startswith("chunk0.in")}


OUTPUTS = [f"out{index}" for index in range(9)]


@pytest.fixture(scope="module")
def wanted(inputs: dict[str, Any]) -> dict[str, Any]:
    pytest.importorskip("ncnn")
    outcome = run_net(*demo(), inputs, OUTPUTS)
    assert outcome.ok, outcome
    return outcome.outputs


def assert_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_array_equal(found[name], wanted[name])


def test_renamed_layers_and_blobs(inputs: dict[str, Any], wanted: dict[str, Any], tmp_path: Path) -> None:
    model = nnp.load(*demo())
    for layer in model.graph.find("Convolution*"):
        layer.name = f"renamed.{layer.name}"
        layer.outputs[0].name = f"renamed.{layer.outputs[0].name}"
    assert_same(run(model, tmp_path, inputs, OUTPUTS), wanted)
    assert (tmp_path / "run.bin").read_bytes() == demo()[1].read_bytes()


def test_a_layer_put_in_and_taken_out(inputs: dict[str, Any], wanted: dict[str, Any], tmp_path: Path) -> None:
    model = nnp.load(*demo())
    before = model.graph.layer("conv_33")
    scale = model.graph.insert_after(before, "Scale", "same", scale_data_size=before["num_output"])
    with pytest.raises(nnp.WeightsError, match=r"'same' .Scale. has no scale_data: ncnn wants 8 elements"):
        model.save(tmp_path / "run.param", tmp_path / "run.bin")
    assert not list(tmp_path.iterdir())
    scale.weights["scale_data"] = np.ones(8)
    assert_same(run(model, tmp_path, inputs, OUTPUTS), wanted)
    data = demo()[1].read_bytes()
    assert len((tmp_path / "run.bin").read_bytes()) == len(data) + 32
    model.graph.remove(scale)
    assert_same(run(model, tmp_path, inputs, OUTPUTS), wanted)
    assert (tmp_path / "run.bin").read_bytes() == data


def test_an_extracted_part(inputs: dict[str, Any], tmp_path: Path) -> None:
    whole = nnp.load(*demo())
    cut = run(whole, tmp_path, inputs, ["19", "31"])
    part = nnp.Model(whole.graph.extract(["19"], ["31"]))
    assert [layer.name for layer in part.graph.find("Convolution")] == ["conv_33", "conv_34"]
    assert_same(run(part, tmp_path, {"19": cut["19"]}, ["31"]), {"31": cut["31"]})
    sizes = [weight.nbytes for weight in in_order(part.graph)]
    assert (tmp_path / "run.bin").stat().st_size == sum(sizes)
    assert len(sizes) == 4


@pytest.mark.parametrize("gone", ["one", "two", "three"])
def test_a_removed_layer_takes_its_arrays(gone: str, tmp_path: Path) -> None:
    model = filled(CHAIN)
    model.graph.remove(model.graph.layer(gone))
    rest = [name for name in ("one", "two", "three") if name != gone]
    found = run(model, tmp_path, {"in0": X}, ["out0"])["out0"]
    np.testing.assert_allclose(found, product(model, *rest), rtol=1e-5)
    assert (tmp_path / "run.bin").stat().st_size == 2 * 68


def test_a_moved_layer_takes_its_arrays(tmp_path: Path) -> None:
    model = filled(FORK)
    one, two = model.graph.layer("one"), model.graph.layer("two")
    model.graph.move(two, before=one)
    found = run(model, tmp_path, {"in0": X}, ["out1", "out2"])
    np.testing.assert_allclose(found["out1"], product(model, "one"), rtol=1e-5)
    np.testing.assert_allclose(found["out2"], product(model, "two"), rtol=1e-5)
    again = nnp.load(tmp_path / "run.param", tmp_path / "run.bin").graph
    assert (
        again.layer("two").weights["weight_data"].offset,
        again.layer("one").weights["weight_data"].offset,
    ) == (
        0,
        68,
    )


def test_one_graph_behind_another(tmp_path: Path) -> None:
    model, other = filled(CHAIN), filled(CHAIN)
    for layer in other.graph.find("InnerProduct"):
        layer.weights["weight_data"] = np.eye(4) * 2
    model.graph.concat(other.graph, prefix="x.", connect={"in0": "out0"})
    found = run(model, tmp_path, {"in0": X}, ["x.out0"])["x.out0"]
    np.testing.assert_allclose(found, 8 * product(model, "one", "two", "three"), rtol=1e-5)


def test_a_copy_has_the_weights_and_changes_alone(pair: Pair) -> None:
    graph = nnp.load(*pair).graph
    copy = graph.copy()
    copy.layer("fc").weights.put("weight_data", np.zeros(15), Storage.FLOAT32)
    assert graph.layer("fc").weights["weight_data"].storage is Storage.FLOAT16
    assert [bytes(weight.raw) for weight in in_order(graph)][1:] == [bytes(w.raw) for w in in_order(copy)][1:]


def test_a_replaced_layer_drops_its_arrays(pair: Pair) -> None:
    model = nnp.load(*pair)
    model.graph.replace(model.graph.layer("fc"), "Sigmoid")
    model.save()
    assert pair[1].stat().st_size == 28
    kept = model.graph.replace(model.graph.layer("last"), "InnerProduct", params={0: 3, 2: 6})
    assert kept.weights["weight_data"].numpy().tolist() == [[0, 1], [2, 3], [4, 5]]
