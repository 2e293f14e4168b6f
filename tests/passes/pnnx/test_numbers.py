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
