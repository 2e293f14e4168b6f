"""Inputs of shapes that ncnn would take, and read past the weights with."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ncnnparam.errors import BadItemError
from ncnnparam.quantize.calibrate import calibrate
from ncnnparam.quantize.demands import Demand, Shape, demands
from ncnnparam.quantize.runners import Pair

from .test_int8 import filled
from .test_int8_parts import layer_of

pytest.importorskip("ncnn")

NET = """7767517
4 4
Input                in   0 1 in0
ReLU                 relu 1 1 in0 a
Convolution          conv 1 1 a b 0=2 1=3 4=1 6=54
InnerProduct         fc   1 1 b out0 0=2 2=64
"""
FITS = np.ones((3, 4, 4), np.float32)
WRONG = {
    "more channels": (5, 4, 4),
    "one channel": (4, 4),
    "channels last": (4, 4, 3),
    "a batch axis": (1, 3, 4, 4),
}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    filled(NET).save(*files)
    return files


@pytest.mark.parametrize("shape", WRONG.values(), ids=WRONG)
def test_a_convolution_gets_other_channels(pair: Pair, shape: tuple[int, ...]) -> None:
    assert "conv" in calibrate(*pair, [{"in0": FITS}])
    with pytest.raises(BadItemError, match=r"item 2: blob 'a' has the shape .* takes an image of 3 channels"):
        calibrate(*pair, [{"in0": FITS}, {"in0": np.ones(shape, np.float32)}])


def test_an_inner_product_gets_more_numbers(pair: Pair) -> None:
    with pytest.raises(BadItemError, match=r"blob 'b' has the shape \(2, 5, 4\).* takes rows of 32 numbers"):
        calibrate(*pair, [{"in0": np.ones((3, 5, 4), np.float32)}])


def test_an_input_too_small_for_a_kernel(tmp_path: Path) -> None:
    """ncnn computes a blob of negative sizes then."""
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    filled(NET.replace(" 4=1", "")).save(*files)
    with pytest.raises(BadItemError, match="item 1: ncnn cannot compute 'b'"):
        calibrate(*files, [{"in0": np.ones((3, 1, 1), np.float32)}])


@dataclass(frozen=True)
class Case:
    """A layer with one input.

    Attributes:
        line: Its type and params.
        size: How many channels or numbers it takes.
        good: Shapes that fit, each with one that means the same and about which there is no doubt.
        bad: Shapes that do not fit.
        exact: In int8, it computes the same of both.
    """

    line: str
    size: int
    good: tuple[tuple[Shape, Shape], ...]
    bad: tuple[Shape, ...]
    exact: bool = True

    def __str__(self) -> str:
        return self.line.replace(" ", "-")


IMAGES = ((3, 4, 5), (3, 4, 5)), ((3, 1, 4, 5), (3, 4, 5))
NO_IMAGES = (4, 4, 5), (2, 4, 5), (1, 4, 5), (3, 2, 4, 5), (1, 3, 4, 5), (4, 5), (3, 5)
LINES = ((16, 7), (16, 7)), ((1, 16, 7), (16, 7)), ((1, 1, 16, 7), (16, 7))
NO_LINES = (15, 7), (7, 16), (16,), (16, 1, 7), (2, 16, 7)
ONE_LINE = ((16,), (1, 16)), ((7,), (1, 7)), ((1, 1, 7), (1, 7))
VOLUMES = ((3, 2, 4, 5), (3, 2, 4, 5)), ((3, 4, 5), (3, 1, 4, 5))
NO_VOLUMES = (4, 2, 4, 5), (4, 5), (3,)
FLAT = ((8,), (8,)), ((4, 8), (4, 8)), ((2, 4), (8,)), ((4, 2, 1), (8,)), ((2, 2, 1, 2), (8,))
NOT_FLAT = (9,), (8, 4), (1, 4, 8), (2, 2, 8)
ROWS = ((4, 8), (4, 8)), ((4, 1, 8), (4, 8)), ((16, 1, 8), (16, 8)), ((1, 1, 8), (1, 8))
NO_ROWS = (8, 4), (8,), (1, 4, 8), (2, 2, 8), (1, 1, 4, 8), (2, 4)
COLUMNS = ((8, 5), (8, 5)), ((8, 1, 5), (8, 5))
NO_COLUMNS = (5, 8), (8,), (1, 8, 5), (8, 2, 5)
SEQUENCES = ((3, 16), (3, 16)), ((16,), (1, 16)), ((1, 3, 16), (3, 16)), ((1, 1, 3, 16), (3, 16))
NO_SEQUENCES = (16, 3), (3, 17), (17,), (3, 1, 16), (2, 3, 16)
MATRICES, NO_MATRICES = (((3, 8), (3, 8)),), ((8,), (3, 9), (8, 3), (1, 3, 8), (3, 1, 8))
CASES = [
    *(Case(f"Convolution 0=2 1=3 4=1 6=54{int8}", 3, IMAGES, (*NO_IMAGES, (3,))) for int8 in ("", " 8=2")),
    Case("Convolution 0=16 1=1 6=256", 16, (((16,), (16, 1, 1)),), ((5,), (16, 16), (1, 16))),
    Case("Convolution 0=16 1=1 6=256 8=2", 16, (((16, 1, 1), (16, 1, 1)),), ((16,),)),
    Case("Convolution 0=2 1=3 4=1 6=18", 1, (((1, 16, 5), (1, 16, 5)),), ((16, 5), (4, 5), (1,))),
    *(
        Case(f"ConvolutionDepthWise 0=3 1=3 4=1 6=27 7=3{int8}", 3, IMAGES, (*NO_IMAGES, (3,)))
        for int8 in ("", " 8=1")
    ),
    Case("ConvolutionDepthWise 0=6 1=1 6=12 7=3", 6, (((6, 2, 2), (6, 2, 2)),), ((2, 2, 2), (3, 2, 2), (6,))),
    Case("Deconvolution 0=2 1=3 6=54", 3, IMAGES, (*NO_IMAGES, (3,))),
    Case("DeconvolutionDepthWise 0=3 1=3 6=27 7=3", 3, IMAGES, NO_IMAGES),
    Case("Convolution1D 0=2 1=3 4=1 6=96", 16, LINES, NO_LINES),
    Case("Convolution1D 0=16 1=3 4=1 6=48", 1, ONE_LINE, ((2, 7), (7, 1))),
    Case("ConvolutionDepthWise1D 0=16 1=3 4=1 6=48 7=16", 16, LINES, NO_LINES),
    Case("Deconvolution1D 0=2 1=3 6=96", 16, LINES, NO_LINES),
    Case("Deconvolution1D 0=16 1=3 6=48", 1, ONE_LINE, ((2, 7), (7, 1))),
    Case("DeconvolutionDepthWise1D 0=16 1=3 6=48 7=16", 16, LINES, NO_LINES),
    Case("Convolution3D 0=2 1=1 6=6", 3, VOLUMES, NO_VOLUMES),
    Case("ConvolutionDepthWise3D 0=3 1=1 6=3 7=3", 3, VOLUMES, NO_VOLUMES),
    Case("Deconvolution3D 0=2 1=3 6=162", 3, VOLUMES, NO_VOLUMES),
    Case("DeconvolutionDepthWise3D 0=3 1=3 6=81 7=3", 3, VOLUMES, NO_VOLUMES),
    *(Case(f"InnerProduct 0=2 2=16{int8}", 8, FLAT, NOT_FLAT) for int8 in ("", " 8=2")),
    Case("InnerProduct 0=2 2=2", 1, (((1,), (1,)), ((4, 1), (4, 1)), ((1, 1, 1), (1,))), ((1, 4), (2,))),
    *(Case(f"Gemm 3=1 5=1 6=1 8=2 9=8 10=-1{int8}", 8, ROWS, NO_ROWS) for int8 in ("", " 18=2")),
    *(Case(f"Gemm 3=1 4=1 6=1 7=2 9=8 10=-1{int8}", 8, ROWS, NO_ROWS) for int8 in ("", " 18=2")),
    Case("Gemm 5=1 6=1 8=2 9=6 10=-1", 6, (((6,), (1, 6)),), ((12,), (2, 3), (6, 1))),
    *(Case(f"Gemm 2=1 3=1 5=1 6=1 8=2 9=8 10=-1{int8}", 8, COLUMNS, NO_COLUMNS) for int8 in ("", " 18=2")),
    Case("Gemm 4=1 6=1 7=2 9=8 10=-1", 8, COLUMNS, NO_COLUMNS),
    *(
        Case(f"{line}{int8}", 16, SEQUENCES, NO_SEQUENCES, exact=not int8)
        for line in ("LSTM 0=2 1=128", "LSTM 0=2 1=256 2=2", "GRU 0=2 1=96", "RNN 0=2 1=32")
        for int8 in ("", " 8=2")
    ),
    *(Case(f"MultiHeadAttention 0=8 1=2 2=64{int8}", 8, MATRICES, NO_MATRICES) for int8 in ("", " 18=2")),
]
RUN_ALL = """
import sys
import numpy as np
from ncnnparam.runtime.session import Session

