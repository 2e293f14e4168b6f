"""How far a model is from another: sums, probes, nets and transducers on the real ncnn."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ncnnparam import load, loads, save
from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.quantize.accuracy import Accuracy, compare_nets
from ncnnparam.quantize.accuracy_probes import find_probes
from ncnnparam.quantize.accuracy_sensitivity import LayerCost, expected, keep_float, selector, sensitivity
from ncnnparam.quantize.accuracy_spread import by_chunks
from ncnnparam.quantize.accuracy_sums import Sums
from ncnnparam.quantize.accuracy_transducer import compare_transducers, prepare, require_same_chunks
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.data import Items, array_items
from ncnnparam.quantize.int8 import Options, quantize
from ncnnparam.quantize.runners import Pair
from ncnnparam.quantize.table import Table
from ncnnparam.quantize.wavs import wav_items
from ncnnparam.runtime.session import Session
from ncnnparam.speech.audio import read_wav
from ncnnparam.speech.files import NetFiles
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.stream import Stream
from ncnnparam.speech.transducer import Transducer

CHAIN = """7767517
4 4
Input         in    0 1 in0
InnerProduct  fc    1 1 in0 a 0=3 2=9
ReLU          relu  1 1 a b
InnerProduct  last  1 1 b out0 0=2 2=6
"""
random = np.random.default_rng(5)
FIRST, LAST = (random.standard_normal(size).astype(np.float32) for size in ((3, 3), (2, 3)))


def pair(folder: Path, name: str, text: str, *weights: np.ndarray[Any, Any]) -> Pair:
    param, content = folder / f"{name}.param", folder / f"{name}.bin"
    param.write_text(text)
    content.write_bytes(b"".join(bytes(4) + array.tobytes() for array in weights))
    return str(param), str(content)


def items(count: int = 3) -> Items:
    return array_items([{"in0": np.abs(random.standard_normal((4, 3)))} for _ in range(count)])


def golden(shared: Path, case: str, name: str) -> Pair:
    folder = shared / "golden" / case
    weights = folder / f"{name}.bin"
    return str(folder / f"{name}.param"), str(weights if weights.exists() else folder / f"{name}.q.bin")


def sqnr(accuracy: Accuracy) -> dict[str, float]:
    return {layer.layer: layer.sqnr for layer in accuracy.layers}


def power(array: np.ndarray[Any, Any]) -> float:
    return float((array.astype(np.float64) ** 2).sum())


FLOATS = arrays.arrays(np.float32, st.integers(1, 20), elements=st.floats(-100, 100, width=32))


@given(st.lists(FLOATS, min_size=1, max_size=4), st.integers(0, 9))
def test_sums_do_not_depend_on_how_numbers_come(blobs: list[np.ndarray[Any, Any]], seed: int) -> None:
    noise = np.random.default_rng(seed)
    others = [blob + noise.normal(size=blob.shape).astype(np.float32) for blob in blobs]
    each, whole = Sums(), Sums()
    for blob, other in zip(blobs, others, strict=True):
        each.add(blob, other)
    whole.add(np.concatenate(blobs), np.concatenate(others))
    one, two = each.distance, whole.distance
    assert one is not None
    assert two is not None
    assert one.max_abs == two.max_abs
    assert one.mean_abs == pytest.approx(two.mean_abs)
    assert one.cosine == pytest.approx(two.cosine)
    assert one.sqnr == pytest.approx(two.sqnr)


def test_sums_of_what_is_not_finite_or_has_another_shape() -> None:
    sums = Sums()
    sums.add(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf]))
    distance = sums.distance
    assert distance is not None
    assert (distance.sqnr, distance.not_finite) == (inf, (1, 1))
    sums.add(np.zeros(2), np.zeros((2, 1)))
    assert sums.distance is None
    assert sums.shapes == ((2,), (2, 1))
    assert Sums().distance is None


def test_a_model_and_itself(tmp_path: Path) -> None:
    net = pair(tmp_path, "m", CHAIN, FIRST, LAST)
    accuracy = compare_nets(net, net, items().good)
    assert accuracy.sqnr == inf
    assert sqnr(accuracy) == dict.fromkeys(("in", "fc", "relu", "last"), inf)
    assert accuracy.entering() == []
    assert accuracy.growing() == []
    assert accuracy.only == ((), ())


def test_the_error_enters_where_weights_differ(tmp_path: Path) -> None:
    one = pair(tmp_path, "a", CHAIN, FIRST, LAST)
    two = pair(tmp_path, "b", CHAIN, FIRST, LAST * np.float32(1.1))
    accuracy = compare_nets(one, two, items().good)
    assert accuracy.worst()[0].layer == "last"
    (entering,) = accuracy.entering()
    assert entering.layer == "last"
    assert (entering.read, entering.own) == (inf, pytest.approx(20, abs=1e-3))
    assert accuracy.sqnr == pytest.approx(20, abs=1e-3)
    assert accuracy.outputs["out0"] is not None
    assert accuracy.outputs["out0"].cosine == pytest.approx(1)


def test_the_error_grows_where_a_layer_cancels_the_signal(tmp_path: Path) -> None:
    first = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    last = np.array([[1, -1, 0.01], [1, -1, 0]], np.float32)
    off = first.copy()
    off[0, 0] = 1.01
    accuracy = compare_nets(
        pair(tmp_path, "a", CHAIN, first, last), pair(tmp_path, "b", CHAIN, off, last), items().good
    )
    assert [layer.layer for layer in accuracy.entering()] == ["fc"]
    assert [layer.layer for layer in accuracy.growing()] == ["last"]
    found = sqnr(accuracy)
    assert found["relu"] == pytest.approx(found["fc"], abs=1e-6)
    assert found["last"] < found["relu"] - 10


def test_numbers_are_those_of_numpy(tmp_path: Path) -> None:
    one = pair(tmp_path, "a", CHAIN, FIRST, LAST)
    two = pair(tmp_path, "b", CHAIN, FIRST + np.float32(0.01), LAST)
    runs = items()
    signal = noise = 0.0
    for item in runs.good:
        x = item.load()["in0"]
        a, b = x @ FIRST.T, x @ (FIRST + np.float32(0.01)).T
        signal, noise = signal + power(a), noise + power(b - a)
    accuracy = compare_nets(one, two, runs.good)
    assert sqnr(accuracy)["fc"] == pytest.approx(10 * np.log10(signal / noise), abs=1e-3)


def test_renamed_layers_and_a_gemm_that_was_lowered(tmp_path: Path) -> None:
    gemms = """7767517
