"""sherpa-ncnn's layers in Python, in the real ncnn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ncnnparam.runtime import Outcome, run_net

pytest.importorskip("ncnn")


def run(tmp_path: Path, rows: str, data: bytes = b"", **feed: NDArray[Any]) -> Outcome:
    lines = [f"Input {name} 0 1 {name}" for name in feed] + rows.strip().splitlines()
    words = [line.split() for line in lines]
    blobs = {blob for line in words for blob in line[4 : 4 + int(line[2]) + int(line[3])]}
    outputs = [blob for blob in sorted(blobs) if blob.startswith("out")]
    (tmp_path / "m.param").write_text(f"7767517\n{len(lines)} {len(blobs)}\n" + "\n".join(lines) + "\n")
    (tmp_path / "m.bin").write_bytes(data)
    types = {line[0] for line in words if line[0] != "Input"}
    return run_net(tmp_path / "m.param", tmp_path / "m.bin", feed, outputs, custom_types=types)


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def test_pooling(tmp_path: Path) -> None:
    x, length, mean = numbers(4, 3), np.array([6], dtype=np.float32), numbers(1, 3)
    outcome = run(
        tmp_path, "PoolingModuleNoProj p 3 3 in0 in1 in2 out0 out1 out2", in0=x, in1=length, in2=mean
    )
    assert outcome.ok, outcome
    frames = np.concatenate([np.repeat(mean, 6, axis=0), x])  # as if the six frames before had been the mean
    means = np.stack([frames[: 7 + row].mean(axis=0) for row in range(4)])
    np.testing.assert_allclose(outcome.outputs["out0"], means, atol=1e-5)
    np.testing.assert_array_equal(outcome.outputs["out1"], [10])
    np.testing.assert_allclose(outcome.outputs["out2"], means[-1:], atol=1e-5)


def test_as_strided(tmp_path: Path) -> None:
    x = numbers(2, 3, 7)
    row = "TensorAsStrided s 1 1 in0 out0 -23300=3,2,3,5 -23301=3,21,6,1 2=2"
    outcome = run(tmp_path, row, in0=x)
    assert outcome.ok, outcome
    item = x.itemsize
    wanted = [
        np.lib.stride_tricks.as_strided(x[head].ravel()[2:], (3, 5), (6 * item, item)) for head in range(2)
    ]
    np.testing.assert_array_equal(outcome.outputs["out0"], wanted)


@pytest.mark.parametrize(
    "params",
    [
        "-23300=3,2,3,5 -23301=3,21,6,1 2=5",  # its last number is behind the end
        "-23300=3,3,3,5 -23301=3,21,6,1 2=0",  # more channels than there are
        "-23300=3,2,3,5 -23301=3,20,6,1 2=0",  # a stride that crosses channels
        "-23300=3,2,3,5 -23301=3,21,6,1 2=-1",
        "-23300=2,3,5 -23301=2,6,1 2=0",
    ],
)
def test_as_strided_stays_inside(tmp_path: Path, params: str) -> None:
    assert not run(tmp_path, f"TensorAsStrided s 1 1 in0 out0 {params}", in0=numbers(2, 3, 7)).ok


def test_stack(tmp_path: Path) -> None:
    a, b = numbers(3, 4), numbers(3, 4) + 1
    outcome = run(tmp_path, "Stack s 2 1 in0 in1 out0 0=0", in0=a, in1=b)
    assert outcome.ok, outcome
    np.testing.assert_array_equal(outcome.outputs["out0"], np.stack([a, b]))
    assert not run(tmp_path, "Stack s 2 1 in0 in1 out0 0=1", in0=a, in1=b).ok


def test_upsample(tmp_path: Path) -> None:
    x, bias = numbers(3, 4), numbers(2, 4)
    data = bytes(4) + bias.tobytes()  # tagged as float32
    outcome = run(tmp_path, "SimpleUpsample u 1 1 in0 out0 0=2 1=4 2=8", data, in0=x)
    assert outcome.ok, outcome
    np.testing.assert_array_equal(outcome.outputs["out0"], (x[:, None] + bias).reshape(6, 4))
    assert not run(tmp_path, "SimpleUpsample u 1 1 in0 out0 0=2 1=4 2=9", data, in0=x).ok
