"""Constants folded by the real ncnn."""

from __future__ import annotations

import numpy as np
import pytest

from ncnnparam import dumps, loads
from ncnnparam.passes import parse_pipeline
from ncnnparam.runtime.fold import FoldConstants

from ..passes.optimize.nets import assert_golden, assert_same_numbers, header, model, reasons, run

pytest.importorskip("ncnn")

SUM = """
Input in0 0 1 in0 0=5 1=4 2=3
MemoryData a 0 1 a 0=5 1=4
MemoryData b 0 1 b 0=5
BinaryOp s 2 1 a b s
BinaryOp o 2 1 in0 s out0 0=2
"""


def test_golden() -> None:
    assert not assert_golden(FoldConstants(), "fold-constants").declined


def test_is_found_by_its_name() -> None:
    (one,) = parse_pipeline("fold-constants{most=20}")
    assert isinstance(one, FoldConstants)
    assert one.most == 20


@pytest.mark.parametrize("sizes", ["0=7", "0=7 1=5", "0=7 1=5 2=3", "0=7 1=5 11=2 2=3"])
def test_any_number_of_axes(sizes: str) -> None:
    before = model(
        f"Input in0 0 1 in0 {sizes}\nMemoryData a 0 1 a {sizes}\nSigmoid b 1 1 a b\nBinaryOp c 2 1 in0 b out0"
    )
    after, result = run(FoldConstants(), before)
    assert [note.layers for note in result.changes] == [("b",)]
    numbers = before.graph.layer("a").weights["data"].numpy()
    folded = after.graph.layer("b").weights["data"].numpy()
    assert folded.shape == numbers.shape
    np.testing.assert_allclose(folded, 1 / (1 + np.exp(-numbers)), rtol=1e-5)
    assert_same_numbers(before, after)


def test_declines_what_is_too_large() -> None:
    _, result = run(FoldConstants(most=19), model(SUM))
    assert reasons(result) == "s: it gives 20 numbers, and a constant may have 19"
    assert run(FoldConstants(most=20), model(SUM))[1].modified


def test_declines_without_weights() -> None:
    _, result = run(FoldConstants(), loads(header(SUM)))
    assert reasons(result) == "s: the weights of a are not loaded"


def test_declines_what_ncnn_cannot_compute() -> None:
    text = SUM.replace("BinaryOp s 2 1 a b s", "Convolution s 1 1 a s 0=2 1=9 6=162")
    _, result = run(FoldConstants(), model(text.replace("MemoryData b 0 1 b 0=5\n", "")))
    assert not result.modified
    assert "s: ncnn cannot compute it" in reasons(result)


def test_outputs_of_the_network_and_types_of_others_stay() -> None:
    before = loads(header("MemoryData a 0 1 a 0=5\nSigmoid b 1 1 a out0"))
    before.graph.layer("a").weights["data"] = np.ones(5, np.float32)
    assert not run(FoldConstants(), before)[1].modified
    for type in ("Mystery", "PoolingModuleNoProj"):
        before = model(SUM.replace("BinaryOp s 2 1 a b s", f"Sigmoid x 1 1 a x\n{type} s 2 1 x b s"))
        after, result = run(FoldConstants(), before)
        assert [note.layers for note in result.changes] == [("x",)]
        assert after.graph.layer("s").type == type


def test_nothing_is_run_where_nothing_is_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ncnnparam.runtime.fold.run_net", None)
    text = "Input in0 0 1 in0 0=5\nMemoryData a 0 1 a 0=5\nBinaryOp b 2 1 in0 a out0"
    before = model(text)
    after, result = run(FoldConstants(), before)
    assert not result.modified
    assert dumps(after) == dumps(before)