3 3
Input  in   0 1 in0
Gemm   one  1 1 in0 a    3=1 5=1 7=0 8=3 9=3 10=-1 6=1
Gemm   two  1 1 a   out0 3=1 5=1 7=0 8=2 9=3 10=-1 6=1
"""
    one = pair(tmp_path, "a", gemms, FIRST, LAST)
    model = load(*one)
    table = Table.parse("one_param_0 9 9 9\none 40\ntwo_param_0 9 9\ntwo 40\n")
    quantize(model.graph, table)
    assert {layer.type for layer in model.graph} == {"Input", "InnerProduct"}
    two = str(tmp_path / "b.param"), str(tmp_path / "b.bin")
    save(model, *two)
    accuracy = compare_nets(one, two, items().good)
    assert accuracy.only == ((), ())
    assert [layer.type for layer in accuracy.layers] == ["Input", "InnerProduct", "InnerProduct"]
    assert 0 < accuracy.sqnr < inf
    renamed = pair(tmp_path, "c", CHAIN.replace("fc ", "x ").replace(" b", " y"), FIRST, LAST)
    same = compare_nets(pair(tmp_path, "d", CHAIN, FIRST, LAST), renamed, items().good)
    assert sqnr(same) == dict.fromkeys(("in", "x", "relu", "last"), inf)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    one = loads(CHAIN).graph
    with pytest.raises(ConfigError, match="the first has the inputs in0, the second in1"):
        find_probes(one, loads(CHAIN.replace("in0", "in1")).graph)
    with pytest.raises(ConfigError, match="the first has out0, the second out1"):
        find_probes(one, loads(CHAIN.replace("out0", "out1")).graph)
    net = pair(tmp_path, "m", CHAIN, FIRST, LAST)
    with pytest.raises(BadItemError, match="nothing to run"):
        compare_nets(net, net, [])


def test_an_item_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    net = pair(tmp_path, "m", CHAIN, FIRST, LAST)
    other = array_items([{"in1": np.ones((2, 3))}]).good
    with pytest.raises(BadItemError, match=r"item 1: .* has no input 'in1'"):
        compare_nets(net, net, [*items().good, *other])


def test_other_shapes_are_noted(tmp_path: Path) -> None:
    wider = CHAIN.replace("0=2 2=6", "0=3 2=9")
    one, two = pair(tmp_path, "a", CHAIN, FIRST, LAST), pair(tmp_path, "b", wider, FIRST, FIRST)
    accuracy = compare_nets(one, two, items().good)
    assert accuracy.outputs == {"out0": None}
    assert accuracy.sqnr == -inf
    assert accuracy.layers[-1].note == "other shapes: (4, 2) and (4, 3)"
    assert accuracy.to_json()["sqnr"] is None


@pytest.mark.parametrize(
    ("case", "float_name", "int8_name", "inputs"),
    [
        ("cnn_chain", "m", "kl", "list.txt"),
        ("seq", "cm", "cm.kl", "cm.txt"),
        ("seq", "fc", "fc.kl", "fc.txt"),
    ],
)
def test_models_of_ncnn2int8(shared: Path, case: str, float_name: str, int8_name: str, inputs: str) -> None:
    one, two = golden(shared, case, float_name), golden(shared, case, int8_name)
    names = [blob.name for blob in load(one[0]).graph.inputs]
    accuracy = compare_nets(one, two, npy_items(shared / "golden" / case / inputs, names).good)
    quantized = [layer for layer in accuracy.layers if layer.new.startswith("int8")]
    assert quantized
    for layer in accuracy.layers:
        assert layer.distance is not None
        # an output that stays int8 would be off by its scale, which is less than 0 dB
        assert layer.sqnr > 3, layer
        if layer.old == layer.new == "float":
            assert layer.own is None or layer.own > 100, layer
    first = quantized[0]
    assert first.read == inf
    assert first.own == pytest.approx(first.sqnr)


def sherpa(shared: Path, suffix: str = "") -> NetFiles:
    return NetFiles(*(golden(shared, "sherpa_small", f"{name}{suffix}") for name in ("enc", "dec", "joi")))


def test_transducers(shared: Path) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    files = sherpa(shared)
    first, second = prepare(files), prepare(sherpa(shared, ".q"))
    wav = shared / "golden/sherpa_small/w1.wav"
    accuracy = compare_transducers(first, second, wav_items(wav).good)
    assert {name: len(net.outputs) for name, net in accuracy.nets.items()} == {
        "encoder": 9,
        "decoder": 1,
        "joiner": 1,
    }
    assert 10 < accuracy.sqnr < 40
    assert not accuracy.same_texts
    (utterance,) = accuracy.utterances
    for prepared, found in ((first, utterance.first), (second, utterance.second)):
        nets = [
            Session(*pair, types)
            for pair, types in zip(prepared.files, (prepared.types, (), ()), strict=True)
        ]
        alone = Transducer(nets[0], nets[1], nets[2], prepared.how)
        stream = Stream(alone, Greedy(alone))
        stream.accept(read_wav(wav))
        stream.finish(tail=0)
        assert stream.tokens == found
        alone.close()
    again = compare_transducers(first, first, wav_items(wav).good)
    assert again.same_texts
    assert {net.sqnr for net in again.nets.values()} == {inf}


def test_encoders_with_other_chunks(shared: Path) -> None:
    how = prepare(sherpa(shared)).how
    require_same_chunks(how, how)
    with pytest.raises(ConfigError, match=f"{how.segment} frames every {how.offset}, and 7 every"):
        require_same_chunks(how, replace(how, segment=7))


def test_sensitivity_is_what_quantising_that_layer_alone_costs(shared: Path, tmp_path: Path) -> None:
    folder = shared / "golden/cnn_chain"
    table = Table.read(folder / "kl.table")
    one, all_int8 = golden(shared, "cnn_chain", "m"), (str(tmp_path / "all.param"), str(tmp_path / "all.bin"))
    data = npy_items(folder / "list.txt", ["in0"]).good
    model = load(*one)
    quantize(model.graph, table)
    save(model, *all_int8)
    costs = sensitivity(one, all_int8, data)
    assert [cost.noise for cost in costs] == sorted((cost.noise for cost in costs), reverse=True)
    floats = [cost for cost in costs if cost.new == "int8"]  # others also round their outputs
    for cost in (floats[0], floats[1], floats[-1]):
        model, alone = load(*one), (str(tmp_path / "alone.param"), str(tmp_path / "alone.bin"))
        quantize(model.graph, table, Options(only=selector([cost]), storage=None))
        save(model, *alone)
        assert compare_nets(one, alone, data).sqnr == pytest.approx(cost.sqnr, abs=0.7)


def test_mixed_precision_by_sensitivity(shared: Path, tmp_path: Path) -> None:
    folder = shared / "golden/cnn_chain"
    one, two = golden(shared, "cnn_chain", "m"), golden(shared, "cnn_chain", "kl")
    data = npy_items(folder / "list.txt", ["in0"]).good
    costs = sensitivity(one, two, data)
    kept = keep_float(costs, 20)
    assert [cost.layer for cost in kept] == ["fcrelu_0"]
    assert expected(costs[1:]) > 20 > expected(costs)
    model, mixed = load(*one), (str(tmp_path / "m.param"), str(tmp_path / "m.bin"))
    quantize(model.graph, Table.read(folder / "kl.table"), Options(skip=selector(kept)))
    save(model, *mixed)
    assert compare_nets(one, two, data).sqnr < 20 < compare_nets(one, mixed, data).sqnr


def test_keep_float() -> None:
    costs = [
        LayerCost(name, "Gemm", "int8", noise, "out0") for name, noise in (("a", 0.5), ("b", 0.01), ("c", 0))
    ]
    assert [cost.layer for cost in keep_float(costs, 20)] == ["a"]
    assert [cost.layer for cost in keep_float(costs, 20.1)] == ["a", "b"]
    assert keep_float(costs, 0) == []
    assert [cost.layer for cost in keep_float(costs, inf)] == ["a", "b"]
    assert expected([]) == inf
    assert expected(costs[1:]) == pytest.approx(20)
    assert costs[2].to_json()["sqnr"] is None


def test_sensitivity_of_an_encoder(shared: Path) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    one, two = sherpa(shared), sherpa(shared, ".q")
    wav = wav_items(shared / "golden/sherpa_small/w1.wav").good
    costs = sensitivity(one.encoder, two.encoder, wav, spread=by_chunks(prepare(one).how))
    assert len(costs) > 10
    assert costs[0].type == "Convolution"
    together = compare_transducers(prepare(one), prepare(two), wav).sqnr
    assert expected(costs) == pytest.approx(together, abs=2)


def test_own_errors_and_sensitivity_need_the_same_shapes(tmp_path: Path) -> None:
    wide = CHAIN.replace("0=3 2=9", "0=4 2=12").replace("0=2 2=6", "0=2 2=8")
    one = pair(tmp_path, "a", CHAIN, FIRST, LAST)
    two = pair(tmp_path, "b", wide, np.ones((4, 3), np.float32), np.ones((2, 4), np.float32))
    accuracy = compare_nets(one, two, items().good)
    assert [layer.note for layer in accuracy.layers[1:3]] == ["other shapes: (4, 3) and (4, 4)"] * 2
    assert accuracy.layers[3].own is None
    model, int8 = load(*two), (str(tmp_path / "q.param"), str(tmp_path / "q.bin"))
    quantize(model.graph, Table.parse("fc_param_0 9 9 9 9\nfc 40\nlast_param_0 9 9\nlast 40\n"))
    save(model, *int8)
    with pytest.raises(BadItemError, match=r"item 1: 'a' has the shape \(4, 3\) in the first model"):
        sensitivity(one, int8, items().good)


def test_sensitivity_of_a_float_model(tmp_path: Path) -> None:
    net = pair(tmp_path, "m", CHAIN, FIRST, LAST)
    with pytest.raises(ConfigError, match="has no quantised layer"):
        sensitivity(net, net, items().good)
