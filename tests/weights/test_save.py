"""Saving a pair: byte for byte, as one, and through a real SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp

from ..conftest import ROOT
from .conftest import Pair
from .pairs import NET

EDIT = """
import numpy, sys
import ncnnparam as nnp
model = nnp.load("m.param", "m.bin")
model.graph.remove(model.graph.layer("relu"))
model.graph.layer("fc").weights["bias_data"] = numpy.array([4, 5, 6])
model.save()
"""
# the edit in a process that stops before or after the n-th call of one function
DRIVER = """
import os, signal, sys
name, when, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
real, calls = getattr(os, name), 0
def stop():
    os.write(1, b"stopped\\n")
    signal.pause()
def call(*args, **kwargs):
    global calls
    calls += 1
    if calls == number and when == "before":
        stop()
    result = real(*args, **kwargs)
    if calls == number:
        stop()
    return result
setattr(os, name, call)
"""


def contents(pair: Pair) -> tuple[bytes, bytes]:
    return pair[0].read_bytes(), pair[1].read_bytes()


def edited(pair: Pair, folder: Path) -> tuple[bytes, bytes]:
    """What the edit makes of a pair."""
    folder.mkdir()
    copy = folder / "m.param", folder / "m.bin"
    for path, data in zip(copy, contents(pair), strict=True):
        path.write_bytes(data)
    subprocess.run(
        [sys.executable, "-c", EDIT], cwd=folder, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return contents(copy)


def kill(pair: Pair, function: str, when: str, number: int) -> None:
    """Runs the edit up to a call, and kills it there."""
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER + EDIT, function, when, str(number)],
        cwd=pair[0].parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"stopped\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("function", "when", "number", "done"),
    [
        ("fsync", "before", 1, False),  # the new .bin is written
        ("fsync", "after", 2, False),  # the new .param is written
        ("replace", "before", 1, False),  # the journal is written
        ("replace", "after", 1, True),  # the journal is there
        ("replace", "before", 2, True),
        ("replace", "after", 2, True),  # the new .bin stands beside the old .param
        ("replace", "before", 3, True),
        ("replace", "after", 3, True),  # the new pair, and the journal still
    ],
)
def test_killed(function: str, when: str, number: int, done: bool, pair: Pair, tmp_path: Path) -> None:
    old, new = contents(pair), edited(pair, tmp_path / "copy")
    assert old[0] != new[0]
    assert old[1] != new[1]
    kill(pair, function, when, number)
    model = nnp.load(*pair)
    assert contents(pair) == (new if done else old)
    assert model.graph.has_layer("relu") != done
    assert not list(tmp_path.glob(".*.pair"))
    assert len(list(tmp_path.glob(".*.tmp"))) == (
        0 if done else 1 + (number == 2) + 2 * (function == "replace")
    )
    model.save()
    assert contents(pair) == (new if done else old)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_save_completes_a_killed_one_before_its_own(number: int, pair: Pair) -> None:
    old, model = contents(pair), nnp.load(*pair)
    kill(pair, "replace", "after", number)
    model.graph.layer("relu")["slope"] = 0.75
    model.save()
    assert nnp.load(*pair).graph.layer("relu")["slope"] == 0.75
    assert pair[1].read_bytes() == old[1]
    assert not list(pair[0].parent.glob(".*"))


@pytest.mark.parametrize(
    "journal",
    [
        "",
        "[]",
        '[["a", "b"], ["c", "d"], ["e", "f"]]',
        '[["../.m.bin.x.tmp", "m.bin"], [".m.param.x.tmp", "m.param"]]',
        '[[".m.bin.x.tmp", "../m.bin"], [".m.param.x.tmp", "m.param"]]',
        '[["secret", "m.bin"], [".m.param.x.tmp", "m.param"]]',
        '[[".m.bin.x.tmp", "m.bin"], [".n.param.x.tmp", "n.param"]]',
        "[[1, 2], [3, 4]]",
        "9" * 10_000,
    ],
)
def test_a_forged_journal_does_nothing(journal: str, pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (tmp_path / ".m.param.pair").write_text(journal)
    old = contents(pair)
    with pytest.raises(nnp.FileError, match="no journal"):
        nnp.load(*pair)
    assert contents(pair) == old
    assert (tmp_path / "secret").exists()


def test_a_journal_whose_files_were_all_renamed(pair: Pair) -> None:
    renames = [[".m.bin.x.tmp", "m.bin"], [".m.param.x.tmp", "m.param"]]
    journal = pair[0].with_name(".m.param.pair")
    journal.write_text(json.dumps(renames))
    old = contents(pair)
    nnp.load(*pair)
    assert contents(pair) == old
    assert not journal.exists()


def test_an_unchanged_bin_is_left_alone(pair: Pair) -> None:
    inode = pair[1].stat().st_ino
    model = nnp.load(*pair)
    model.graph.layer("fc").name = "renamed"
    model.save(backup=True)
    assert pair[1].stat().st_ino == inode
    assert pair[0].with_name("m.param.bak").exists()
    assert not pair[1].with_name("m.bin.bak").exists()
    assert nnp.load(*pair).graph.layer("renamed").weights["bias_data"].numpy().tolist() == [1, 2, 3]


def test_a_bin_that_somebody_else_changed_is_written(pair: Pair) -> None:
    model, old = nnp.load(*pair), contents(pair)
    data = pair[1].read_bytes()
    other = pair[1].with_name("other.bin")
    other.write_bytes(bytes(len(data)))
    os.replace(other, pair[1])
    model.save()
    assert contents(pair) == old


def test_backups_of_both(pair: Pair) -> None:
    old = contents(pair)
    model = nnp.load(*pair)
    model.graph.remove(model.graph.layer("fc"), reconnect=True)
    model.save(backup=True)
    assert contents((pair[0].with_name("m.param.bak"), pair[1].with_name("m.bin.bak"))) == old
    assert pair[1].stat().st_size == 28


def test_untouched_padding_is_written_as_it_was(pair: Pair) -> None:
    model = nnp.load(*pair)
    model.graph.layer("last").weights["weight_data"] = np.zeros(6)
    model.save()
    assert pair[1].read_bytes()[34:36] == b"\x83\x22"


def test_weights_are_never_dropped_in_silence(pair: Pair, tmp_path: Path) -> None:
    model = nnp.load(*pair)
    for what in (model, model.graph):
        with pytest.raises(nnp.FileError, match="the model has weights"):
            nnp.save(what, tmp_path / "other.param")
    nnp.dump(model, tmp_path / "other.param")
    assert (tmp_path / "other.param").read_bytes() == pair[0].read_bytes()
    with pytest.raises(nnp.WeightsError, match=r"or load the .bin with the .param"):
        nnp.save(nnp.load(pair[0]), tmp_path / "other.param", tmp_path / "other.bin")
    assert not (tmp_path / "other.bin").exists()


def test_where_a_pair_cannot_go(pair: Pair, tmp_path: Path) -> None:
    model = nnp.load(*pair)
    model.graph.remove(model.graph.layer("relu"))
    old = contents(pair)
    (tmp_path / "sub").mkdir()
    with pytest.raises(nnp.FileError, match="one file"):
        model.save(pair[0], pair[0])
    with pytest.raises(nnp.FileError, match="two folders"):
        model.save(pair[0], tmp_path / "sub" / "m.bin")
    with pytest.raises(nnp.FileError, match="no regular file"):
        model.save(pair[0], tmp_path / "sub")
    with pytest.raises(nnp.FileError, match="No such file"):
        model.save(tmp_path / "none" / "m.param", tmp_path / "none" / "m.bin")
    assert contents(pair) == old
    assert not list(tmp_path.glob(".*"))


def test_loading_reads_no_data(tmp_path: Path) -> None:
    size = 2**28
    (tmp_path / "m.param").write_text(NET.replace("0=3 1=1 2=15", f"0=4 1=0 2={size}"))
    with (tmp_path / "m.bin").open("wb") as file:
        file.truncate(4 + 4 * size + 28)  # a hole: no disk is taken
    tracemalloc.start()
    weight = nnp.load(tmp_path / "m.param", tmp_path / "m.bin").graph.layer("fc").weights["weight_data"]
    assert weight.numpy()[3, -1] == 0
    assert weight.numpy(np.float32)[3, -1] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert weight.nbytes == 4 + 4 * size
    assert peak < 20_000_000


MEMORY = """
import re
import ncnnparam as nnp
nnp.load("m.param", "m.bin").save("o.param", "o.bin")
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_saving_keeps_little_in_memory(tmp_path: Path) -> None:
    layers, count = 5, 2**24  # 64 MB each
    lines = [f"InnerProduct fc{i} 1 1 {i} {i + 1} 0=1024 1=0 2={count}" for i in range(layers)]
    text = "\n".join(["7767517", f"{layers + 1} {layers + 1}", "Input in 0 1 0", *lines, ""])
    (tmp_path / "m.param").write_text(text)
    size = layers * (4 + 4 * count)
    with (tmp_path / "m.bin").open("wb") as file:
        file.truncate(size)  # a hole
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    assert (tmp_path / "o.bin").stat().st_size == size
    (tmp_path / "o.bin").unlink()
    assert int(child.stdout) < 200_000
