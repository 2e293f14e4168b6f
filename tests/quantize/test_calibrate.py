"""Whole tables of single nets, against those of ncnn2table."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import BadItemError, ConfigError, FileError, NcnnParamError
from ncnnparam.quantize.calibrate import calibrate, prepare_net
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.rows import calibrated_layers
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import PARAM
from ncnnparam.quantize.thresholds import METHODS

from .goldens import CALIBRATED, Golden

NEAR = 1e-3


@pytest.mark.parametrize("golden", CALIBRATED, ids=str)
def test_table_is_that_of_ncnn2table(shared: Path, golden: Golden) -> None:
    made = calibrate(*golden.files(shared), golden.inputs(shared), golden.method, compat=True)
    wanted = golden.rows(shared)
    assert list(made) == list(wanted)
    for key, scales in wanted.items():
        if PARAM in key:
            assert made.row(key).words == wanted.row(key).words
        else:
            assert made[key] == pytest.approx(scales, rel=NEAR)


def test_a_dead_layer_gets_no_row_for_its_input(shared: Path) -> None:
    golden = next(one for one in CALIBRATED if one.model == "dead")
    runner, part = prepare_net(*golden.files(shared))
    statistics = Statistics()
    collect(runner, array_items(golden.inputs(shared)).good, statistics)
    table = part.table(statistics)
    assert part.dead(statistics) == ["d"]
    assert "d" not in table
    assert "d_param_0" in table  # without it ncnn2int8 would leave later layers float too
    assert np.isfinite(np.concatenate(list(table.values()))).all()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_from_one_run(shared: Path, method: str) -> None:
    golden = CALIBRATED[0]
    runner, part = prepare_net(*golden.files(shared))
    statistics = Statistics()
    collect(runner, array_items(golden.inputs(shared)).good, statistics)
    table = part.table(statistics, method)
    for layer in calibrated_layers(part.graph):
        least = 127 / part.histogram(layer, statistics).absmax
        assert table[layer.name][0] >= 0.999 * least or method == "aciq"  # which may clip at more than all
        assert method != "minmax" or table[layer.name][0] == pytest.approx(least)


def test_gemm_gets_the_rows_of_an_inner_product(shared: Path) -> None:
    folder = shared / "golden/seq"
    files = folder / "gemm.param", folder / "gemm.bin"
    _, lowered = prepare_net(*files)
    _, plain = prepare_net(*files, lower=False)
    _, compat = prepare_net(*files, compat=True)
    assert {layer.type for layer in lowered.layers} >= {layer.type for layer in plain.layers}
    assert [layer.name for layer in plain.layers] == [layer.name for layer in compat.layers]
    gained = [layer for layer in lowered.layers if layer.name not in {one.name for one in plain.layers}]
    assert all(layer.type == "InnerProduct" for layer in gained)


def test_digests_are_taken_only_for_statistics(shared: Path, tmp_path: Path) -> None:
    folder = shared / "golden/seq"
    files = [Path(shutil.copy(folder / name, tmp_path)) for name in ("gemm.param", "gemm.bin")]
    with_digests, without = prepare_net(*files, digests=True)[0], prepare_net(*files)[0]
    wanted = prepare_net(folder / "gemm.param", folder / "gemm.bin")[0].settings()
    files[1].unlink()
    assert with_digests.settings() == wanted
    with pytest.raises(FileError, match=r"cannot read .*gemm\.bin"):
        without.settings()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_gemm_gets_rows_if_its_input_is_a_matrix(tmp_path: Path, axes: int) -> None:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text("7767517\n2 2\nInput in 0 1 in0\nGemm g 1 1 in0 out0 3=1 5=1 6=1 8=2 9=3 10=-1 4=0\n")
    weights.write_bytes(bytes(4) + np.arange(6, dtype=np.float32).tobytes())
    array = np.ones((4, 1, 3), np.float32) if axes == 3 else np.ones((5, 3)[2 - axes :], np.float32)
    table = calibrate(param, weights, [{"in0": array}], "minmax")
    assert list(table) == (["g_param_0", "g"] if axes == 2 else [])
    assert axes != 2 or table["g_param_0"] == pytest.approx([127 / 2, 127 / 5])


def test_no_items(shared: Path) -> None:
    with pytest.raises(ConfigError, match="nothing was run"):
        calibrate(*CALIBRATED[0].files(shared), [])


def test_a_wrong_input_is_told_with_the_item(shared: Path) -> None:
    good = CALIBRATED[0].inputs(shared)[0]
    data = [good, {"nowhere": next(iter(good.values()))}]
    with pytest.raises(BadItemError, match=r"item 2: .* has no input 'nowhere'"):
        calibrate(*CALIBRATED[0].files(shared), data)


def test_unknown_method(shared: Path) -> None:
    with pytest.raises(ConfigError, match="no method 'best'"):
        calibrate(*CALIBRATED[0].files(shared), [], "best")


def test_a_net_that_ncnn_refuses(tmp_path: Path) -> None:
    param, weights = tmp_path / "a.param", tmp_path / "a.bin"
    param.write_text("7767517\n2 2\nInput a 0 1 a\nSoftmax b 1 1 a b 0=1\n")
    weights.write_bytes(b"")
    with pytest.raises(NcnnParamError, match=r"ncnn refuses .*a\.param"):
        calibrate(param, weights, [{"a": np.ones(3, np.float32)}])
