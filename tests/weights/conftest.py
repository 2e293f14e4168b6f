"""A small pair on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ncnnparam as nnp
from ncnnparam.weights import Storage

from .pairs import NET

Pair = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """``NET``: float16 of odd length with its padding as pnnx writes it, a bias, float32."""
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    model = nnp.loads(NET)
    fc, last = model.graph.layer("fc").weights, model.graph.layer("last").weights
    fc.put("weight_data", np.linspace(-1, 1, 15, dtype=np.float32), Storage.FLOAT16)
    fc["bias_data"] = np.array([1, 2, 3])
    last["weight_data"] = np.arange(6, dtype=np.float32)
    model.save(param, weights)
    data = bytearray(weights.read_bytes())
    assert data[34:36] == b"\0\0"
    data[34:36] = b"\x83\x22"
    weights.write_bytes(data)
    return param, weights
