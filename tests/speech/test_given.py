from __future__ import annotations

import pytest

from ncnnparam.errors import ConfigError, MetadataError
from ncnnparam.speech import CONV_EMFORMER, LSTM, ZIPFORMER, Given, collect, infer, resolve

from .samples import DEMO, DOCS_CONV_EMFORMER, DOCS_LSTM, DOCS_ZIPFORMER, demo_graph


def flags(**values):
    items = [(name, Given(value, f"conf:{line}")) for line, (name, value) in enumerate(values.items(), 1)]
    return collect(items, source="conf")


@pytest.mark.parametrize("metadata", [DOCS_CONV_EMFORMER, DOCS_LSTM, DOCS_ZIPFORMER])
def test_flags_decide_the_kind(metadata):
    values = {field.name: metadata.values()[field.name] for field in metadata.kind.flags}
    resolved = resolve(flags(**values))
    assert resolved.metadata == metadata
    assert not resolved.assumed
    assert not resolved.inferred
    assert set(resolved.given) == set(values)


@pytest.mark.parametrize(
    "raw", ["2,4,3,2,4", [2, 4, 3, 2, 4], (2, 4, 3, 2, 4), ["2", "4", "3", "2", "4"], " 2, 4,3,2,4"]
)
def test_stacks_are_given_as_text_or_list(raw):
    values = {field.name: DOCS_ZIPFORMER.values()[field.name] for field in ZIPFORMER.flags}
    assert resolve(flags(**values | {"num_encoder_layers": raw})).metadata == DOCS_ZIPFORMER


@pytest.mark.parametrize(
    "spelled", ["rnn-hidden-size", "rnn_hidden_size", "--rnn-hidden-size", "RNN_Hidden_Size"]
)
def test_dashes_and_underscores_are_the_same(spelled):
    given = flags(**{"num-encoder-layers": "12", "encoder_dim": 512, spelled: 1024})
    assert resolve(given).metadata == DOCS_LSTM


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x", "is 'x', which is no whole number"),
        (True, "is True, which is no whole number"),
        (12.0, "is 12.0, which is no whole number"),
        ("12,12", "is '12,12', but takes one whole number"),
        (None, "is None, which is no whole number"),
        ({}, "is {}, which is no whole number"),
        ("", "is '', which is no whole number"),
        ("0", "is 0, but must be at least 1"),
        ("99999999999", "no whole number"),
    ],
)
def test_a_bad_value_is_named_with_its_place(value, why):
    with pytest.raises(ConfigError) as caught:
        resolve(flags(encoder_dim=512, rnn_hidden_size=1024, num_encoder_layers=value))
    assert caught.value.message.startswith("conf:3: --num-encoder-layers is ")
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("left-context", "--left-context-length"),
        ("left-context-lenght", "--left-context-length"),
        ("num_layers", "--num-encoder-layers"),
        ("cnn-kernel", "--cnn-module-kernel"),
        ("mem-size", "--memory-size"),
        ("decode-chunk-size", "--decode-chunk-len"),
        ("attention-dim", "--attention-dims"),
    ],
)
def test_a_misspelt_flag_is_no_harmless_key(wrong, meant):
    with pytest.raises(ConfigError, match=f"conf:1: there is no flag {wrong}") as caught:
        flags(**{wrong: 1})
    assert caught.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "harmless",
    [
        "epoch",
        "avg",
        "exp-dir",
        "tokens",
        "use-averaged-model",
        "iter",
        "context-size",
        "bpe-model",
        "nhead",
        "dim-feedforward",
        "decoder-dim",
        "joiner-dim",
        "feedforward-dims",
        "encoder-unmasked-dims",
        "short-chunk-size",
        "aux-layer-period",
        "feature-dim",
        "sample-rate",
        "encoder",
        "encoder-param",
        "encoder-bin",
        "output",
        "threads",
        "num-threads",
        "wav",
    ],
)
def test_other_keys_are_left_alone(harmless):
    assert flags(**{harmless: "x"}).given == {}


