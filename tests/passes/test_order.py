"""ncnn's numbers for permutations."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.passes.order import from_front, order_type, permuted_axes, to_front, without
from ncnnparam.runtime import run_net

pytest.importorskip("ncnn")


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_orders_are_those_of_ncnn(rank: int, tmp_path: Path) -> None:
    """All orders of a rank in one net, on an array whose sizes all differ."""
    orders = list(permutations(range(rank)))
    rows = [f"Permute p{n} 1 1 b{n} out{n} 0={order_type(axes)}" for n, axes in enumerate(orders)]
    blobs = " ".join(f"b{n}" for n in range(len(orders)))
    rows = ["Input in0 0 1 in0", f"Split s 1 {len(rows)} in0 {blobs}", *rows]
    (tmp_path / "m.param").write_text(
        f"7767517\n{len(rows)} {2 * len(orders) + 1}\n" + "\n".join(rows) + "\n"
    )
    (tmp_path / "m.bin").write_bytes(b"")
    x = np.arange(np.prod(range(2, rank + 2)), dtype=np.float32).reshape(range(2, rank + 2))
    names = [f"out{n}" for n in range(len(orders))]
    outcome = run_net(tmp_path / "m.param", tmp_path / "m.bin", {"in0": x}, names)
    assert outcome.ok, outcome
    for name, axes in zip(names, orders, strict=True):
        np.testing.assert_array_equal(outcome.outputs[name], x.transpose(axes))


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_there_and_back(rank: int) -> None:
    x = np.zeros(range(2, rank + 2))
    for axis in range(rank):
        there, back = to_front(axis, rank), from_front(axis, rank)
        assert x.transpose(there).shape[0] == x.shape[axis]
        assert x.transpose(there).transpose(back).shape == x.shape
    for axes in permutations(range(rank)):
        assert permuted_axes(order_type(axes), rank) == axes


def test_an_axis_of_size_one_goes() -> None:
    x = np.zeros((5, 1, 7))
    for axes in permutations(range(3)):
        assert x.squeeze(1).transpose(without(axes, 1)).shape == tuple(
            size for size in x.transpose(axes).shape if size != 1
        )


def test_no_such_order() -> None:
    assert permuted_axes(6, 3) is None
    assert permuted_axes(-1, 3) is None
