"""What the repairs put in computes what it should, on the real ncnn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ncnnparam.model import Model, load, loads, save
from ncnnparam.passes.pnnx import Repair, parse_pnnx
from ncnnparam.passes.pnnx.dynamic import DynamicReshapes
from ncnnparam.runtime import run_net

from .test_cases import CASES, before, repair_of

pytest.importorskip("ncnn")

Arrays = Mapping[str, NDArray[Any]]
SHERPA = ("PoolingModuleNoProj", "TensorAsStrided")


def run(model: Model, feed: Arrays, folder: Path) -> dict[str, NDArray[Any]]:
    save(model, folder / "m.param", folder / "m.bin")
    outputs = [blob.name for blob in model.graph.outputs if blob.name.startswith("out")]
    outcome = run_net(folder / "m.param", folder / "m.bin", feed, outputs, custom_types=SHERPA)
    assert outcome.ok, outcome
    return outcome.outputs


def repaired(case: str) -> Model:
    model, pnnx = before(case)
    repair_of(case, pnnx)(model)
    return model


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


def shifted(x: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Row i of each head, from T - 1 - i on."""
    rows = x.shape[1]
    return np.stack([x[:, i, rows - 1 - i : rows - 1 - i + width] for i in range(rows)], axis=1)


def positions(rows: int, width: int, heads: int) -> tuple[Model, Any]:
    columns = width + rows - 1
    strides = f"({rows * columns},{columns - 1},1)"
    pnnx = parse_pnnx(
        "7767517\n3 2\npnnx.Input i 0 1 0\n"
        f"torch.as_strided a 1 1 0 1 size=({heads},{rows},{width}) stride={strides}\n"
        "pnnx.Output o 1 0 1\n"
    )
    return loads("7767517\n2 2\nInput in0 0 1 in0\ntorch.as_strided a 1 1 in0 out0\n"), pnnx


@pytest.mark.parametrize("case", ["lower-as-strided", "sherpa-as-strided"])
@pytest.mark.parametrize(("heads", "rows", "width"), [(2, 3, 5), (4, 1, 4), (3, 8, 8), (1, 5, 9)])
def test_as_strided(case: str, heads: int, rows: int, width: int, tmp_path: Path) -> None:
    model, pnnx = positions(rows, width, heads)
    assert repair_of(case, pnnx)(model).modified
    x = numbers(heads, rows, rows - 1 + width)
    np.testing.assert_array_equal(run(model, {"in0": x}, tmp_path)["out0"], shifted(x, width))


@pytest.mark.parametrize("case", ["lower-as-strided", "sherpa-as-strided"])
def test_as_strided_of_a_single_head_stays_a_matrix(case: str, tmp_path: Path) -> None:
    _, pnnx = positions(3, 4, 1)
    text = "7767517\n3 3\nInput in0 0 1 in0\nReshape r 1 1 in0 a 0=6 1=3\ntorch.as_strided a 1 1 a out0\n"
    model = loads(text)
    repair_of(case, pnnx)(model)
    x = numbers(1, 3, 6)
    np.testing.assert_array_equal(run(model, {"in0": x}, tmp_path)["out0"], shifted(x, 4)[0])


