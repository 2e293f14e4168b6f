"""The tables of a transducer, against sherpa-ncnn."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam import load
from ncnnparam.errors import ConfigError, FileError, MetadataError
from ncnnparam.quantize.calibrate import prepare_transducer
from ncnnparam.quantize.collect import collect
from ncnnparam.quantize.runners import Pair
from ncnnparam.quantize.statistics import Statistics
from ncnnparam.quantize.table import PARAM, Table
from ncnnparam.quantize.wavs import wav_items

pytest.importorskip("kaldi_native_fbank")
pytest.importorskip("soundfile")
NEAR = 5e-3


def nets(shared: Path) -> tuple[Pair, Pair, Pair]:
    folder = shared / "golden/sherpa_small"
    encoder, decoder, joiner = (
        (str(folder / f"{name}.param"), str(folder / f"{name}.bin")) for name in ("enc", "dec", "joi")
    )
    return encoder, decoder, joiner


@pytest.mark.parametrize(("wavs", "suffix"), [("wavs.txt", ""), ("wavs1.txt", "1")])
def test_tables_are_those_of_generate_int8_scale_table(shared: Path, wavs: str, suffix: str) -> None:
    folder = shared / "golden/sherpa_small"
    runner, encoder, joiner = prepare_transducer(*nets(shared), compat=True)
    statistics = Statistics()
    collect(runner, wav_items(folder / wavs).good, statistics)
    for part, name in ((encoder, "enc"), (joiner, "joi")):
        made, wanted = part.table(statistics), Table.read(folder / f"{name}{suffix}.table")
        assert list(made) == list(wanted)
        for key, scales in wanted.items():
            if PARAM in key:
                assert made.row(key).words == wanted.row(key).words
            else:
                assert made[key] == pytest.approx(scales, rel=NEAR)


def test_an_encoder_without_metadata(shared: Path) -> None:
    _, decoder, joiner = nets(shared)
    with pytest.raises(MetadataError, match="has no SherpaMetaData"):
        prepare_transducer(joiner, decoder, joiner)


def test_a_decoder_may_read_its_tokens_through_a_split(shared: Path, tmp_path: Path) -> None:
    encoder, decoder, joiner = nets(shared)
    model = load(*decoder)
    model.graph.add("Sigmoid", inputs=["in0"], after=model.graph.find("Input")[0])  # a second reader
    model.save(tmp_path / "d.param", tmp_path / "d.bin")
    split = str(tmp_path / "d.param"), str(tmp_path / "d.bin")
    assert [layer.type for layer in load(split[0]).graph.blob("in0").consumers] == ["Split"]
    runner, _, _ = prepare_transducer(encoder, split, joiner)
    assert runner.decoder == split


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ("ejd", r"joi\.param is no decoder"),
        ("ejj", r"joi\.param is no decoder"),
        ("edd", r"dec\.param is no joiner"),
        ("eej", r"enc\.param is no decoder"),
    ],
)
def test_nets_in_the_wrong_places(shared: Path, places: str, why: str) -> None:
    """ncnn divides by zero or reads beyond the weights there."""
    named = dict(zip("edj", nets(shared), strict=True))
    with pytest.raises(ConfigError, match=why):
        prepare_transducer(*(named[place] for place in places))


@pytest.mark.parametrize("net", [0, 1, 2])
def test_a_missing_bin_is_told_with_its_code(shared: Path, net: int) -> None:
    files = list(nets(shared))
    files[net] = files[net][0], "nowhere.bin"
    with pytest.raises(FileError, match=r"cannot read nowhere\.bin") as caught:
        prepare_transducer(*files)
    assert caught.value.code == "NP801"
