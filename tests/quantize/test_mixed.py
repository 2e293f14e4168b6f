"""Mixed precision: as few layers in float as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import load
from ncnnparam.errors import ConfigError
from ncnnparam.quantize.accuracy import compare_nets
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.data import Items
from ncnnparam.quantize.int8 import Options
from ncnnparam.quantize.mixed import Mixed, Nearness
from ncnnparam.quantize.mixed_words import WordLoss, transducer_items
from ncnnparam.quantize.table import Table
from ncnnparam.speech.files import NetFiles
from ncnnparam.weights import Storage

pytest.importorskip("ncnn")


@pytest.fixture
def items(shared: Path) -> Items:
    return npy_items(shared / "golden/cnn_chain/list.txt", ["in0"])


@pytest.fixture
def mixed(shared: Path) -> Iterator[Mixed]:
    folder = shared / "golden/cnn_chain"
    files = str(folder / "m.param"), str(folder / "m.bin")
    with Mixed(files, Table.read(folder / "kl.table"), Options(storage=Storage.FLOAT32)) as made:
        yield made


def test_one_layer_less_is_not_enough(mixed: Mixed, items: Items) -> None:
    costs = mixed.costs(items.good)
    assert [one.noise for one in costs] == sorted((one.noise for one in costs), reverse=True)
    near = Nearness(mixed.files, items.good)
    kept = mixed.fewest(costs, lambda pair: near(pair) >= 28)
    assert kept == costs[: len(kept)]
    assert len(kept) > 1
    assert near(mixed.make(kept)) >= 28 > near(mixed.make(kept[:-1]))
    assert mixed.fewest(costs, lambda pair: True) == []
    with pytest.raises(ConfigError, match="not near enough even with all of these layers in float"):
        mixed.fewest(costs, lambda pair: False)


def test_nearness_is_that_of_a_comparison(mixed: Mixed, items: Items) -> None:
    pair = mixed.make([])
    expected = compare_nets(mixed.files, pair, items.good).sqnr
    assert Nearness(mixed.files, items.good)(pair) == pytest.approx(expected)


def test_what_is_skipped_anyway_stays_skipped(shared: Path, items: Items) -> None:
    folder = shared / "golden/cnn_chain"
    files = str(folder / "m.param"), str(folder / "m.bin")
    options = Options(skip="ConvolutionDepthWise or name=conv_17")
    with Mixed(files, Table.read(folder / "kl.table"), options) as mixed:
        costs = mixed.costs(items.good[:1])
        assert not {"conv_17"} & {one.layer for one in costs}
        assert "ConvolutionDepthWise" not in {one.type for one in costs}
        assert mixed.without([]).skip == "(ConvolutionDepthWise or name=conv_17)"
        layer = costs[0].layer
        assert mixed.without(costs[:1]).skip == f'(ConvolutionDepthWise or name=conv_17) or name="{layer}"'
        again = load(*mixed.make(costs[:1])).graph
        assert not again.layer(layer).params.get(8)
        assert again.layer(costs[1].layer).params[8]


# ---- transducers ------------------------------------------------------------------------------------------


@pytest.fixture
def transducer(shared: Path) -> NetFiles:
    pytest.importorskip("kaldi_native_fbank")
    pytest.importorskip("kaldialign")
    pytest.importorskip("soundfile")
    folder = shared / "golden/sherpa_small"
    pairs = [(str(folder / f"{name}.param"), str(folder / f"{name}.bin")) for name in ("enc", "dec", "joi")]
    return NetFiles(*pairs)


def test_a_joiner_by_frames(shared: Path, transducer: NetFiles) -> None:
    folder = shared / "golden/sherpa_small"
    items, spread = transducer_items(transducer, "joiner", str(folder / "w1.wav"))
    with Mixed(transducer.joiner, Table.read(folder / "joi.table"), Options()) as mixed:
        costs = mixed.costs(items.good, spread)
        assert {one.layer for one in costs} == {"linear_1", "linear_2", "linear_3"}
        near = Nearness(mixed.files, items.good, spread)
        assert near(mixed.make([])) < near(mixed.make(costs[:1])) < near(mixed.make(costs))


def test_words_that_are_lost(shared: Path, transducer: NetFiles, tmp_path: Path) -> None:
    folder = shared / "golden/sherpa_small"
    items, _ = transducer_items(transducer, "encoder", str(folder / "w1.wav"))
    names = {number: f"▁{number}" for number in range(500)}
    heard = WordLoss(transducer, "joiner", items.good, names, {"w1": "nothing of this"})
    assert heard.first > 100
    assert heard(transducer.joiner) == 0
    silent = load(*transducer.joiner)
    bias = silent.graph.layer("linear_3").weights["bias_data"]
    numbers = bias.numpy().copy()
    numbers[0] = np.float32(1e4)  # blank is always the likeliest
    silent.graph.layer("linear_3").weights["bias_data"] = numbers
    silent.save(tmp_path / "silent.param", tmp_path / "silent.bin")
    # all three words are lost then, and no wrong ones are heard
    pair = str(tmp_path / "silent.param"), str(tmp_path / "silent.bin")
    assert heard(pair) == pytest.approx(100 - heard.first)
    with pytest.raises(ConfigError, match="the transcripts have no words"):
        WordLoss(transducer, "joiner", items.good, names, {"w1": " "})


def test_a_decoder_reads_no_wavs(transducer: NetFiles) -> None:
    with pytest.raises(ConfigError, match="the decoder reads tokens and not wavs"):
        transducer_items(transducer, "decoder", "wavs")
