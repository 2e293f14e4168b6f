"""Inputs of shapes that ncnn would take, and read past the weights with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam.errors import BadItemError
from ncnnparam.quantize.accuracy import compare_nets
from ncnnparam.quantize.accuracy_sensitivity import sensitivity
from ncnnparam.quantize.calibrate import calibrate, prepare_net
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.demands import Demand, demands
from ncnnparam.quantize.int8 import quantize
from ncnnparam.quantize.lower_gemm import lower_gemm
from ncnnparam.quantize.rows import calibrated_layers
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


def test_models_are_not_compared_on_such_inputs(tmp_path: Path, pair: Pair) -> None:
    files = str(tmp_path / "fc.param"), str(tmp_path / "fc.bin")
    filled("7767517\n2 2\nInput in 0 1 in0\nInnerProduct fc 1 1 in0 out0 0=2 2=6\n").save(*files)
    right, wrong = ({"in0": np.arange(count, dtype=np.float32)} for count in (3, 4))
    table = calibrate(*files, [right])
    model = filled(Path(files[0]).read_text())
    quantize(model.graph, table)
    other = str(tmp_path / "q.param"), str(tmp_path / "q.bin")
    model.save(*other)
    for run in (compare_nets, sensitivity):
        run(files, other, array_items([right]).good)
        with pytest.raises(BadItemError, match="takes rows of 3 numbers"):
            run(files, other, array_items([wrong]).good)


@pytest.mark.parametrize(
    ("demand", "good", "bad"),
    [
        (Demand("x", "", 3, of_images=True), [(3, 5, 7), (3,)], [(3, 5), (5,), (3, 1, 1, 1)]),
        (Demand("x", "", 1, of_images=True), [(1, 5, 7), (5, 7)], [(5, 5, 7)]),
        (Demand("x", "", 6), [(6,), (4, 6), (2, 3), (3, 2, 1)], [(4,), (6, 4), (2, 2, 6)]),
        (Demand("x", "", 6, any_axes=True), [(6,), (4, 6), (2, 2, 6)], [(6, 4)]),
    ],
)
def test_which_shapes_fit(demand: Demand, good: list[tuple[int, ...]], bad: list[tuple[int, ...]]) -> None:
    for shape in good:
        demand.require(shape)
    for shape in bad:
        with pytest.raises(BadItemError):
            demand.require(shape)


def test_groups_count_and_lowered_layers_take_more_axes() -> None:
    grouped = layer_of("ConvolutionDepthWise x 1 1 in0 o 0=6 1=1 6=12 7=3")
    (found,) = demands(calibrated_layers(grouped.graph))
    assert (found.size, found.of_images) == (6, True)
    gemm = layer_of("Gemm x 1 1 in0 o 3=1 5=1 6=1 8=6 9=5 10=-1")
    lowered = [layer.name for layer in lower_gemm(gemm.graph)]
    (found,) = demands(calibrated_layers(gemm.graph), lowered)
    assert (found.size, found.any_axes) == (5, True)


def test_the_goldens_fit(shared: Path) -> None:
    folder = shared / "golden/cnn_chain"
    runner, part = prepare_net(folder / "m.param", folder / "m.bin")
    assert len(runner.demands) == len(part.layers)
