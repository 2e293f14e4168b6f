"""Pages about errors and calibrations."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path

import numpy as np
import pytest

from ncnnparam.diff.measure import Distance
from ncnnparam.quantize.accuracy import Accuracy, LayerError
from ncnnparam.quantize.accuracy_page import accuracy_page, sensitivity_page
from ncnnparam.quantize.accuracy_sensitivity import LayerCost
from ncnnparam.quantize.calibrate import prepare_net
from ncnnparam.quantize.calibration_page import calibration_page
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.statistics import Statistics

pytest.importorskip("jinja2")

STRANGE = "<script>&"


def distance(sqnr: float) -> Distance:
    return Distance(max_abs=0.5, mean_abs=0.1, cosine=0.99, sqnr=sqnr, not_finite=(0, 0))


def layer(name: str, sqnr: float | None) -> LayerError:
    found = None if sqnr is None else distance(sqnr)
    return LayerError(
        name, "Gemm", "fp32", "int8", f"{name}_out", found, 40.0, 30.0, "" if found else "not run"
    )


def assert_stands_alone(text: str) -> None:
    assert text.lower().startswith("<!doctype html>")
    assert STRANGE not in text
    assert not re.search(r"(?:src|href)\s*=\s*\"(?!#|data:)", text)
    assert "nan" not in re.findall(r"[a-z]+", re.sub(r"<[^>]*>", "", text))


def test_errors_of_layers() -> None:
    layers = (layer("equal", inf), layer(STRANGE, 21.7), layer("worst", -3.0), layer("unknown", None))
    accuracy = Accuracy(layers, {"out0": distance(12.3), "out1": None}, ((), ()))
    text = accuracy_page({"encoder": accuracy, "joiner": Accuracy((), {"out0": distance(inf)}, ((), ()))})
    assert_stands_alone(text)
    assert text.count("<svg") == 2
    for told in (
        "encoder",
        "joiner",
        "12.3 dB",
        "of another shape",
        "21.7",
        "not run",
        "equal, cosine",
        "Error by layer",
    ):
        assert told in text
    assert text.index("-3.0") < text.rindex("21.7")  # the table has the worst first


def test_costs_of_layers() -> None:
    costs = [LayerCost(f"layer{number}", "Gemm", "int8", 0.1 / (number + 1), "out0") for number in range(50)]
    text = sensitivity_page([LayerCost(STRANGE, "Gemm", "int8", inf, "out0"), *costs])
    assert_stands_alone(text)
    assert text.count("<svg") == 1
    assert "layer49" in text  # in the table
    assert "layer49" not in text[text.index("<svg") : text.index("</svg>")]


def test_a_calibration(tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text(
        "7767517\n4 4\nInput in 0 1 in0\nInnerProduct a<b> 1 1 in0 x 0=2 2=6\nReLU r 1 1 x y\n"
        "Gemm g 1 1 y out0 3=1 5=1 6=1 8=2 9=2 10=-1\n"
    )
    numbers = np.arange(6, dtype=np.float32).tobytes()
    weights.write_bytes(bytes(4) + numbers + bytes(4) + np.ones(4, np.float32).tobytes())
    runner, part = prepare_net(param, weights)
    seen = Statistics()
    collect(runner, array_items([{"in0": np.random.default_rng(0).normal(size=(9, 3))}]).good, seen)
    text = calibration_page([(part, part.table(seen))], seen, "mse")
    assert_stands_alone(text)
    assert text.count("<svg") == 2
    assert "a&lt;b&gt; (InnerProduct)" in text
    assert text.count(">minmax ") == 2  # in the legend of each chart
    assert "It has no row" in text
