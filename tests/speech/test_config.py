from __future__ import annotations

import json

import pytest

from ncnnparam.errors import ConfigError, FileError
from ncnnparam.speech import LSTM, find_config, read_config, resolve

from .samples import DEMO, DOCS_LSTM, DOCS_ZIPFORMER

LSTM_FLAGS = {"num-encoder-layers": 12, "encoder-dim": 512, "rnn-hidden-size": 1024}
FORMS = {
    "top.toml": "num-encoder-layers = 12\nencoder-dim = 512\nrnn-hidden-size = 1024\n",
    "table.toml": "title = 'x'\n[model]\nkind = 'lstm'\nnum_encoder_layers = 12\n"
    "encoder_dim = 512\nrnn_hidden_size = 1024\n",
    "metadata.toml": "[metadata]\nnum-encoder-layers = '12'\nencoder-dim = 512\n"
    "[encoder]\nrnn-hidden-size = 1024\n",
    "top.yaml": "num-encoder-layers: 12\nencoder_dim: 512\nrnn-hidden-size: 1024\n",
    "table.yml": "model:\n  num-encoder-layers: 12\n  encoder-dim: 512\n  rnn-hidden-size: 1024\n",
    "top.json": json.dumps(LSTM_FLAGS),
    "table.json": json.dumps({"encoder": LSTM_FLAGS, "pipeline": {"encoder-dims": "not ours"}}),
    "bom.json": "\ufeff" + json.dumps(LSTM_FLAGS),
}


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMS)
def test_reads_every_form(tmp_path, name):
    flags = read_config(written(tmp_path, name, FORMS[name]))
    assert resolve(flags).metadata == DOCS_LSTM
    assert flags.kind is (LSTM if name == "table.toml" else None)
    assert not flags.recipe_defaults


def test_the_config_beside_the_demo_encoder(root):
    path = find_config(root / "ncnnparam" / "demo" / "encoder.ncnn.param")
    assert resolve(read_config(path)).metadata == DEMO


def test_stacks_in_configs(tmp_path):
    values = DOCS_ZIPFORMER.values()
    rows = [
        f"{field.name} = {list(value) if field.many else value}"
        for field in DOCS_ZIPFORMER.kind.flags
        for value in [values[field.name]]
    ]
    assert resolve(read_config(written(tmp_path, "a.toml", "\n".join(rows)))).metadata == DOCS_ZIPFORMER
    rows = [
        f"{field.name}: {','.join(map(str, value)) if field.many else value}"
        for field in DOCS_ZIPFORMER.kind.flags
        for value in [values[field.name]]
    ]
    assert resolve(read_config(written(tmp_path, "a.yaml", "\n".join(rows)))).metadata == DOCS_ZIPFORMER


def test_finds_the_config_beside_the_model_first(tmp_path):
    beside = tmp_path / "models"
    working = tmp_path / "work"
    for folder in (beside, working):
        folder.mkdir()
    here = written(working, "ncnnparam.yaml", "")
    assert find_config(beside / "encoder.param", folder=working) == here
    there = written(beside, "ncnnparam.json", "{}")
    assert find_config(beside / "encoder.param", folder=working) == there
    assert find_config(None, folder=working) == here


def test_no_config_says_where_it_looked(tmp_path):
    with pytest.raises(ConfigError, match="found no config in") as caught:
        find_config(tmp_path / "encoder.param", folder=tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "ncnnparam.toml" in caught.value.hint


def test_two_configs_are_not_chosen_from(tmp_path):
    written(tmp_path, "ncnnparam.toml", "")
    written(tmp_path, "ncnnparam.json", "{}")
    with pytest.raises(ConfigError, match=r"more than one config: .*toml.*json"):
        find_config(tmp_path / "encoder.param")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "x = 1\nencoder-dim = \n", "a.toml:2: this is no TOML"),
        ("a.yaml", "x: 1\nencoder-dim: [1\n", "a.yaml:3: this is no YAML"),
        ("a.yaml", "x: 2024-99-99\n", "a.yaml: this is no YAML"),
        ("a.yaml", "!!python/object/apply:os.system [ls]\n", "a.yaml:1: this is no YAML"),
        ("a.json", '{"x": 1,\n"y" 2}', "a.json:2: this is no JSON"),
        ("a.json", "[" * 100000, "a.json: this is no JSON"),
        ("a.json", "[1, 2]", "a.json holds list, not flags"),
        ("a.yaml", "just text\n", "a.yaml holds str, not flags"),
        (
            "a.toml",
            "\n[model]\nencoder-dim = 'x'\nnum-encoder-layers=1\nrnn-hidden-size=1",
            "a.toml:3: --encoder-dim is 'x'",
        ),
        (
            "a.yaml",
            "encoder-dim: 4\nmodel:\n  # encoder-dims\n  encoder-dim: 5\n",
            "a.yaml:4: encoder-dim is 5 here and 4 at",
        ),
        (
            "a.json",
            '{\n"model": {"kind": "lstm"},\n"rnn-hidden-dim": 3}',
            "a.json:3: there is no flag rnn-hidden-dim",
        ),
        (
            "a.json",
            '{"num-encoder-layers": 1,\n "encoder-dim": 2, "rnn-hidden-size": null}',
            "a.json:2: --rnn-hidden-size is None",
        ),
        ("a.toml", "", "the flags do not tell the kind"),
        ("a.txt", "hello", "a.txt is no config"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, name, text, says):
    with pytest.raises(ConfigError) as caught:
        resolve(read_config(written(tmp_path, name, text)))
    assert says in caught.value.message.replace(f"{tmp_path}/", "")


def test_a_config_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="No such file"):
        read_config(tmp_path / "none.toml")


def test_a_config_that_is_too_large(tmp_path):
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(FileError):
        read_config(path)
