"""How near int8 models are to float ones: beside the C++ tool's on its goldens, and Gemm beside InnerProduct.

``python -m pytest -rP tests/quantize/test_nearness.py`` prints the numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ncnnparam import Model, load
from ncnnparam.checks import Severity
from ncnnparam.errors import ConfigError
from ncnnparam.quantize.accuracy import compare_nets
from ncnnparam.quantize.accuracy_transducer import compare_transducers, prepare
from ncnnparam.quantize.calibrate import calibrate, prepare_net, prepare_transducer
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.data import array_items
from ncnnparam.quantize.histogram import Histogram
from ncnnparam.quantize.int8 import quantize
from ncnnparam.quantize.lower_gemm import gains, lower_gemm
from ncnnparam.quantize.rows import make_table
from ncnnparam.quantize.runners import Pair
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import Table
from ncnnparam.quantize.table_rules import check_table
from ncnnparam.quantize.thresholds import METHODS, input_scale, mse
from ncnnparam.quantize.wavs import wav_items
from ncnnparam.runtime.session import Session, custom_types
from ncnnparam.speech.files import NetFiles

from .goldens import CALIBRATED, Golden
from .int8_models import Made, all_made, feed, sqnr
from .test_int8_parts import layer_of

pytest.importorskip("ncnn")

REFUSED = {"cnn_chain-nopar": "NP709", "cnn_chain-blank": "NP701", "tails-fmt.q": "NP702"}
"""Tables with errors: what the tool makes of them is not what was meant, and we make nothing."""
NO_TABLE = ("cnn_chain-n", "group_dw-n", "tails-spec.n", "tails-odd.n", "tails-h16.n", "tails-inf.n")
"""Runs without a table where one is needed: the tool leaves the layers in float, we refuse."""
QUANTISED_TWICE = "tails-h16.qq"
NEAR = 0.3
"""Difference in dB that a few roundings to the other side may make."""
CASES = [made for made in all_made() if made.works and not made.made_up and str(made) != QUANTISED_TWICE]
ACCEPTED = [made for made in CASES if str(made) not in (*REFUSED, *NO_TABLE)]


def saved(model: Model, folder: Path) -> Pair:
    pair = str(folder / "q.param"), str(folder / "q.bin")
    model.save(*pair)
    return pair


def outputs(pair: tuple[object, object], made: Made) -> dict[str, NDArray[Any]]:
    """What a net gives for the golden's inputs."""
    graph = load(made.float_pair[0]).graph
    fed = {name: numbers for name, numbers in feed(made).items() if graph.has_blob(name)}
    names = [blob.name for blob in graph.outputs if blob.producer is None or blob.producer.type != "Input"]
    session = Session(*map(str, pair), custom_types(graph))
    found = session.run(fed, names)
    session.close()
    return found


# ---- with the tool's own table ----------------------------------------------------------------------------


@pytest.mark.parametrize("made", ACCEPTED, ids=str)
def test_with_the_same_table_at_least_as_near_as_the_tool(made: Made, tmp_path: Path) -> None:
    model = made.model()
    quantize(model.graph, made.table())
    pair = saved(model, tmp_path)
    floats, tools, ours = (outputs(each, made) for each in (made.float_pair, made.int8_pair, pair))
    for name, expected in floats.items():
        if np.isfinite(expected).all():
            assert np.isfinite(ours[name]).all()
            mine, its = sqnr(expected, ours[name]), sqnr(expected, tools[name])
            print(f"{made} {name}: {mine:.1f} dB, the tool {its:.1f} dB")
            assert mine >= its - NEAR


@pytest.mark.parametrize("made", [made for made in CASES if str(made) in REFUSED], ids=str)
def test_tables_with_errors_are_refused(made: Made) -> None:
    table = made.table()
    assert table is not None
    findings = check_table(table, made.model().graph, native=True)
    errors = {one.code for one in findings if one.severity is Severity.ERROR}
    assert errors == {REFUSED[str(made)]}


@pytest.mark.parametrize("made", [made for made in CASES if str(made) in NO_TABLE], ids=str)
def test_without_a_table_nothing_is_left_in_float_silently(made: Made) -> None:
    with pytest.raises(ConfigError, match="the scales of inputs are needed"):
        quantize(made.model().graph)


# ---- with our table ---------------------------------------------------------------------------------------

MODELS = list({(golden.case, golden.model): golden for golden in reversed(CALIBRATED)}.values())


@pytest.mark.parametrize("golden", MODELS, ids=lambda golden: f"{golden.case}-{golden.model}")
def test_by_default_nearer_than_by_the_method_of_the_tool(
    golden: Golden, shared: Path, tmp_path: Path
) -> None:
    files = golden.files(shared)
    items = array_items(golden.inputs(shared))
    runner, part = prepare_net(*files)
    statistics = Statistics()
    collect(runner, items.good, statistics)
    found = {}
    for method in (None, *METHODS):
        model = load(*files)
        quantize(model.graph, part.table(statistics, method))
        found[method] = compare_nets(runner.files, saved(model, tmp_path), items.good).sqnr
    told = ", ".join(f"{method} {found[method]:.1f}" for method in METHODS)
    print(f"{golden.case}/{golden.model}: {told} dB")
    assert found[None] >= found["kl"]
    assert found[None] >= max(found.values()) - 4
    assert found[None] > 20


