"""The rows of weights: text for text those of ncnn2table, and finite where it writes infinity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.quantize.rows import make_table
from ncnnparam.quantize.table import PARAM

from .goldens import CALIBRATED, WEIGHTS, Golden


@pytest.mark.parametrize("golden", WEIGHTS, ids=str)
def test_rows_of_layers_without_input_scale(shared: Path, golden: Golden) -> None:
    graph = load(*golden.files(shared)).graph
    assert make_table(graph, None).dumps() == golden.rows(shared).dumps()


@pytest.mark.parametrize("golden", CALIBRATED, ids=str)
def test_rows_of_weights(shared: Path, golden: Golden) -> None:
    graph = load(*golden.files(shared)).graph
    made, wanted = make_table(graph, {}, golden.method, compat=True), golden.rows(shared)
    assert list(made) == [key for key in wanted if PARAM in key]
    for key in made:
        assert made.row(key).words == wanted.row(key).words


@pytest.mark.parametrize("golden", [one for one in CALIBRATED if one.case in ("tails", "cnn_chain")], ids=str)
def test_scales_are_finite_and_near(shared: Path, golden: Golden) -> None:
    graph = load(*golden.files(shared)).graph
    made, wanted = make_table(graph, {}, golden.method), golden.rows(shared)
    for key, scales in made.items():
        assert np.isfinite(scales).all()
        assert (scales > 0).all()
        usual = np.isfinite(wanted[key]) & (wanted[key] > 0)
        assert np.array_equal(scales[usual].round(4), wanted[key][usual].round(4))
        assert (scales[~np.isfinite(wanted[key])] == 1).all()
