"""The registry answers what ncnn knows about its layer types, and its data is whole."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import OpsError
from ncnnparam.ops import Arity, LayerType, declare, registry
from ncnnparam.ops.registry import COMMON_PARAMS
from ncnnparam.syntax import Value

PYTHON_TYPES = {"int": int, "float": float, "array": tuple, "string": str}
ANYTHING = st.one_of(
    st.sampled_from((-(2**31), -1, 0, 1, 2, 7, 400, 2**31 - 1)),
    st.sampled_from((0.5, -1.0, 1e38)),
    st.sampled_from(("", "x", "0w,0h")),
    st.lists(st.integers(-5, 5) | st.sampled_from((0.5, 2.0)), max_size=5).map(tuple),
)
ALL_TYPES = [pytest.param(registry.get(name), id=name) for name in registry.names()]

# where ncnn 1.0.20261020 itself reads something else than the facts say: (only in the facts, only here)
VARIANCES = ("variances_0", "variances_1", "variances_2", "variances_3")
FACTS_DIFFER: dict[str, tuple[set[tuple[int, str, str]], set[tuple[int, str, str]]]] = {
    "DetectionOutput": (set(), {(5 + i, name, "float") for i, name in enumerate(VARIANCES)}),
    "Fold": ({(0, "num_output", "int")}, set()),
    "Packing": ({(4, "storage_type_from", "int"), (5, "storage_type_to", "int")}, set()),
    "PriorBox": (set(), {(3 + i, name, "float") for i, name in enumerate(VARIANCES)}),
    "Requantize": ({(4, "activation_params", "int")}, {(4, "activation_params", "array")}),
    "Unfold": ({(0, "num_output", "int")}, set()),
}


def known(name: str) -> LayerType:
    layer_type = registry.get(name)
    assert layer_type is not None
    return layer_type


def test_param_is_found_by_id_and_by_name() -> None:
    spec = known("Convolution").param(1)
    assert spec is not None
    assert (spec.id, spec.name, spec.type, spec.default) == (1, "kernel_w", "int", 0)
    assert known("Convolution").param("kernel_w") is spec


def test_unknown_names_are_none() -> None:
    assert registry.get("convolution") is None
    assert known("Convolution").param("kernel") is None
    assert known("Convolution").param(29) is None


def test_every_layer_has_ncnns_own_params() -> None:
    assert known("Split").params == ()
    assert known("Split").param(30) is known("Split").param("shape_hints") is COMMON_PARAMS[0]
    assert known("Split").param(31) is known("Split").param("featmask") is COMMON_PARAMS[1]


def test_ncnns_types_come_first_and_sherpas_are_custom() -> None:
    custom = ("PoolingModuleNoProj", "SherpaMetaData", "SimpleUpsample", "Stack", "TensorAsStrided")
    assert len(registry.names()) == 110 + len(custom)
    assert registry.names()[110:] == custom
    assert tuple(name for name in registry.names() if known(name).custom) == custom


def test_value_prefers_what_the_layer_says() -> None:
    assert known("Convolution").value("dilation_w", {2: 4}) == 4
    assert known("Convolution").value("dilation_w", {}) == 1
    assert known("Convolution").value("activation_params", {}) == ()
    assert known("Reshape").value("shape_expr", {}) == ""


def test_value_follows_defaults_that_name_another_param() -> None:
    convolution = known("Convolution")
    assert convolution.value("kernel_h", {1: 3}) == 3
    assert convolution.value("pad_bottom", {4: 2}) == 2, "pad_bottom <- pad_top <- pad_left"
    assert convolution.value("pad_bottom", {4: 2, 14: 1}) == 1


def test_value_computes_formulas_as_c_does() -> None:
    assert known("Spectrogram").value("hoplen", {0: 402}) == 100
    attention = known("MultiHeadAttention")
    assert attention.value("scale", {0: 64, 1: 4}) == 0.25
    assert attention.value("scale", {0: 64, 1: 0}) == math.inf
    assert attention.value("scale", {}) == math.inf
    assert attention.value("scale", {0: "x"}) == math.inf, "a file may say anything"


def test_value_of_an_unknown_param_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        known("ReLU").value("slop", {})


def test_c_constants_are_numbers() -> None:
    (largest,) = struct.unpack("<f", b"\xff\xff\x7f\x7f")
    assert known("Clip").value("max", {}) == largest
    assert known("Clip").value("min", {}) == -largest


@pytest.mark.parametrize(
    ("word", "meant"),
    [("convolution", "Convolution"), ("Convolution1d", "Convolution1D"), ("InnerProdct", "InnerProduct")],
)
def test_suggest_a_type(word: str, meant: str) -> None:
    hint = registry.suggest(word)
    assert hint is not None
    assert meant in hint


def test_suggest_a_param() -> None:
    assert known("Split").suggest("shape_hint") == "did you mean shape_hints?"
    hint = known("Convolution").suggest("kernelw")
    assert hint is not None
    assert "kernel_w" in hint


def test_suggest_nothing_when_nothing_is_close() -> None:
    assert registry.suggest("torch.unheard_of") is None
    assert known("Split").suggest("kernel_w") is None


def test_read_is_what_ncnn_works_with() -> None:
    convolution = known("Convolution")
    assert convolution.value("stride_w", {3: 2.0}) == 2.0
    assert convolution.read("stride_w", {3: 2.0}) == 1, "a float where an int is due counts for nothing"
    assert convolution.read("stride_h", {3: 2.0}) == 1
    assert convolution.read("pad_value", {18: 2}) == 2.0
    assert convolution.read("activation_params", {10: 2}) == ()


def test_values_have_words() -> None:
    spec = known("BinaryOp").param("op_type")
    assert spec is not None
    assert (spec.word(0), spec.word(2), spec.word(18), spec.word(19), spec.word("x")) == (
        "add",
        "mul",
        "rremainder",
        None,
        None,
    )


def test_words_shared_by_many_types() -> None:
    for name in ("Convolution", "InnerProduct", "Requantize", "DeconvolutionDepthWise3D"):
        spec = known(name).param("activation_type")
        assert spec is not None
        assert spec.word(4) == "sigmoid"


def test_arity() -> None:
    assert known("ReLU").arity({}) == (Arity(1, 1), Arity(1, 1))
    assert known("BinaryOp").arity({}) == (Arity(2, 2), Arity(1, 1))
    assert known("BinaryOp").arity({1: 1}) == (Arity(1, 1), Arity(1, 1))
    assert known("Convolution").arity({19: 1, 5: 1}) == (Arity(3, 3), Arity(1, 1))
    assert known("SDPA").arity({5: 1, 7: 1}) == (Arity(6, 6), Arity(3, 3))
    assert known("Split").outputs == Arity(1, None)
    assert [str(Arity(*bounds)) for bounds in ((1, 1), (1, 3), (2, None))] == ["1", "1 to 3", "2 or more"]


def test_int8() -> None:
    assert known("Convolution").is_int8({8: 2})
    assert not known("Convolution").is_int8({})
    assert known("Gemm").is_int8({18: 2})
    assert not known("Gemm").is_int8({18: 412}), "packed low-bit weights, computed in float"
    assert not known("ReLU").is_int8({})


def test_weight_layout() -> None:
    layout = known("InnerProduct").weight_layout({0: 4, 1: 1, 2: 12, 8: 2})
    assert [(array.name, array.kind, array.shape, array.count, array.size) for array in layout] == [
        ("weight_data", "tagged", (4, 3), 12, None),
        ("bias_data", "raw", (4,), 4, 16),
        ("weight_data_int8_scales", "raw", (4,), 4, 16),
        ("bottom_blob_int8_scales", "raw", (1,), 1, 4),
    ]
    packed = known("Gemm").weight_layout({3: 1, 5: 1, 8: 5, 9: 33, 18: 601})
    assert [(array.name, array.kind, array.shape, array.size) for array in packed] == [
        ("B_data", "bytes", (5, 25), 128),
        ("B_data_quantize_scales", "raw", (5, 1), 20),
    ]


def test_a_size_that_contradicts_the_others_makes_a_flat_array() -> None:
    (weight,) = known("Convolution").weight_layout({0: 4, 1: 3, 6: 73})
    assert weight.shape == (73,)
    (weight,) = known("Convolution").weight_layout({1: 3, 6: 73})
    assert weight.shape == (73,)


@pytest.mark.parametrize(
    ("name", "params", "complaint"),
    [
        (
            "InnerProduct",
            {0: 4, 2: -12},
            "InnerProduct: weight_data would have -12 elements: weight_data_size is -12",
        ),
        ("Bias", {}, "Bias: bias_data would have 0 elements: bias_data_size is 0"),
        (
            "MemoryData",
            {0: 65536, 1: 65536},
            "MemoryData: data would have 65536 x 65536 elements: w is 65536, h is 65536",
        ),
        ("MemoryData", {0: -2, 1: -3}, "MemoryData: data would have -3 x -2 elements: w is -2, h is -3"),
        (
            "LSTM",
            {1: 64},
            "LSTM: weight_xc_data has no size: the formula '.*' divides by zero: "
            "weight_data_size is 64, direction is 0, hidden_size is 0",
        ),
    ],
)
def test_sizes_that_cannot_be(name: str, params: dict[int, Value], complaint: str) -> None:
    with pytest.raises(OpsError, match=complaint):
        known(name).weight_layout(params)


@pytest.mark.parametrize(
    ("name", "params", "complaint", "refused"),
    [
        (
            "Convolution",
            {0: 4, 1: 3, 3: 2.0, 6: 36},
            "stride_w is an int, not 2.0: ncnn takes the default instead",
            False,
        ),
        ("Reduction", {3: 1, 5: 1}, "axes is an array of ints, not 1: ncnn refuses anything else", True),
        (
            "Reduction",
            {3: (0.5,), 5: 1},
            "axes is an array of ints, not (0.5,): ncnn refuses anything else",
            True,
        ),
        (
            "InnerProduct",
            {0: 4, 2: 8, 9: 6, 10: (1.0,)},
            "ncnn demands not activation_type in (3, 6) or len(activation_params) >= 2, "
            "but activation_type is 6, len(activation_params) is 1",
            True,
        ),
        (
            "Flip",
            {0: "x" * 99},
            f"axes is an array of ints, not '{'x' * 59}...: ncnn refuses anything else",
            True,
        ),
        ("Permute", {0: 24}, "order_type is 24, and the most is 23", True),
        ("Permute", {0: -1}, "order_type is -1, and the least is 0", True),
        ("Flip", {0: (0, -5)}, "axes is -5, and the least is -4", True),
        ("Softmax", {0: 1}, "ncnn demands fixbug0 != 0 or axis == 0, but axis is 1, fixbug0 is 0", True),
        (
            "InnerProduct",
            {0: 4, 2: 10},
            "ncnn demands weight_data_size % num_output == 0, but num_output is 4, weight_data_size is 10",
            True,
        ),
        (
            "Gemm",
            {18: 400},
            "ncnn demands not low_bit or constantA == 0 and constantB == 1 and transB == 1, "
            "but transB is 0, constantA is 0, constantB is 0, quantize_term is 400",
            True,
        ),
    ],
)
def test_violations(name: str, params: dict[int, Value], complaint: str, refused: bool) -> None:
    (violation,) = known(name).violations(params)
    assert (violation.message, violation.refused) == (complaint, refused)
    assert violation.param.id in params or name == "Softmax"


@given(st.sampled_from(registry.names()), st.dictionaries(st.integers(0, 31), ANYTHING))
def test_any_params_are_answered(name: str, params: dict[int, Value]) -> None:
    layer_type = known(name)
    for violation in layer_type.violations(params):
        assert violation.param.id in {spec.id for spec in (*layer_type.params, *COMMON_PARAMS)}
    for spec in layer_type.params:
        layer_type.value(spec.id, params)
        assert isinstance(layer_type.read(spec.id, params), PYTHON_TYPES[spec.type])
    inputs, outputs = layer_type.arity(params)
    assert inputs.minimum >= 0 <= outputs.minimum
    layer_type.is_int8(params)
    with contextlib.suppress(OpsError):
        assert all(0 < array.count < 2**31 for array in layer_type.weight_layout(params))


def test_a_sound_layer_violates_nothing() -> None:
    assert (
        known("Convolution").violations({0: 4, 1: 3, 6: 36, 9: 2, 10: (0.1,), 30: (3, 4, 4, 4), 31: 1}) == []
    )
    assert known("ReLU").violations({0: 1}) == [], "ncnn takes an int for a float"


@pytest.mark.parametrize("layer_type", ALL_TYPES)
def test_the_data_is_sound(layer_type: LayerType) -> None:
    ids = [spec.id for spec in layer_type.params]
    names = [spec.name for spec in layer_type.params]
    assert ids == sorted(set(ids))
    assert set(ids) <= set(range(30))
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    for spec in layer_type.params:
        assert isinstance(layer_type.value(spec.id, {}), PYTHON_TYPES[spec.type]), spec
        assert spec.meaning, spec
        assert not spec.meaning.endswith("."), spec
    declare.check(layer_type)
    assert layer_type.summary
    # who does not say how many blobs there are means one in and one out
    table = registry._tables()[layer_type.name]
    assert layer_type.one_blob_only or {"inputs", "outputs"} <= table.keys()


def test_what_a_param_means_everywhere_is_used() -> None:
    rows = [row for table in registry._tables().values() for row in table.get("params", ())]
    bare = {row[1] for row in rows if len(row) < 5 or isinstance(row[4], dict)}
    assert bare == set(registry._read("common"))


def test_the_params_are_those_of_the_facts(shared: Path) -> None:
    facts = json.loads((shared / "facts" / "layers.json").read_text())
    assert facts.keys() <= set(registry.names())
    for name, fact in facts.items():
        said = {
            (param["id"], param["name"], param["type"].replace("str", "string")) for param in fact["params"]
        }
        ours = {(spec.id, spec.name, spec.type) for spec in known(name).params}
        assert (said - ours, ours - said) == FACTS_DIFFER.get(name, (set(), set())), name


def test_one_blob_and_in_place_are_those_of_the_real_ncnn() -> None:
    ncnn = pytest.importorskip("ncnn")
    not_in_the_wheel = set()
    for name in registry.names()[:110]:
        layer, layer_type = ncnn.create_layer(name), known(name)
        if layer is None:
            not_in_the_wheel.add(name)
        else:
            real = (layer.one_blob_only, layer.support_inplace)
            assert (layer_type.one_blob_only, layer_type.inplace) == real, name
    assert not_in_the_wheel <= {"ArgMax", "SPP"}


def test_importing_reads_no_data() -> None:
    code = (
        "from ncnnparam.ops import registry; "
        "assert registry._tables.cache_info().currsize == 0; "
        "assert registry.get('ReLU') is registry.get('ReLU')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
