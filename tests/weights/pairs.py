"""Real pairs beside the checkout, and small ones made by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import ROOT

SHARED = ROOT.parent / "shared"
DEMO = ROOT / "ncnnparam" / "demo"

NET = """7767517
4 4
Input in0 0 1 in0
InnerProduct fc 1 1 in0 a 0=3 1=1 2=15
ReLU relu 1 1 a b 0=0.1
InnerProduct last 1 1 b out0 0=2 1=0 2=6
"""
NET_ARRAYS = [("fc", "weight_data", 0), ("fc", "bias_data", 36), ("last", "weight_data", 48)]
"""Layer, array and offset of the arrays of ``NET`` with its first matrix as float16, padded, then float32."""


def corpus() -> Iterator[object]:
    """Each pair of the corpus: .param, .bin, and the bytes that ncnn reads."""
    index = SHARED / "corpus" / "index.tsv"
    if not index.is_file():
        return
    with index.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["bin"] != "-":
                paths = [index.parent / row[key] for key in ("param", "bin")]
                yield pytest.param(*paths, int(row["bin_consumed"]), id=row["param"][-40:])


def golden() -> Iterator[object]:
    """Each pair that a C++ tool wrote or read."""
    for weights in sorted((SHARED / "golden").glob("*/*.bin")):
        name = weights.name.removesuffix(".bin").removesuffix(".q")
        for param in (weights.with_suffix(".param"), weights.with_name(f"{name}.param")):
            if param.is_file() and weights.suffixes != [".param", ".bin"]:
                yield pytest.param(param, weights, id=f"{weights.parent.name}/{weights.name}")
                break


def demo() -> tuple[Path, Path]:
    """The encoder that ships with the package."""
    return DEMO / "encoder.ncnn.param", DEMO / "encoder.ncnn.bin"