def test_a_transducer_by_default_is_nearer_than_the_tools(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("soundfile")
    folder = shared / "golden/sherpa_small"
    names = ("enc", "dec", "joi", "enc.q", "joi.q")
    pairs = {name: (str(folder / f"{name}.param"), str(folder / f"{name}.bin")) for name in names}
    items = wav_items(folder / "w1.wav").good
    runner, encoder, joiner = prepare_transducer(pairs["enc"], pairs["dec"], pairs["joi"])
    statistics = Statistics()
    collect(runner, items, statistics)
    for part, name in ((encoder, "enc"), (joiner, "joi")):
        model = load(*pairs[name])
        quantize(model.graph, part.table(statistics))
        (tmp_path / name).mkdir()
        pairs[f"our {name}"] = saved(model, tmp_path / name)
    floats = prepare(NetFiles(pairs["enc"], pairs["dec"], pairs["joi"]))
    tools, ours = (
        compare_transducers(floats, prepare(NetFiles(pairs[enc], pairs["dec"], pairs[joi])), items)
        for enc, joi in (("enc.q", "joi.q"), ("our enc", "our joi"))
    )
    for net in ("encoder", "joiner"):
        print(f"{net}: {ours.nets[net].sqnr:.1f} dB, the tools {tools.nets[net].sqnr:.1f} dB")
        assert ours.nets[net].sqnr > tools.nets[net].sqnr + 6


# ---- Gemm -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [one for one in CASES if str(one) in ("seq-gemm.q", "seq-rec.q")], ids=str)
def test_clearly_nearer_where_gemm_was_lowered(made: Made, tmp_path: Path) -> None:
    model = made.model()
    result = quantize(model.graph, calibrate(*made.float_pair, [feed(made)]))
    lowered = {one.layer for one in result.layers if one.was_gemm}
    pair = saved(model, tmp_path)
    floats, tools, ours = (outputs(each, made) for each in (made.float_pair, made.int8_pair, pair))
    if str(made) == "seq-rec.q":
        assert lowered == {"gemm_0"}
        assert sqnr(floats["out0"], ours["out0"]) > sqnr(floats["out0"], tools["out0"]) + 15
        return
    assert lowered == {"b0", "b1", "b3"}
    assert sqnr(floats["b0"], ours["b0"]) > sqnr(floats["b0"], tools["b0"]) + 1
    for name in ("b1", "b3"):  # B lies transposed: the tool looks at its first row only
        assert sqnr(floats[name], ours[name]) > 35 > 5 > sqnr(floats[name], tools[name])


@pytest.mark.parametrize("spread", [0.0, 0.7, 1.5], ids="outputs{}".format)
@pytest.mark.parametrize("loudness", [0.0, 0.7, 1.5], ids="rows{}".format)
def test_a_gemm_is_lowered_if_that_is_nearer(spread: float, loudness: float, tmp_path: Path) -> None:
    """Of outputs with weights of many sizes, and rows of many sizes, either may matter more."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(400, 5)) * np.exp(loudness * random.normal(size=(400, 1)))
    inputs = {"in0": rows.astype(np.float32)}
    model = layer_of("Gemm x 1 1 in0 o 3=1 5=1 6=1 8=6 9=5 10=-1")
    weights = model.graph.layer("x").weights["B_data"].numpy()
    sizes = np.exp(spread * np.linspace(-1, 1, 6))[:, np.newaxis]
    model.graph.layer("x").weights["B_data"] = (weights * sizes).astype(np.float32)
    files = str(tmp_path / "m.param"), str(tmp_path / "m.bin")
    model.save(*files)

    histogram = Histogram.of(inputs.values())
    scales = {"x": input_scale(mse(histogram))}
    as_gemm, lowered = load(*files), load(*files)
    (layer,) = lower_gemm(lowered.graph)
    wanted = gains(layer, histogram, mse(histogram))
    found = {}
    for name, table in (("Gemm", Table()), ("InnerProduct", make_table(lowered.graph, scales))):
        model = load(*files)
        quantize(model.graph, table)
        found[name] = compare_nets(files, saved(model, tmp_path), array_items([inputs]).good).sqnr
    assert as_gemm.graph.layer("x").type == "Gemm"
    nearer = max(found, key=lambda name: found[name])
    told = ", ".join(f"{name} {value:.1f} dB" for name, value in found.items())
    print(f"{told}; chosen: {'InnerProduct' if wanted else 'Gemm'}")
    assert wanted == (nearer == "InnerProduct") or abs(found["Gemm"] - found["InnerProduct"]) < 1
