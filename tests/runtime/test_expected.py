"""Numbers in an ``.npz`` file that prove a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.model import load
from ncnnparam.runtime.expected import Verdict, prove, read_calls

pytest.importorskip("ncnn")

COUNTER = """\
7767517
4 5
Input in0 0 1 in0
Input in1 0 1 in1
Split s 1 1 in1 a
BinaryOp add 2 1 in0 a out1 0=0
"""
TWO = np.array([1, 2], dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.param"
    path.write_text(COUNTER)
    (tmp_path / "m.bin").write_bytes(b"")
    return path


def test_states_go_from_call_to_call(model: Path, tmp_path: Path) -> None:
    arrays = {"chunk0.in0": TWO, "chunk0.in1": TWO, "chunk0.out1": 2 * TWO}
    arrays |= {"chunk1.in0": TWO, "chunk1.out1": 3 * TWO, "other.in0": TWO, "other.out1": TWO}
    np.savez(tmp_path / "e.npz", **arrays)
    graph = load(model).graph
    calls, others = read_calls(tmp_path / "e.npz", graph)
    assert [call.name for call in calls] == ["chunk0", "chunk1"]
    assert others == ["other"]  # in1 is missing, and no call is before it
    verdicts = prove(model, tmp_path / "m.bin", graph, calls)
    assert [(verdict.call, verdict.blob, verdict.error) for verdict in verdicts] == [
        ("chunk0", "out1", 0),
        ("chunk1", "out1", 0),
    ]


def test_plain_names_are_one_call(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", in0=TWO, in1=TWO, out1=2 * TWO + np.float32(0.5))
    graph = load(model).graph
    calls, _ = read_calls(tmp_path / "e.npz", graph)
    (verdict,) = prove(model, tmp_path / "m.bin", graph, calls)
    assert verdict.error == pytest.approx(0.5)
    assert not verdict.is_within(0.1)
    assert verdict.is_within(0.2)  # the numbers are up to 4.5


def test_another_size_is_wrong_by_any_measure(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", in0=TWO, in1=TWO, out1=np.zeros(3, dtype=np.float32))
    graph = load(model).graph
    (verdict,) = prove(model, tmp_path / "m.bin", graph, read_calls(tmp_path / "e.npz", graph)[0])
    assert not verdict.is_within(1e9)
    assert verdict.shapes == ((3,), (2,))


def test_nothing_for_this_net(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", x=TWO)
    with pytest.raises(NcnnParamError, match="no call with all inputs"):
        read_calls(tmp_path / "e.npz", load(model).graph)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_no_npz(model: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "e.npz").write_bytes(content)
    with pytest.raises(FileError, match=r"no \.npz"):
        read_calls(tmp_path / "e.npz", load(model).graph)
    with pytest.raises(FileError, match="cannot read"):
        read_calls(tmp_path / "none.npz", load(model).graph)


def test_pickles_are_not_loaded(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", in0=np.array([{}], dtype=object))
    with pytest.raises(FileError, match=r"no \.npz"):
        read_calls(tmp_path / "e.npz", load(model).graph)


def test_a_tolerance_is_relative_above_one() -> None:
    large = Verdict("", "out0", error=0.04, scale=2.0, shapes=((1,), (1,)))
    small = Verdict("", "out0", error=0.04, scale=0.5, shapes=((1,), (1,)))
    assert (large.scaled_error, small.scaled_error) == (0.02, 0.04)
    assert large.is_within(0.03)
    assert not small.is_within(0.03)
