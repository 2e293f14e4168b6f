"""What ncnn2int8 writes, byte for byte, and what it cannot be asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ncnnparam import loads
from ncnnparam.checks import check
from ncnnparam.errors import ConfigError
from ncnnparam.ops import registry
from ncnnparam.quantize.compat import ncnn2int8
from ncnnparam.quantize.compat.model_writer import header, line
from ncnnparam.quantize.compat.ncnn2int8 import MOST_MADE_UP
from ncnnparam.quantize.compat.numbers import to_float16, to_int8, without_denormals
from ncnnparam.quantize.compat.random_weights import WEIGHTS, RandomWeights
from ncnnparam.quantize.compat.rules import COMPAT_RULES
from ncnnparam.quantize.compat.scale_table import tables
from ncnnparam.quantize.table import Table

from .int8_models import Made, all_made

HEAD = "7767517\n2 2\nInput in0 0 1 in0\n"
WORKING = [made for made in all_made() if made.works]
FAILING = [made for made in all_made() if not made.works]


def test_there_are_goldens(shared: Path) -> None:
    assert (len(WORKING), len(FAILING)) == (54, 3)


@pytest.mark.parametrize("made", WORKING, ids=str)
def test_the_same_bytes(made: Made, tmp_path: Path) -> None:
    converted = ncnn2int8(made.model(), made.table(), random=made.made_up)
    converted.save(tmp_path / "q.param", tmp_path / "q.bin")
    param, weights = made.int8_pair
    assert (tmp_path / "q.param").read_bytes() == param.read_bytes()
    assert (tmp_path / "q.bin").read_bytes() == weights.read_bytes()


@pytest.mark.parametrize("made", FAILING, ids=str)
def test_what_the_tool_refuses_or_dies_of_is_refused(made: Made) -> None:
    with pytest.raises(ConfigError, match=r"refuses the model|dies of it"):
        ncnn2int8(made.model(), made.table())


def linear(extra: str = "") -> str:
    return f"{HEAD}InnerProduct fc 1 1 in0 out0 0=2 1=0 2=6{extra}\n"


@pytest.mark.parametrize(
    "rows",
    ["fc_param_0 1 2 3\nfc 1\n", "fc_param_0 1\nfc 1\n", "fc_param_0 1 2\nfc 1 1\n"],
)
def test_rows_of_a_wrong_length_are_refused(rows: str) -> None:
    model = loads(linear())
    model.graph.layer("fc").weights.put("weight_data", np.ones(6))
    with pytest.raises(ConfigError, match=r"the row 'fc.*' of the table has \d scales"):
        ncnn2int8(model, Table.parse(rows))


def test_int8_weights_are_not_quantised_again() -> None:
    model = loads(linear(" 8=2"))
    weights = model.graph.layer("fc").weights
    for name, count in (("weight_data", 6), ("weight_data_int8_scales", 2), ("bottom_blob_int8_scales", 1)):
        weights.put(name, np.ones(count, np.float32))
    weights.put("weight_data", np.ones(6, np.int8), type(weights["weight_data"].storage).INT8)
    with pytest.raises(ConfigError, match="quantised already"):
        ncnn2int8(model, Table.parse("fc_param_0 1 1\nfc 1\n"))


def test_made_up_weights_have_a_limit() -> None:
    count = MOST_MADE_UP + 2
    with pytest.raises(ConfigError, match="at most"):
        ncnn2int8(loads(linear().replace("2=6", f"2={count}")), random=True)


def test_custom_weights_and_forgotten_params_are_found() -> None:
    text = (
        "7767517\n4 4\nInput in0 0 1 in0 0=4 11=3\nFlip f 1 1 in0 a -23300=1,0\n"
        "SimpleUpsample up 1 1 a b 0=2 1=4 2=8\nMyOwn my 1 1 b c 0=x 1=2\n"
    )
    graph = loads(text).graph
    found = {(one.code, one.layer) for one in check(graph, rules=COMPAT_RULES)}
    assert found == {("NP712", "up"), ("NP713", "in0"), ("NP713", "f"), ("NP713", "my")}
    with pytest.raises(ConfigError, match="does not read the weights of layer 'up'"):
        ncnn2int8(loads(text))


def test_forgotten_params_are_those_that_do_not_come_out() -> None:
    layer = loads(f"{HEAD}Flip f 1 1 in0 out0 -23300=1,0\n").graph.layer("f")
    assert line(layer, dict(layer.params)) == f"{'Flip':24} {'f':24} 1 1 in0 out0\n"


@pytest.mark.parametrize(
    ("params", "printed"),
    [
        ("-23330=4,1,7,0,0", "-23330=5,1,7,1,1,1"),
        ("-23330=4,2,7,5,0", "-23330=5,2,7,5,1,1"),
        ("-23330=4,3,7,5,4", "-23330=5,3,7,5,1,4"),
        ("-23330=5,4,7,5,3,4", "-23330=5,4,7,5,3,4"),
        ("-23330=4,0,0,0,0", ""),
        ("0=0.0", ""),
        ("0=0.25", "0=2.500000e-01"),
    ],
)
def test_hints_and_floats(params: str, printed: str) -> None:
    layer = loads(f"{HEAD}ReLU r 1 1 in0 out0 {params}\n").graph.layer("r")
    assert line(layer, dict(layer.params)) == f"{'ReLU':24} {'r':24} 1 1 in0 out0 {printed}".rstrip() + "\n"


def test_custom_params_come_in_the_order_of_their_ids() -> None:
    text = f"{HEAD}MyOwn my 1 1 in0 out0 5=1.5 -23303=2,1,2 -23304=1,0.5 0=7 2=word\n"
    layer = loads(text).graph.layer("my")
    expected = "0=7 -23303=2,1,2 -23304=1,5.000000e-01 5=1.500000e+00"
    assert line(layer, dict(layer.params)).endswith(f"out0 {expected}\n")


def test_marks_of_age() -> None:
    graph = loads(
        "7767517\n4 4\nInput in0 0 1 in0\nSoftmax s 1 1 in0 a 0=1 1=1\nSoftmax t 1 1 a b 0=0 1=1\n"
        "Reduction r 1 1 b c 0=3 1=0 -23303=1,0 5=1\n"
    ).graph
    texts = [line(layer, dict(layer.params)).split()[6:] for layer in graph.layers]
    assert texts[1:] == [["0=1", "1=1"], [], ["0=3", "1=0", "-23303=1,0", "5=1"]]


def test_names_are_padded_by_their_bytes() -> None:
    layer = loads(f"{HEAD}ReLU é 1 1 in0 out0\n").graph.layer("é")
    assert line(layer, {}).encode().index(b" 1 1 in0") == 49


def test_blobs_of_one_name_count_once() -> None:
    graph = loads("7767517\n3 3\nInput a 0 1 x\nInput b 0 1 x\nReLU r 1 1 x y\n").graph
    assert header(graph) == "7767517\n3 2\n"


def test_every_type_that_the_writer_knows_is_a_type() -> None:
    from ncnnparam.quantize.compat.model_writer import _orders

    for name, order in _orders().items():
        layer_type = registry.get(name)
        assert layer_type is not None
        ids = [int(entry["id"] if isinstance(entry, dict) else entry) for entry in order]
        assert len(ids) == len(set(ids))
        assert all(layer_type.param(id) is not None for id in ids)


def test_reading_as_the_tool_reads() -> None:
    text = "c_param_0 1e2 +5.5 0x1p6 .5 x7 60.zz\nc  2.5e1  \r\nd_param_x 1\n\nlost 1\n"
    inputs, weights = tables(Table.parse(text))
    assert {key: scales.tolist() for key, scales in inputs.items()} == {"c": [25]}
    assert {key: scales.tolist() for key, scales in weights.items()} == {
        "c_param_0": [100, 5.5, 64, 0.5, 0.5, 60],
        "d_param_x": [1],
    }


def test_int8_rounds_in_two_ways() -> None:
    almost_half = np.float32(0.49999997)
    values = np.full((1, 6), almost_half, np.float32)
    assert to_int8(values, np.ones(1, np.float32)).tolist() == [[1, 1, 1, 1, 0, 0]]
    values = np.array([[2.5, -2.5, 1e9, -1e9, 1e10, np.nan]], np.float32)
    assert to_int8(values, np.ones(1, np.float32)).tolist() == [[3, -3, 127, -127, -127, -127]]


def test_float16_cuts_the_tail() -> None:
    above = np.float32(1 + 2**-11 + 2**-20)  # nearer to the float16 above 1 than to 1
    halves = to_float16(np.full(6, above))
    assert halves.tolist() == [1 + 2**-10] * 4 + [1.0, 1.0]
    tail = to_float16(np.array([2.0**-15, -(2.0**-15), 1e6], np.float32))
    assert tail.view(np.uint16).tolist() == [0, 0x8000, 0x7C00]
    assert to_float16(np.array([2.0**-15], np.float32), cut_tail=False).tolist() == [2.0**-15]


def test_tiny_numbers_without_a_tag_become_zero() -> None:
    values = np.array([1e-31, -1e-31, 2e-30, -0.0], np.float32)
    assert without_denormals(values).tolist() == [0, 0, float(values[2]), 0]


def test_random_weights_lie_within_their_limits() -> None:
    numbers = RandomWeights().floats(1000, WEIGHTS)
    assert numbers.dtype == np.float32
    assert -1.2 <= numbers.min() < -1.1
    assert 1.1 < numbers.max() <= 1.2
    first, second = RandomWeights(), RandomWeights()
    assert np.array_equal(first.floats(5, WEIGHTS), second.floats(8, WEIGHTS)[:5])
