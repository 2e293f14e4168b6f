from __future__ import annotations

import dataclasses

import pytest

from ncnnparam.errors import MetadataError
from ncnnparam.speech import CONV_EMFORMER, LSTM, ZIPFORMER, Lstm, verify
from ncnnparam.speech.flags import spell

from .samples import ALL, DEMO, DOCS_CONV_EMFORMER, DOCS_LSTM, demo_graph, graph_of, truth_of

KIND_OF = {
    "conv_emformer_encoder": CONV_EMFORMER,
    "conv_emformer_encoder_raw": CONV_EMFORMER,
    "conv-emformer": CONV_EMFORMER,
    "lstm_encoder_raw": LSTM,
    "lstm": LSTM,
}
KNOWABLE = [(name, field.name) for name in ALL for field in KIND_OF.get(name, ZIPFORMER).flags]


@pytest.mark.parametrize("name", ALL)
def test_the_truth_contradicts_nothing(shared, name):
    assert verify(truth_of(shared, name), graph_of(shared, name)) == []


def wrong_values(field, right):
    """Values near the right one, and those that people confuse it with."""
    if isinstance(right, tuple):
        for stack in range(len(right)):
            yield (*right[:stack], right[stack] + 1, *right[stack + 1 :])
        yield right[:-1]
        yield (*right, right[-1])
        if right != right[::-1]:
            yield right[::-1]
        return
    for wrong in (right - 4, right + 4, right * 2, right * 4, right // 4, right - 1, right + 1, 1):
        if wrong != right:
            yield wrong


@pytest.mark.parametrize(("name", "field_name"), KNOWABLE)
def test_every_wrong_value_is_caught(shared, name, field_name):
    graph = graph_of(shared, name)
    truth = truth_of(shared, name)
    field = truth.kind.field(field_name)
    right = truth.values()[field_name]
    tried = 0
    for wrong in wrong_values(field, right):
        if field_name == "right_context_length" and 8 <= wrong < 12:
            continue
        try:
            metadata = dataclasses.replace(truth, **{field_name: wrong})
        except MetadataError:
            continue  # no metadata at all can say this
        tried += 1
        (found,) = verify(metadata, graph)
        assert (found.field, found.key) == (field_name, field.key)
        assert (found.stated, found.shown) == (wrong, right)
        assert (found.stored, found.right) == (field.store(wrong), field.store(right))
        assert spell(wrong) in str(found)
        assert spell(right) in str(found)
        assert found.evidence in str(found)
    assert tried >= 2


def test_the_classic_mistake_has_a_hint():
    (found,) = verify(DEMO.with_key(4, 32), demo_graph())
    assert str(found).startswith(
        "--left-context-length: the metadata says 128 (4=32), the graph 32 (4=8): 8 "
    )
    assert found.hint == "key 4 holds the flag's value divided by 4"


def test_another_wrong_value_has_no_hint():
    (found,) = verify(DEMO.with_key(4, 16), demo_graph())
    assert found.hint is None


@pytest.mark.parametrize("right_context", [8, 9, 10, 11])
def test_what_the_recipe_rounds_is_no_contradiction(right_context):
    assert verify(dataclasses.replace(DEMO, right_context_length=right_context), demo_graph()) == []


def test_evidence_names_the_stacks_that_differ(shared):
    truth = truth_of(shared, "zipformer")
    wrong = dataclasses.replace(truth, num_encoder_layers=(2, 1, 3, 1, 2))
    (found,) = verify(wrong, graph_of(shared, "zipformer"))
    assert "stack 2:" in found.evidence
    assert "stack 4:" in found.evidence
    assert "stack 1:" not in found.evidence


def test_all_contradictions_are_found_at_once():
    found = verify(DOCS_CONV_EMFORMER, demo_graph())
    assert [(each.key, each.stored, each.right) for each in found] == [
        (1, 12, 2),
        (2, 32, 16),
        (3, 31, 15),
        (7, 512, 48),
    ]


def test_another_kind_is_one_contradiction():
    (found,) = verify(DOCS_LSTM, demo_graph())
    assert (found.key, found.stored, found.right) == (0, 3, 1)
    assert str(found).startswith(
        "kind: the metadata says lstm (0=3), the graph conv-emformer (0=1): every 4th input"
    )


def test_a_graph_of_no_kind_contradicts_nothing(shared):
    import ncnnparam as nnp

    assert verify(Lstm(1, 1, 1), nnp.Graph()) == []
