"""PyTorch beside ncnn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ncnnparam import loads, save
from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.quantize.accuracy_script import compare_script, random_items
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.runners import Pair
from ncnnparam.weights import Storage

torch = pytest.importorskip("torch")
pytest.importorskip("ncnn")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit.trace is old

NET = """7767517
2 2
Input         in0  0 1 in0
InnerProduct  fc   1 1 in0 out0 0=2 1=0 2=6
"""
WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def net(tmp_path: Path) -> Pair:
    model = loads(NET)
    model.graph.layer("fc").weights.put("weight_data", WEIGHTS, Storage.FLOAT32)
    pair = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    save(model, *pair)
    return pair


def traced(path: Path, weights: Any) -> str:
    """A linear layer as a TorchScript file."""
    layer = torch.nn.Linear(3, 2, bias=False)
    layer.weight.data = torch.from_numpy(weights)
    torch.jit.trace(layer, torch.zeros(1, 5, 3)).save(str(path))
    return str(path)


def test_the_same_and_not_the_same(net: Pair, tmp_path: Path) -> None:
    items = array_items({"in0": np.full((5, 3), number, np.float32)} for number in range(1, 20))
    done: list[int] = []
    equal = compare_script(traced(tmp_path / "a.pt", WEIGHTS), net, items.good, advance=done.append)
    assert len(done) == 19
    assert list(equal.outputs) == ["out0"]
    assert equal.sqnr > 100
    assert compare_script(traced(tmp_path / "b.pt", 1.1 * WEIGHTS), net, items.good).sqnr == pytest.approx(
        20 * np.log10(11), abs=0.01
    )


def test_items_that_the_net_cannot_take(net: Pair, tmp_path: Path) -> None:
    script = str(tmp_path / "r.pt")
    torch.jit.trace(torch.nn.ReLU(), torch.zeros(1, 5, 3)).save(script)
    items = array_items([{"in0": np.ones((5, 4), np.float32)}])
    with pytest.raises(BadItemError, match=r"item 1: .*layer 'fc' \(InnerProduct\) takes rows of 3 numbers"):
        compare_script(script, net, items.good)


def test_random_items_have_the_recorded_shapes(net: Pair, tmp_path: Path) -> None:
    script = traced(tmp_path / "a.pt", WEIGHTS)
    items = random_items(script, ["in0"])
    assert [item.load()["in0"].shape for item in items.good] == [(5, 3)] * 3
    assert compare_script(script, net, items.good).sqnr > 100


def test_inputs_that_need_data(tmp_path: Path) -> None:
    counts = str(tmp_path / "i.pt")
    torch.jit.trace(torch.nn.Embedding(4, 2), torch.zeros(1, 3, dtype=torch.int64)).save(counts)
    with pytest.raises(ConfigError, match="not made of floats"):
        random_items(counts, ["in0"])
    with pytest.raises(ConfigError, match="not made of floats"):
        random_items(counts, ["in0", "in1"])
    with pytest.raises(ConfigError, match="'data' is none of in0, in1"):
        random_items(counts, ["data"])
    again = tmp_path / "again.pt"
    torch.jit.load(counts).save(str(again))
    with pytest.raises(ConfigError, match="does not tell the shapes"):
        random_items(str(again), ["in0"])


def test_an_output_that_the_module_lacks(net: Pair, tmp_path: Path) -> None:
    param = Path(net[0])
    param.write_text(param.read_text().replace("out0", "out1"))
    script = traced(tmp_path / "a.pt", WEIGHTS)
    items = random_items(script, ["in0"])
    with pytest.raises(BadItemError, match="gives 1 outputs, and none for 'out1'"):
        compare_script(script, net, items.good)
    with pytest.raises(BadItemError, match="nothing to run"):
        compare_script(script, net, [])
