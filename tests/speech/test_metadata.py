from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.errors import MetadataError
from ncnnparam.speech import (
    KINDS,
    ConvEmformer,
    Lstm,
    Zipformer,
    from_layer,
    from_params,
    named_kind,
    of_kind,
)
from ncnnparam.speech.metadata import describe
from ncnnparam.syntax import parse_params

from .samples import (
    CONV_EMFORMER_LINE,
    DOCS_CONV_EMFORMER,
    DOCS_LSTM,
    DOCS_ZIPFORMER,
    LSTM_LINE,
    OLD_ZIPFORMER,
    ZIPFORMER_LINE,
    demo_graph,
)

DOCS = [(DOCS_CONV_EMFORMER, CONV_EMFORMER_LINE), (DOCS_LSTM, LSTM_LINE), (DOCS_ZIPFORMER, ZIPFORMER_LINE)]


def params_of(line):
    return {param.id: param.value for param in parse_params(line.split(" 0 0 ")[1].strip())}


@pytest.mark.parametrize("cls", [ConvEmformer, Lstm, Zipformer])
def test_the_fields_of_a_class_are_those_of_its_table(cls):
    assert {field.name for field in dataclasses.fields(cls)} == {field.name for field in cls.kind.fields}


@pytest.mark.parametrize(("metadata", "line"), DOCS)
def test_params_are_those_of_the_documented_line(metadata, line):
    assert metadata.params() == params_of(line)
    assert list(metadata.params()) == sorted(metadata.params())


@pytest.mark.parametrize(("metadata", "line"), DOCS)
def test_reads_the_documented_line(metadata, line):
    assert from_params(params_of(line)) == metadata


def test_left_context_is_stored_divided_by_four():
    assert DOCS_CONV_EMFORMER.left_context_length == 32
    assert DOCS_CONV_EMFORMER.params()[4] == 8
    assert from_params(DOCS_CONV_EMFORMER.params() | {4: 32}).left_context_length == 128


def test_an_absent_version_reads_as_zero():
    params = DOCS_ZIPFORMER.params()
    del params[15]
    assert from_params(params).version == 0


def test_ids_of_other_meaning_are_passed_over():
    assert from_params(DOCS_LSTM.params() | {30: (), 9: 4}) == DOCS_LSTM


@pytest.mark.parametrize("kind", [0, 4, (1,), 1.0, "1", None])
def test_refuses_an_unknown_kind(kind):
    with pytest.raises(MetadataError, match="key 0, the kind of the model, is"):
        from_params({0: kind})


@pytest.mark.parametrize("metadata", [DOCS_CONV_EMFORMER, DOCS_LSTM, DOCS_ZIPFORMER])
def test_names_each_missing_key(metadata):
    for field in metadata.kind.flags:
        params = metadata.params()
        del params[field.key]
        with pytest.raises(MetadataError, match=rf"lack key {field.key} \({field.label}\)"):
            from_params(params)


@pytest.mark.parametrize(("key", "value"), [(1, (32,)), (2, 4.0), (16, 2), (17, (1.5, 2, 3, 4, 5)), (1, "x")])
def test_refuses_a_key_of_the_wrong_type(key, value):
    with pytest.raises(MetadataError, match=f"key {key} .* must be an"):
        from_params(DOCS_ZIPFORMER.params() | {key: value})


def test_reads_a_layer():
    graph = demo_graph()
    layer = graph.insert_at(0, "SherpaMetaData", "m", outputs=0, params=DOCS_LSTM.params())
    assert from_layer(layer) == DOCS_LSTM
    del layer.params[3]
    with pytest.raises(MetadataError, match=r"layer 'm': .* lack key 3 \(--rnn-hidden-size\)"):
        from_layer(layer)
    with pytest.raises(MetadataError, match="'in0' is a Input"):
        from_layer(graph.layer("in0"))


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("left_context_length", 30, "multiple of 4"),
        ("chunk_length", 33, "multiple of 4"),
        ("chunk_length", 0, "at least 1"),
        ("memory_size", -1, "at least 0"),
        ("encoder_dim", 2**31, "fit 32 bits"),
        ("encoder_dim", (512,), "takes one number"),
    ],
)
def test_refuses_what_the_recipe_refuses(field, value, why):
    label = field.replace("_", "-")
    with pytest.raises(MetadataError, match=f"--{label} is .*{why}"):
        dataclasses.replace(DOCS_CONV_EMFORMER, **{field: value})


def test_refuses_stacks_of_different_numbers():
    with pytest.raises(MetadataError, match="--num-encoder-layers 4, --encoder-dims 5"):
        dataclasses.replace(DOCS_ZIPFORMER, num_encoder_layers=(2, 4, 3, 2))


def test_of_kind_says_what_is_missing_or_unknown():
    kind = named_kind("lstm")
    with pytest.raises(MetadataError, match="need --encoder-dim, --rnn-hidden-size"):
        of_kind(kind, {"num_encoder_layers": 12})
    with pytest.raises(MetadataError, match="did you mean encoder_dim"):
        of_kind(kind, DOCS_LSTM.values() | {"encoder_dims": 4})


@pytest.mark.parametrize("name", ["ConvEmformer", "conv_emformer", "CONV-EMFORMER", "conv emformer"])
def test_a_kind_has_many_spellings(name):
    assert named_kind(name) is ConvEmformer.kind


def test_an_unknown_kind_is_none():
    assert named_kind("conformer") is None


def test_sets_a_key_to_what_the_layer_shall_hold():
    assert DOCS_CONV_EMFORMER.with_key(4, "16").left_context_length == 64
    assert OLD_ZIPFORMER.with_key(15, 1).version == 1
    assert DOCS_ZIPFORMER.with_key(16, "1,1,1,1,1").num_encoder_layers == (1,) * 5
    with pytest.raises(MetadataError, match="key 8 means nothing"):
        DOCS_CONV_EMFORMER.with_key(8, 1)
    with pytest.raises(MetadataError, match="key 5 is 'x', which is no whole number"):
        DOCS_CONV_EMFORMER.with_key(5, "x")


def test_describes_as_flags():
    assert describe(DOCS_LSTM) == "--num-encoder-layers 12 --encoder-dim 512 --rnn-hidden-size 1024"
    assert "--num-encoder-layers 2,4,3,2,4" in describe(DOCS_ZIPFORMER)


def metadata_of_any_kind():
    def of(kind):
        stacks = st.shared(st.integers(1, 7), key="stacks")
        values = {}
        for field in kind.fields:
            step = field.multiple
            least = -(-field.minimum // step)
            one = st.integers(least, 5000).map(lambda number, step=step: number * step)
            values[field.name] = (
                stacks.flatmap(lambda n, one=one: st.tuples(*[one] * n)) if field.many else one
            )
        return st.fixed_dictionaries(values).map(lambda values: of_kind(kind, values))

    return st.sampled_from(KINDS).flatmap(of)


@given(metadata_of_any_kind())
def test_params_give_the_metadata_back(metadata):
    assert from_params(metadata.params()) == metadata
