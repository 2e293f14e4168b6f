"""Float models against what ncnn2int8 made of them: nothing but quantising is reported."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.diff import LayerQuantized
from ncnnparam.diff.arrays import ArrayDiff, LayerArrays
from ncnnparam.diff.size import is_scale
from ncnnparam.diff.weights import compare_weights
from ncnnparam.weights import Storage

from ..conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden"

FIRST_ROW = {"b1", "b3", "b4", "b5", "ab", "z0"}
"""Gemms with a transposed B, whose scale ncnn2int8 takes from the first row only."""

EXPECTED_LEAST = 25
HARD = {
    ("cnn_chain", "eq1.aciq.q.bin"): "a scale of 0",
    ("cnn_chain", "eq1.eq.q.bin"): "a few numbers of a channel, for which the tool searches a scale",
    ("tails", "round.q.bin"): "made to be cut off",
    ("tails", "fmt.q.bin"): "scales written by hand",
    ("seq", "rec.q.bin"): "a Gemm with a transposed B",
}
"""Pairs made to be bad, or bad by the tool, and why."""


def pairs() -> Iterator[object]:
    """The pairs of index.tsv that load: ncnn2int8 wrote one that does not, from int8."""
    index = GOLDEN / "index.tsv"
    if not index.is_file():
        return
    with index.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            words = row["command"].split()
            if (
                row["tool"] == "ncnn2int8"
                and row["rc"] == "0"
                and "null" not in words
                and "h16.qq.bin" not in words
            ):
                paths = [GOLDEN / row["case"] / word for word in words[1:5]]
                yield pytest.param(*paths, id=f"{row['case']}-{words[4]}")


@pytest.mark.parametrize(("param", "weights", "int8_param", "int8_weights"), list(pairs()))
def test_only_quantizing_is_reported(
    param: Path, weights: Path, int8_param: Path, int8_weights: Path
) -> None:
    diff = compare_weights(nnp.load(param, weights), nnp.load(int8_param, int8_weights))
    told = [record.after for record in diff.graph.records if isinstance(record, LayerQuantized)]
    assert len(told) == len(diff.graph.records)
    quantized = {layer.after for layer in diff.layers if layer.is_quantized}
    assert quantized <= set(told)
    hard = (int8_weights.parent.name, int8_weights.name) in HARD
    for layer, array in diff.changed():
        _assert_plausible(layer, array, hard)
    for side, path in ((diff.old, weights), (diff.new, int8_weights)):
        assert side.nbytes == path.stat().st_size == sum(side.by_storage.values())
        assert side.nbytes - side.numbers == sum(side.excess.values())


def _assert_plausible(layer: LayerArrays, array: ArrayDiff, hard: bool) -> None:
    assert array.note == ""
    if array.old is None or array.new is None:
        assert array.old is None, "nothing is lost"
        assert is_scale(array.name)
        assert layer.is_quantized
        return
    assert array.distance is not None
    assert array.new.storage in (Storage.INT8, Storage.FLOAT16, Storage.RAW)
    if array.new.storage is Storage.INT8 and not hard and layer.layer.name not in FIRST_ROW:
        assert array.distance.sqnr > EXPECTED_LEAST
    elif array.new.storage is not Storage.INT8:
        assert array.distance.sqnr > 60
    if array.new.storage is not Storage.FLOAT16:  # the goldens have numbers beyond float16
        assert array.distance.not_finite[1] <= array.distance.not_finite[0]


def test_the_spoiled_matrices_are_seen(shared: Path) -> None:
    """A scale from the first row alone cuts off the others: that is what this comparison is for."""
    folder = shared / "golden" / "seq"
    diff = compare_weights(
        nnp.load(folder / "gemm.param", folder / "gemm.bin"),
        nnp.load(folder / "gemm.q.param", folder / "gemm.q.bin"),
    )
    worst = {layer.layer.name: layer.worst for layer in diff.layers}
    spoiled = {name for name, sqnr in worst.items() if sqnr is not None and sqnr < 10}
    assert spoiled == FIRST_ROW & set(worst)
    assert len(spoiled) == 4


def test_a_file_against_itself(shared: Path) -> None:
    folder = shared / "golden" / "sherpa_small"
    pair = [nnp.load(folder / "enc.q.param", folder / "enc.q.bin") for _ in range(2)]
    diff = compare_weights(*pair)
    assert not diff
    assert all(array.same for layer in diff.layers for array in layer.arrays)