def test_missing_flags_are_named():
    values = DOCS_CONV_EMFORMER.values()
    del values["memory_size"], values["encoder_dim"]
    with pytest.raises(
        ConfigError, match="conf lacks --memory-size, --encoder-dim, which conv-emformer"
    ) as caught:
        resolve(flags(**values))
    assert "--infer" in caught.value.hint


def test_the_graph_fills_gaps_but_overrules_nobody():
    resolved = resolve(flags(memory_size=64), shown=infer(demo_graph()))
    assert resolved.metadata.values() == DEMO.values() | {"memory_size": 64}
    assert set(resolved.given) == {"memory_size"}
    assert set(resolved.inferred) == set(DEMO.values()) - {"memory_size"}


def test_the_graph_alone_is_enough():
    assert resolve(flags(), shown=infer(demo_graph())).metadata == DEMO


def test_a_graph_of_no_kind_does_not_help():
    import ncnnparam as nnp

    with pytest.raises(ConfigError, match="no encoder that sherpa-ncnn knows"):
        resolve(flags(), shown=infer(nnp.Graph()))


def test_a_graph_of_another_kind_does_not_help():
    with pytest.raises(ConfigError, match="lacks --num-encoder-layers, --encoder-dim") as caught:
        resolve(flags(rnn_hidden_size=96), shown=infer(demo_graph()))
    assert "it is conv-emformer" in caught.value.hint


def test_shared_flags_do_not_decide():
    with pytest.raises(ConfigError, match="do not tell the kind") as caught:
        resolve(flags(num_encoder_layers=12, encoder_dim=512))
    assert "conv-emformer, lstm, zipformer" in caught.value.hint
    assert resolve(flags(num_encoder_layers=2), shown=infer(demo_graph())).metadata == DEMO


def test_flags_of_two_kinds():
    with pytest.raises(ConfigError, match="conv-emformer: --memory-size; lstm: --rnn-hidden-size"):
        resolve(flags(memory_size=32, rnn_hidden_size=1024))


def test_a_flag_of_another_kind_than_named():
    with pytest.raises(ConfigError, match="conf:2: lstm models have no --memory-size") as caught:
        resolve(flags(kind="lstm", memory_size=32))
    assert "--rnn-hidden-size" in caught.value.hint


def test_the_kind_may_be_named():
    assert flags(kind="ConvEmformer").kind is CONV_EMFORMER
    with pytest.raises(ConfigError, match="conf:1: there is no kind 'zipfromer'") as caught:
        flags(kind="zipfromer")
    assert "zipformer" in caught.value.hint
    with pytest.raises(ConfigError, match="no kind 7") as caught:
        flags(kind=7)
    assert "the kinds are" in caught.value.hint


def test_two_values_for_a_flag():
    with pytest.raises(ConfigError, match="conf:2: --memory-size is 16 here and 32 at conf:1"):
        flags(**{"memory-size": 32, "--memory-size": 16})
    assert flags(**{"memory-size": 32, "memory_size": 32}).given["memory_size"].value == 32


def test_the_command_line_goes_over_the_config():
    config = collect(
        [("encoder-dim", Given(512, "c:1")), ("num-encoder-layers", Given(12, "c:2"))], source="c"
    )
    script = collect([("encoder-dim", Given(256, "s:1"))], source="s", recipe_defaults=True)
    line = collect([("encoder-dim", Given(64, "here"))], source="here")
    assert line.over(config).given["encoder_dim"].value == 64
    assert line.over(config).given["num_encoder_layers"].value == 12
    assert line.over(script).recipe_defaults
    resolved = resolve(line.over(script), kind=LSTM)
    assert resolved.metadata.values() == {
        "num_encoder_layers": 12,
        "encoder_dim": 64,
        "rnn_hidden_size": 1024,
    }
    assert resolved.assumed == {"num_encoder_layers": 12, "rnn_hidden_size": 1024}


def test_values_that_do_not_fit_together():
    values = {field.name: DOCS_ZIPFORMER.values()[field.name] for field in ZIPFORMER.flags}
    with pytest.raises(MetadataError, match="different numbers of stacks"):
        resolve(flags(**values | {"encoder_dims": "384,384"}))
