"""Configs: what they say, and what is said of those that are wrong."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.pipeline.config_read import read_models
from ncnnparam.speech import read_config

TOML = """[model]
kind = "lstm"
encoder-dim = 64

[trace]
encoder = "enc.pt"

[calibrate]
wavs = "wavs"
skip_bad = true

[quantize]
joiner = false
"""
YAML = """
model: {kind: lstm, encoder-dim: 64}
trace: {encoder: enc.pt}
calibrate:
  wavs: wavs
  skip-bad: true
quantize: {joiner: false}
"""
JSON = """{"model": {"kind": "lstm", "encoder-dim": 64}, "trace": {"encoder": "enc.pt"},
 "calibrate": {"wavs": "wavs", "skip-bad": true}, "quantize": {"joiner": false}}"""


def write(folder: Path, text: str, name: str = "ncnnparam.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [("ncnnparam.toml", TOML), ("ncnnparam.yaml", YAML), ("ncnnparam.json", JSON)],
)
def test_three_languages(tmp_path: Path, name: str, text: str) -> None:
    (model,) = read_models(write(tmp_path, text, name))
    assert (model.name, model.kind) == (tmp_path.name, "lstm")
    assert [(flag.name, flag.value) for flag in model.flags] == [("encoder-dim", 64)]
    assert model.trace.encoder == tmp_path / "enc.pt"
    assert model.calibrate.wavs == tmp_path / "wavs"
    assert model.calibrate.skip_bad
    assert model.quantize.parts == ("encoder",)
    assert model.output.folder == tmp_path / "out"


def test_the_flags_are_those_that_inject_meta_reads(tmp_path: Path) -> None:
    path = write(tmp_path, TOML)
    flags = read_config(path)
    assert flags.kind is not None
    assert flags.kind.name == "lstm"
    assert {name: item.value for name, item in flags.given.items()} == {"encoder_dim": 64}


def test_several_models_share_what_stands_at_the_top(tmp_path: Path) -> None:
    text = """[calibrate]
wavs = "all"
[models.one.trace]
encoder = "1.pt"
[models.two.trace]
encoder = "/2.pt"
[models.two.calibrate]
wavs = "few"
[models.two.output]
folder = "second"
"""
    one, two = read_models(write(tmp_path, text))
    assert (one.name, one.trace.encoder, one.calibrate.wavs, one.output.folder) == (
        "one",
        tmp_path / "1.pt",
        tmp_path / "all",
        tmp_path / "out/one",
    )
    assert (two.name, two.trace.encoder, two.calibrate.wavs, two.output.folder) == (
        "two",
        Path("/2.pt"),
        tmp_path / "few",
        tmp_path / "second",
    )


@pytest.mark.parametrize(
    ("text", "line", "said", "hint"),
    [
        ("[trace]\n\nencodr = 'a'\n", 3, "[trace] has no 'encodr'", "did you mean encoder"),
        ("[tracee]\nencoder = 'a'\n", 1, "there is no table 'tracee'", "did you mean trace"),
        ("[trace]\nhow = 'fils'\n", 2, "how in [trace]: invalid enum value 'fils'", "did you mean files"),
        ("[trace]\nhow = 'magic'\n", 2, "how in [trace]", "files, icefall, factory, converted"),
        ("[convert]\ntimeout = 'long'\n", 2, "timeout in [convert]: expected `float`", ""),
        ("[convert]\ntimeout = -5\n", 2, "timeout in [convert]: expected `float` > 0.0", ""),
        ("[prove]\nchunks = 0\n", 2, "chunks in [prove]: expected `int` >= 1", ""),
        ("[prove]\nhalf-tolerance = nan\n", 2, "half-tolerance in [prove]: expected `float` > 0.0", ""),
        ("[calibrate]\npercent = 100.5\n", 2, "percent in [calibrate]: expected `float` <= 100.0", ""),
        ("[calibrate]\nwavs = 3\n", 2, "wavs in [calibrate]: expected a path, got 3", ""),
        ("[source]\nfiles = ['a',\n3]\n", 2, "files in [source]: expected `str`", ""),
        ("[model]\nencoder-dimm = 3\n", 2, "[model] has no 'encoder-dimm'", "did you mean encoder-dim"),
        ("[model]\nkind = 'lstmm'\n", 2, "there is no kind 'lstmm'", "did you mean lstm"),
        ("[model]\nname = 'a/b'\n", 2, "name must be a word", ""),
        ("\n[models]\na = 3\n", 2, "models must hold a table for each model", ""),
        ("[models.a.trace]\nx = 1\n[models.b.trace]\ny = 1\n", 2, "[trace] has no 'x'", ""),
        ("[trace]\nhow = 'files'\n[models.a.trace]\nhow = 'x'\n", 4, "invalid enum value 'x'", ""),
        ("[models.a.model]\nname = 'b'\n[models.b.trace]\n", 1, "two models have the name b", "its own"),
        (
            "[models.a.output]\nfolder = 'x'\n[models.b.output]\nfolder = 'x'\n",
            1,
            "two models have the output folder",
            "its own",
        ),
        ("[models]\n", 1, "models must hold a table for each model", ""),
        ("[models.'a/b'.trace]\n", 1, "'a/b' is no name of a model", ""),
        ("trace = 3\n", 1, "trace must be a table, not 3", ""),
        ("[trace\n", 1, "this is no TOML", ""),
    ],
)
def test_what_is_wrong_has_a_place_and_a_cure(
    tmp_path: Path, text: str, line: int, said: str, hint: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_models(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert said in caught.value.message
    assert hint in (caught.value.hint or "")


KEYS = st.sampled_from(
    ["trace", "model", "models", "name", "how", "wavs", "files", "flags", "output", "folder", "x"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_is_written_is_read_or_refused(data: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), json.dumps(data), "config.json")
        with contextlib.suppress(ConfigError):
            assert all(model.output.folder.is_absolute() for model in read_models(path))


def test_keys_that_are_no_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no key '3'"):
        read_models(write(tmp_path, "3: 4\n", "config.yaml"))
    with pytest.raises(ConfigError, match=r"\[trace\] has no '2020-01-01'"):
        read_models(write(tmp_path, "trace: {2020-01-01: 4}\n", "config.yaml"))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no config"):
        read_models(write(tmp_path, TOML, "config.txt"))
    with pytest.raises(ConfigError, match="holds list, not tables"):
        read_models(write(tmp_path, "[]", "config.json"))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(FileError, match="more than") as caught:
        read_models(path)
    assert "is it a config" in str(caught.value.hint)