def attention(q: NDArray[np.float32], k: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    queries, keys = (x.reshape(len(x), heads, -1).transpose(1, 0, 2) for x in (q, k))
    scores = queries @ keys.transpose(0, 2, 1) * 0.5
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = shares / shares.sum(-1, keepdims=True) @ keys
    return mixed.transpose(1, 0, 2).reshape(len(q), -1)


def test_explicit_batch_is_an_attention(tmp_path: Path) -> None:
    q, k = numbers(5, 12), numbers(7, 12)
    got = run(repaired("explicit-batch"), {"in0": q, "in1": k}, tmp_path)["out0"]
    np.testing.assert_allclose(got, attention(q, k, 3).reshape(5, 1, 12), atol=1e-5)


def test_reshapes_and_the_batch_axes_they_get_are_an_attention(tmp_path: Path) -> None:
    model = repaired("lower-reshape")
    repair_of("explicit-batch", None)(model)
    q, k = numbers(5, 12), numbers(7, 12)
    got = run(model, {"in0": q, "in1": k}, tmp_path)
    queries, keys = (x.reshape(len(x), 3, 4).transpose(1, 0, 2) for x in (q, k))
    mixed = queries @ keys.transpose(0, 2, 1) @ keys
    np.testing.assert_allclose(got["out0"], mixed.transpose(1, 0, 2).reshape(5, 12), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(got["out1"], q.reshape(10, 6))


def test_expressions(tmp_path: Path) -> None:
    model = repaired("expand-expressions")
    model.graph.remove(model.graph.layer("ex_3"), reconnect=False)  # the one that is no arithmetic
    x, y = np.abs(numbers(6)), np.abs(numbers(6)) + 1
    got = run(model, {"in0": x, "in1": y}, tmp_path)
    np.testing.assert_allclose(got["out0"], 1 / (1 + np.exp(-x * (y + 0.25) ** -0.5)), rtol=1e-5)
    np.testing.assert_allclose(got["out1"], 1 - np.sqrt(x), rtol=1e-4, atol=1e-6)


def test_casts_cut_towards_zero(tmp_path: Path) -> None:
    model = repaired("drop-casts")
    model.graph.remove(model.graph.layer("to_4"), reconnect=False)
    x = np.array([-3, -0.5, 2.9, 7], dtype=np.float32)
    got = run(model, {"in0": x}, tmp_path)
    np.testing.assert_array_equal(got["out0"], np.floor(x))
    np.testing.assert_array_equal(got["out1"], np.trunc(x / 2))


def test_unbound_states(tmp_path: Path) -> None:
    text = "7767517\n2 3\nInput in0 0 1 in0\ntorch.unbind u_1 1 2 in0 out0 out1\n"
    model, pnnx = loads(text), before("lower-unbind")[1]
    repair_of("lower-unbind", pnnx)(model)
    x = numbers(2, 5)
    got = run(model, {"in0": x}, tmp_path)
    np.testing.assert_array_equal(np.concatenate([got["out0"], got["out1"]]), x)


def test_running_means(tmp_path: Path) -> None:
    """The graph that pnnx writes, its integers mended, and PoolingModuleNoProj give the same."""
    slow, fast = before("sherpa-pooling")[0], repaired("sherpa-pooling")
    for model in (slow, fast):
        counts = np.arange(1, 5, dtype=np.float32)
        model.graph.layer("counts").weights.put("data", counts)
    feed = {"in0": numbers(4, 1, 5), "in1": np.array([7], dtype=np.float32), "in2": numbers(1, 5)}
    one, two = run(slow, feed, tmp_path), run(fast, feed, tmp_path)
    assert set(one) == set(two) == {"out0", "out1", "out2"}
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-6)
    np.testing.assert_array_equal(two["out1"], [[11]])


def test_what_does_not_count_up_is_no_running_mean() -> None:
    model = before("sherpa-pooling")[0]
    model.graph.layer("counts").weights.put("data", np.array([1, 2, 3, 5], dtype=np.float32))
    result = repair_of("sherpa-pooling", None)(model)
    assert not result.modified
    assert len(result.declined) == 1


def test_casts_of_unknown_type_are_left() -> None:
    model = before("drop-casts")[0]
    result = repair_of("drop-casts", None)(model)
    assert [note.layers for note in result.changes] == [("to_1",)]  # behind a floor it changes nothing
    assert [note.layers for note in result.declined] == [("to_2",), ("to_3",), ("to_4",)]


def test_tiles(tmp_path: Path) -> None:
    tiled, bare = before("drop-broadcast-tiles")[0], repaired("drop-broadcast-tiles")
    for model in (tiled, bare):
        model.graph.layer("conv").weights.put("weight_data", numbers(4, 6, 1))
        model.graph.layer("bias").weights.put("data", numbers(1, 3, 1, 9))
    x = numbers(6, 9)
    one, two = run(tiled, {"in0": x}, tmp_path), run(bare, {"in0": x}, tmp_path)
    np.testing.assert_array_equal(one["out0"], two["out0"])
    assert two["out0"].shape == (4, 3, 1, 9)


def test_integer_constants_become_floats(tmp_path: Path) -> None:
    """The ``.bin`` holds the bits of 1..4 as pnnx writes them, and four numbers that are floats already."""
    data = np.arange(1, 5, dtype=np.int32).tobytes() + np.array([0.5, 1, 2, 3], dtype=np.float32).tobytes()
    (tmp_path / "c.bin").write_bytes(data)
    model, pnnx = (
        load(CASES / "float-constants/before.param", tmp_path / "c.bin"),
        before("float-constants")[1],
    )
    repair: Repair = repair_of("float-constants", pnnx)
    assert [note.layers for note in repair(model).changes] == [("counts",)]
    assert not repair(model).modified
    np.testing.assert_array_equal(run(model, {}, tmp_path)["out0"].ravel(), [1.5, 3, 5, 7])


def part(model: Model, output: str, *inputs: str) -> Model:
    """What an output needs."""
    return Model(model.graph.extract(inputs, [output]))


def test_functions_of_single_numbers(tmp_path: Path) -> None:
    model = loads(
        "7767517\n4 5\nInput in0 0 1 in0\nSplit sp 1 2 in0 a b\ntorch.rsqrt r 1 1 a c\n"
        "torch.maximum m 2 1 c b out0\n"
    )
    repair_of("lower-elementwise", None)(model)
    x = np.abs(numbers(7)) + np.float32(0.1)
    np.testing.assert_allclose(run(model, {"in0": x}, tmp_path)["out0"], np.maximum(x**-0.5, x), rtol=1e-5)


def test_glu_halves_channels_or_time(tmp_path: Path) -> None:
    model = repaired("glu-axis")
    first, second = numbers(8, 6), numbers(8, 4)
    model.graph.layer("conv").weights.put("weight_data", first.reshape(-1))
    model.graph.layer("conv2").weights.put("weight_data", second.reshape(-1))
    x = numbers(6, 10)
    a = first @ x
    c = second @ (a[:4] / (1 + np.exp(-a[4:])))
    wanted = c[:, :5] / (1 + np.exp(-c[:, 5:]))
    np.testing.assert_allclose(run(model, {"in0": x}, tmp_path)["out0"], wanted, rtol=1e-4, atol=1e-5)


def test_a_transposed_matrix(tmp_path: Path) -> None:
    model = part(repaired("matrix-permutes"), "out0", "in0")
    first, second = numbers(4, 6), numbers(4, 6)
    model.graph.layer("conv").weights.put("weight_data", first.reshape(-1))
    model.graph.layer("conv2").weights.put("weight_data", second.reshape(-1))
    x = numbers(6, 6)
    got = run(model, {"in0": x}, tmp_path)["out0"]
    np.testing.assert_allclose(got, second @ (first @ x).T, rtol=1e-4, atol=1e-4)


def test_axes_of_a_matrix(tmp_path: Path) -> None:
    model = loads(
        "7767517\n5 6\nInput in0 0 1 in0\nGemm g 1 1 in0 a 3=1 5=1 6=1 8=8 9=6 10=-1\n"
        "Slice s 1 2 a b c -23300=2,-233,-233 1=2\n"
        "Crop cr 1 1 b out0 -23309=1,1 -23310=1,3 -23311=1,2\nSoftmax so 1 1 c out1 0=1 1=1\n"
    )
    model.graph.layer("g").weights.put("B_data", numbers(48))
    assert repair_of("matrix-axes", None)(model).modified
    x = numbers(5, 6)
    a = x @ numbers(48).reshape(8, 6).T
    got = run(model, {"in0": x}, tmp_path)
    np.testing.assert_allclose(got["out0"], a[:, 1:3], rtol=1e-4, atol=1e-5)
    shares = np.exp(a[:, 4:])
    np.testing.assert_allclose(got["out1"], shares / shares.sum(1, keepdims=True), rtol=1e-4, atol=1e-5)


def test_stacked_states(tmp_path: Path) -> None:
    model = repaired("stacked-outputs")
    for output, shape in (("out0", (1, 5)), ("out1", (4, 5))):
        x, y = numbers(*shape), numbers(*shape) + 1
        got = run(part(model, output, "in0", "in1"), {"in0": x, "in1": y}, tmp_path)[output]
        np.testing.assert_array_equal(got, np.stack([x, y]))


def test_a_linear_layer_takes_a_matrix(tmp_path: Path) -> None:
    model = repaired("drop-matrix-unsqueezes")
    first, second = numbers(4, 6), numbers(3, 4)
    model.graph.layer("conv").weights.put("weight_data", first.reshape(-1))
    model.graph.layer("fc").weights.put("weight_data", second.reshape(-1))
    x = numbers(6, 4)
    got = run(model, {"in0": x}, tmp_path)["out0"]
    np.testing.assert_allclose(got, [(first @ x) @ second.T], rtol=1e-4, atol=1e-4)


def test_sizes_left_open(tmp_path: Path) -> None:
    model = loads("7767517\n2 2\nInput in0 0 1 in0\nReshape r 1 1 in0 out0 0=4 1=3 2=5\n")
    one = DynamicReshapes(sizes=[5])
    assert one(model).modified
    assert not one(model).modified
    for frames in (5, 8):
        x = numbers(frames * 3, 4)
        np.testing.assert_array_equal(run(model, {"in0": x}, tmp_path)["out0"], x.reshape(frames, 3, 4))