for folder in sys.argv[1:]:
    net = Session(f"{folder}/m.param", f"{folder}/m.bin")
    with np.load(f"{folder}/in.npz") as inputs:
        outputs = {name: net.run({"in0": inputs[name]}, ["out0"])["out0"] for name in inputs}
    np.savez(f"{folder}/out.npz", **outputs)
    net.close()
"""
"""Runs nets, each on several inputs; in another process, since ncnn may crash."""


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, NDArray[Any]]]:
    """What ncnn makes of all good shapes, by case and shape."""
    folders = {str(case): tmp_path_factory.mktemp("case") for case in CASES}
    for case, folder in zip(CASES, folders.values(), strict=True):
        type, _, params = case.line.partition(" ")
        net = f"7767517\n2 2\nInput in 0 1 in0\n{type} x 1 1 in0 out0 {params}\n"
        filled(net).save(folder / "m.param", folder / "m.bin")
        inputs = {str(shape): _numbers(shape) for pair in case.good for shape in pair}
        np.savez(folder / "in.npz", **inputs)
    subprocess.run([sys.executable, "-c", RUN_ALL, *map(str, folders.values())], check=True)
    return {name: dict(np.load(folder / "out.npz")) for name, folder in folders.items()}


def _numbers(shape: Shape) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(prod(shape), np.float32).reshape(shape)


def _only_demand(line: str) -> Demand:
    type, _, params = line.partition(" ")
    (layer,) = layer_of(f"{type} x 1 1 in0 o {params}").graph.find(type)
    (demand,) = set(demands(layer))
    return demand


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_fits_is_computed_right(case: Case, computed: dict[str, dict[str, NDArray[Any]]]) -> None:
    demand, outputs = _only_demand(case.line), computed[str(case)]
    assert demand.size == case.size
    for shape, same in case.good:
        demand.require(shape)
        found = outputs[str(shape)].reshape(-1)
        assert np.isfinite(found).all()
        if case.exact:
            assert found == pytest.approx(outputs[str(same)].reshape(-1), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_does_not_fit(case: Case) -> None:
    demand = _only_demand(case.line)
    for shape in case.bad:
        with pytest.raises(BadItemError, match="'in0' has the shape"):
            demand.require(shape)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Convolution 0=2 1=1 6=2", r"layer 'x' \(Convolution\) takes an image of 1 channel$"),
        ("Convolution3D 0=2 1=1 6=4", "takes a volume of 2 channels$"),
        ("Convolution1D 0=2 1=1 6=4", "takes 2 channels$"),
        ("InnerProduct 0=2 2=2", "takes rows of 1 number$"),
        ("Gemm 3=1 5=1 6=1 8=2 9=5 10=-1", r"layer 'x' \(Gemm\) takes rows of 5 numbers$"),
        ("Gemm 2=1 5=1 6=1 8=2 9=5 10=-1", "takes columns of 5 numbers$"),
        ("MultiHeadAttention 0=8 2=64", "takes a matrix of rows of 8 numbers$"),
    ],
)
def test_words(line: str, told: str) -> None:
    with pytest.raises(BadItemError, match=told):
        _only_demand(line).require((7, 7, 7, 7))


def _demanded(line: str) -> list[tuple[str, int]]:
    names = [word for word in line.split() if word.startswith("in")]
    inputs = "".join(f"Input {name} 0 1 {name}\n" for name in names)
    model = filled(f"7767517\n{len(names) + 1} {len(names) + 1}\n{inputs}{line}\n")
    (layer,) = model.graph.find(line.split()[0])
    return [(one.blob, one.size) for one in demands(layer)]


def test_layers_of_several_inputs() -> None:
    attention = "MultiHeadAttention x {} 1 {} o 0=8 1=2 2=48 3=5 4=7"
    assert _demanded(attention.format(3, "in0 in1 in2")) == [("in0", 6), ("in1", 5), ("in2", 7)]
    assert _demanded(attention.format(2, "in0 in1")) == [("in0", 6), ("in1", 5), ("in1", 7)]
    assert _demanded(attention.format(3, "in0 in1 in2") + " 5=1") == [("in0", 6), ("in1", 5), ("in1", 7)]
    assert _demanded(attention.format(2, "in0 in1") + " 5=1") == [("in0", 6), ("in0", 5), ("in0", 7)]
    assert _demanded("LSTM x 3 1 in0 in1 in2 o 0=2 1=96 3=4") == [("in0", 6), ("in1", 2), ("in2", 4)]
    assert _demanded("GRU x 2 1 in0 in1 o 0=2 1=36") == [("in0", 6), ("in1", 2)]
    assert _demanded("Gemm x 2 1 in0 in1 o 5=1 8=2 9=6") == [("in0", 6)]
    assert _demanded("Gemm x 2 1 in0 in1 o") == []
    assert _demanded("Convolution x 2 1 in0 in1 o 0=2 1=3 19=1") == []


def test_states() -> None:
    one = layer_of("RNN x 2 1 in0 in0 o 0=4 1=32").graph.find("RNN")[0]
    both = layer_of("RNN x 2 1 in0 in0 o 0=4 1=64 2=2").graph.find("RNN")[0]
    good = {one: [(4,), (1, 4), (1, 1, 4)], both: [(2, 4), (1, 2, 4)]}
    bad = {one: [(8,), (2, 4), (4, 1)], both: [(8,), (1, 8), (4,), (1, 4), (2, 1, 4), (4, 2)]}
    for layer in (one, both):
        state = list(demands(layer))[1]
        for shape in good[layer]:
            state.require(shape)
        for shape in bad[layer]:
            with pytest.raises(BadItemError, match=r"rows? of 4 numbers"):
                state.require(shape)
