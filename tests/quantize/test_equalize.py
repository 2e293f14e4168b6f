"""The method eq, against ncnn2table's one golden of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.quantize.calibrate import prepare_net
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.equalize import Search, equalize, grid
from ncnnparam.quantize.int8_form import int8_form
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import Table
from ncnnparam.runtime.session import Session

from .goldens import CALIBRATED

TIE = 1e-7
"""Cosines that are nearer than this are equal in the float32 sums of ncnn2table."""


def test_grid() -> None:
    tried = grid(np.array([2.0, 10.0], np.float32))
    assert tried.shape == (100, 2)
    assert tried[0].tolist() == [1, 5]
    assert tried[-1] == pytest.approx([3.97, 19.85])


@pytest.mark.parametrize("number", range(5))
def test_scales_are_those_of_ncnn2table(shared: Path, number: int) -> None:
    # that version tries the layers of its number N on the N-th item only
    golden = next(one for one in CALIBRATED if one.table == "eq1.kl.table")
    wanted = Table.read(shared / "golden/cnn_chain/eq1.eq.table")
    runner, part = prepare_net(*golden.files(shared), compat=True)
    items, statistics = array_items(golden.inputs(shared)).good, Statistics()
    collect(runner, items, statistics)
    table, layer = part.table(statistics), part.layers[number]
    first = table[layer.name][0]
    equalize(runner, [layer], [items[number]], table)

    weights, key = table[f"{layer.name}_param_0"], f"{layer.name}_param_0"
    form = int8_form(layer)
    assert form is not None
    net = Session(*runner.files)
    run = net.run(items[number].load(), (layer.inputs[0].source.name, layer.outputs[0].name))
    net.close()
    with Search(layer, form, [run]) as search:
        if weights != pytest.approx(wanted[key], rel=1e-3):
            assert search.likeness(weights, first) - search.likeness(wanted[key], first) < TIE
        else:
            assert search.likeness(weights, first) <= 1
        if table[layer.name] != pytest.approx(wanted[layer.name], rel=1e-3):
            best = search.likeness(weights, table[layer.name][0])
            assert best - search.likeness(wanted[key], wanted[layer.name][0]) < TIE


def test_scales_get_better(shared: Path) -> None:
    golden = next(one for one in CALIBRATED if one.table == "kl.table" and one.case == "group_dw")
    runner, part = prepare_net(*golden.files(shared))
    items, statistics = array_items(golden.inputs(shared)).good[:2], Statistics()
    collect(runner, items, statistics)
    first, better = part.table(statistics), part.table(statistics)
    layer = part.layers[1]
    equalize(runner, [layer], items, better)
    form = int8_form(layer)
    assert form is not None
    net = Session(*runner.files)
    blobs = layer.inputs[0].source.name, layer.outputs[0].name
    runs = [net.run(item.load(), blobs) for item in items]
    net.close()
    key = f"{layer.name}_param_0"
    with Search(layer, form, runs) as search:
        assert search.likeness(better[key], better[layer.name][0]) > search.likeness(
            first[key], first[layer.name][0]
        )
