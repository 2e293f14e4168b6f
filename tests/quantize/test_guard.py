"""No layer is computed of an input that it cannot take, whoever runs the net."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.errors import BadItemError
from ncnnparam.quantize.accuracy import compare_nets
from ncnnparam.quantize.accuracy_sensitivity import sensitivity
from ncnnparam.quantize.calibrate import calibrate, prepare_net
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.equalize import equalize
from ncnnparam.quantize.guard import guard_of
from ncnnparam.quantize.int8 import quantize
from ncnnparam.quantize.mixed import Nearness
from ncnnparam.quantize.runners import Pair
from ncnnparam.runtime.session import Session, custom_types

from .goldens import CALIBRATED, Golden
from .test_int8 import filled

pytest.importorskip("ncnn")

NET = """7767517
4 4
Input        in   0 1 in0
ReLU         relu 1 1 in0 a
Convolution  conv 1 1 a b 0=2 1=3 4=1 6=54
ReLU         last 1 1 b out0
"""
FITS, WRONG = ({"in0": np.ones((channels, 4, 4), np.float32)} for channels in (3, 1))
CRASHES = """7767517
5 5
Input         in   0 1 in0
ReLU          relu 1 1 in0 a
LSTM          lstm 1 1 a b 0=8 1=192
InnerProduct  fc   1 1 b c 0=4 2=32
InnerProduct  end  1 1 c out0 0=4 2=16
"""
FAR = (3, 1_000_000)
"""Rows so much longer than those of the LSTM that it reads memory that is not there."""
CHILD = """
import sys
import numpy as np
from ncnnparam.errors import BadItemError
from ncnnparam.quantize.accuracy import compare_nets
from ncnnparam.quantize.calibrate import calibrate
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.mixed import Nearness
from ncnnparam.runtime.session import Session

what, *pair = sys.argv[1:]
inputs = {"in0": np.ones(FAR, np.float32)}
items = array_items([inputs]).good
try:
    if what == "unguarded":
        Session(*pair).run(inputs, ["out0"])
    elif what == "calibrate":
        calibrate(*pair, [inputs])
    elif what == "compare":
        compare_nets(pair, pair, items)
    else:
        Nearness(pair, items)(pair)
except BadItemError as error:
    sys.exit(error.message)
""".replace("FAR", str(FAR))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    filled(NET).save(*files)
    return files


@pytest.fixture
def int8(tmp_path: Path, pair: Pair) -> Pair:
    files = str(tmp_path / "q.param"), str(tmp_path / "q.bin")
    model = load(*pair)
    quantize(model.graph, calibrate(*pair, [FITS]))
    model.save(*files)
    return files


def test_models_are_not_compared_on_such_inputs(pair: Pair, int8: Pair) -> None:
    right, wrong = (array_items([inputs]).good for inputs in (FITS, WRONG))
    for first, second in ((pair, int8), (int8, pair), (int8, int8)):
        compare_nets(first, second, right)
        with pytest.raises(BadItemError, match=r"blob 'a' .* takes an image of 3 channels"):
            compare_nets(first, second, wrong)
    sensitivity(pair, int8, right)
    assert Nearness(pair, right)(int8) > 20
    for run in (lambda: sensitivity(pair, int8, wrong), lambda: Nearness(pair, wrong)(int8)):
        with pytest.raises(BadItemError, match=r"item 1: blob 'a' .* takes an image of 3 channels"):
            run()


def test_the_second_model_has_demands_of_its_own(tmp_path: Path, pair: Pair) -> None:
    other = str(tmp_path / "o.param"), str(tmp_path / "o.bin")
    filled(NET.replace("6=54", "6=18")).save(*other)
    with pytest.raises(BadItemError, match="takes an image of 1 channel"):
        compare_nets(pair, other, array_items([FITS]).good)
    with pytest.raises(BadItemError, match="takes an image of 1 channel"):
        Nearness(pair, array_items([FITS]).good)(other)


def test_a_search_on_other_items_than_those_of_the_table(pair: Pair) -> None:
    runner, part = prepare_net(*pair)
    with pytest.raises(BadItemError, match="takes an image of 3 channels"):
        equalize(runner, part.layers, array_items([WRONG]).good, calibrate(*pair, [FITS]))


@pytest.mark.parametrize("what", ["calibrate", "compare", "nearness"])
def test_a_layer_is_computed_only_once_its_input_was_looked_at(tmp_path: Path, what: str) -> None:
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    filled(CRASHES).save(*files)
    ended = subprocess.run([sys.executable, "-c", CHILD, what, *files], capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"blob 'a' has the shape {FAR}, and layer 'lstm' (LSTM) takes rows of 6 numbers" in ended.stderr


def test_the_net_of_the_last_test_does_crash(tmp_path: Path) -> None:
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    filled(CRASHES).save(*files)
    words = [sys.executable, "-c", CHILD, "unguarded", *files]
    assert subprocess.run(words, capture_output=True).returncode < 0


def test_layers_that_need_no_scale_are_looked_at_too(tmp_path: Path) -> None:
    """ncnn divides by zero in such a Gemm."""
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    net = """7767517
    4 4
    Input         in   0 1 in0
    ReLU          relu 1 1 in0 a
    Gemm          gemm 1 1 a b 3=1 5=1 6=1 8=4 9=6 10=-1
    InnerProduct  fc   1 1 b out0 0=4 2=16
    """
    filled("\n".join(line.strip() for line in net.splitlines())).save(*files)
    inputs = {"in0": np.ones((2, 60), np.float32)}
    for options in ({"lower": True}, {"lower": False}, {"compat": True}):
        with pytest.raises(BadItemError, match=r"layer 'gemm' \(Gemm\) takes rows of 6 numbers"):
            calibrate(*files, [inputs], **options)


def test_only_what_is_on_the_way_is_looked_at() -> None:
    graph = filled(CRASHES).graph
    assert [demand.blob for demand in guard_of(graph, ["out0"]).demands] == ["a", "b", "c"]
    assert [demand.blob for demand in guard_of(graph, ["b"]).demands] == ["a"]
    assert guard_of(graph, ["a"]).demands == ()


def test_no_golden_is_refused(shared: Path) -> None:
    golden, looked_at = shared / "golden", 0
    with (golden / "loads/loads.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        if (row["rc_param"], row["rc_bin"]) != ("0", "0") or not row["param"].endswith(".param"):
            continue
        pair = str(golden / row["param"]), str(golden / row["bin"])
        graph = load(*pair).graph
        with np.load(golden / "loads" / row["outputs"]) as outputs:
            names = outputs.files
        fed = [words.split("=") for words in row["inputs"].split(";") if words]
        net, guard = Session(*pair, custom_types(graph)), guard_of(graph, names)
        guard.start(net, {blob: np.load(golden / path) for blob, path in fed}).fetch(names)
        net.close()
        looked_at += len(guard.demands)
    assert looked_at > 1000


@pytest.mark.parametrize("golden", CALIBRATED, ids=str)
def test_no_item_of_a_golden_table_is_refused(golden: Golden, shared: Path) -> None:
    table = calibrate(*golden.files(shared), golden.inputs(shared), golden.method, compat=True)
    assert set(table) == set(golden.rows(shared))
