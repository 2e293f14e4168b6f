"""Running items: killed and gone on with, in several processes, and past bad items."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.calibrate import Part, prepare_net
from ncnnparam.quantize.collect import collect, missing_items
from ncnnparam.quantize.data import Items, array_items
from ncnnparam.quantize.runners import NetRunner
from ncnnparam.quantize.statistics import Statistics

NET = """7767517
2 2
Input         in   0 1 in0
InnerProduct  fc   1 1 in0 out0 0=2 2=6
"""

THEN_WAIT = """
import sys, time
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.calibrate import prepare_net
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.statistics import Statistics

param, weights, folder, stats = sys.argv[1:]
seen = Statistics()

def advance(amount):
    print("one", flush=True)
    if len(seen.items) == 3:
        time.sleep(600)

runner, part = prepare_net(param, weights)
items = npy_items(folder, ["in0"]).good
collect(runner, items, seen, save=lambda seen: seen.save(stats), save_every=0, advance=advance)
"""
"""Runs three items, and waits to be killed."""


@pytest.fixture
def net(tmp_path: Path) -> tuple[NetRunner, Part]:
    (tmp_path / "m.param").write_text(NET)
    weights = np.arange(6, dtype=np.float32).tobytes()
    (tmp_path / "m.bin").write_bytes(bytes(4) + weights)
    return prepare_net(tmp_path / "m.param", tmp_path / "m.bin")


@pytest.fixture
def items(tmp_path: Path) -> Items:
    folder = tmp_path / "inputs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(8):
        np.save(folder / f"{number}.npy", random.standard_normal((50, 3)).astype(np.float32) * (number + 1))
    return npy_items(folder, ["in0"])


def test_killed_and_gone_on_with(tmp_path: Path, net: tuple[NetRunner, Part], items: Items) -> None:
    runner, part = net
    stats = tmp_path / "stats.npz"
    words = [tmp_path / "m.param", tmp_path / "m.bin", tmp_path / "inputs", stats]
    with subprocess.Popen(
        [sys.executable, "-c", THEN_WAIT, *words], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert child.stdout.readline() == "one\n"
        os.kill(child.pid, signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL

    statistics = Statistics.load(stats)
    assert len(statistics.items) == 3
    todo = missing_items(items.good, statistics)
    assert len(todo) == 5
    collect(runner, todo, statistics)
    whole = Statistics()
    collect(runner, items.good, whole)
    assert statistics == whole
    assert part.table(statistics).dumps() == part.table(whole).dumps()


def test_interrupted_between_two_saves(tmp_path: Path, net: tuple[NetRunner, Part], items: Items) -> None:
    def interrupt(amount: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(
            net[0],
            items.good,
            Statistics(),
            save=lambda seen: seen.save(tmp_path / "s.npz"),
            advance=interrupt,
        )
    assert len(Statistics.load(tmp_path / "s.npz").items) == 1


def test_several_processes(net: tuple[NetRunner, Part], items: Items) -> None:
    pytest.importorskip("joblib")
    alone, together = Statistics(), Statistics()
    collect(net[0], items.good, alone)
    done: list[int] = []
    collect(net[0], items.good, together, jobs=2, advance=done.append)
    assert together == alone
    assert sum(done) == len(items.good)


def test_a_changed_item(net: tuple[NetRunner, Part], items: Items, tmp_path: Path) -> None:
    statistics = Statistics()
    collect(net[0], items.good, statistics)
    np.save(tmp_path / "inputs/3.npy", np.ones(3, np.float32))
    with pytest.raises(ConfigError, match=r"3\.npy has changed"):
        missing_items(npy_items(tmp_path / "inputs", ["in0"]).good, statistics)


def test_bad_in_the_net(net: tuple[NetRunner, Part]) -> None:
    runner, part = net
    wide = NetRunner(runner.files, (*part.blobs, "out0"))
    huge = np.full(3, 3e38, np.float32)
    items = array_items([{"in0": np.ones(3)}, {"in0": huge}, {"in0": np.zeros(3)}])
    statistics = Statistics()
    bad = collect(wide, items.good, statistics, skip_bad=True)
    assert bad == {"item 2": "blob 'out0' gets NaN or infinity"}
    assert list(statistics.items) == ["item 1", "item 3"]
    with pytest.raises(BadItemError, match="item 2: blob 'out0'"):
        collect(wide, items.good, Statistics())


def test_other_blobs_are_other_statistics(net: tuple[NetRunner, Part], items: Items) -> None:
    runner, part = net
    statistics = Statistics()
    collect(runner, items.good[:1], statistics)
    with pytest.raises(ConfigError, match="blobs was"):
        collect(NetRunner(runner.files, (*part.blobs, "out0")), items.good[1:], statistics)


def test_settings_are_of_the_files_that_were_prepared(net: tuple[NetRunner, Part], tmp_path: Path) -> None:
    runner = net[0]
    before = runner.settings()
    (tmp_path / "m.bin").write_bytes(bytes(28))
    assert runner.settings() == before
    assert NetRunner(runner.files, runner.blobs).settings() != before


@pytest.mark.filterwarnings("ignore")  # what dask and tornado warn of is theirs
def test_on_a_dask_cluster(net: tuple[NetRunner, Part], items: Items) -> None:
    joblib = pytest.importorskip("joblib")
    distributed = pytest.importorskip("distributed")
    alone, together = Statistics(), Statistics()
    collect(net[0], items.good, alone)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config(backend="dask"):
        collect(net[0], items.good, together, jobs=2)
    assert together == alone
