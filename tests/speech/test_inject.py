from __future__ import annotations

import dataclasses

import pytest

import ncnnparam as nnp
from ncnnparam.errors import MetadataError
from ncnnparam.speech import Action, inject, metadata_layers

from .samples import (
    CONV_EMFORMER_LINE,
    DEMO,
    DOCS_CONV_EMFORMER,
    DOCS_LSTM,
    DOCS_ZIPFORMER,
    LSTM_LINE,
    VECTORS,
    ZIPFORMER_LINE,
    demo_graph,
    graph_of,
    truth_of,
    vector_meta,
)


def lines_of(graph):
    return nnp.dumps(graph).splitlines(keepends=True)


def test_adds_exactly_one_line_and_bumps_one_count():
    graph = demo_graph()
    before = lines_of(graph)
    layers, blobs = before[1].split()
    result = inject(graph, DEMO)
    after = lines_of(graph)
    assert result.action is Action.ADDED
    assert result.modified
    assert after[1].split() == [str(int(layers) + 1), blobs]
    assert after[3:] == before[2:]
    assert after[2].startswith("SherpaMetaData           sherpa_meta_data1        0 0 0=1 ")


@pytest.mark.parametrize(
    ("metadata", "line"),
    [(DOCS_CONV_EMFORMER, CONV_EMFORMER_LINE), (DOCS_LSTM, LSTM_LINE), (DOCS_ZIPFORMER, ZIPFORMER_LINE)],
)
def test_writes_the_documented_line_from_the_documented_flags(metadata, line):
    graph = demo_graph()
    inject(graph, metadata)
    assert lines_of(graph)[2] == line


def test_the_docs_example():
    """1060 layers become 1061, 1342 blobs stay."""
    inputs = "".join(f"Input i{n} 0 1 b{n}\n" for n in range(778))
    splits = "".join(f"Split s{n} 1 2 b{n} c{n} d{n}\n" for n in range(282))
    text = f"7767517\n1060 1342\n{inputs}{splits}"
    graph = nnp.loads(text).graph
    inject(graph, DOCS_CONV_EMFORMER)
    assert nnp.dumps(graph) == f"7767517\n1061 1342\n{CONV_EMFORMER_LINE}{inputs}{splits}"


@pytest.mark.parametrize("name", VECTORS)
def test_writes_the_line_of_the_small_models(shared, name):
    graph = graph_of(shared, name)
    inject(graph, truth_of(shared, name))
    assert lines_of(graph)[2].rstrip("\n") == vector_meta(shared, name)["sherpa_meta_data"]


def test_twice_changes_nothing_the_second_time():
    graph = demo_graph()
    inject(graph, DEMO)
    before = nnp.dumps(graph)
    again = nnp.loads(before).graph
    for replace in (False, True):
        result = inject(again, DEMO, replace=replace)
        assert result.action is Action.UNCHANGED
        assert not result.modified
        assert nnp.dumps(again) == before


@pytest.mark.parametrize(
    "line",
    [
        "SherpaMetaData sherpa_meta_data1 0 0 7=48 0=1 1=2 2=16 3=15 4=8 5=32 6=8\n",
        "SherpaMetaData sherpa_meta_data1 0 0 -23330=0 0=1 1=2 2=16 3=15 4=8 5=32 6=8 7=48\n",
    ],
)
def test_the_same_in_other_words_or_at_another_place_stays(line):
    text = nnp.dumps(demo_graph())
    layers, blobs = text.splitlines()[1].split()
    text = text.replace(f"{layers} {blobs}", f"{int(layers) + 1} {blobs}", 1) + line
    graph = nnp.loads(text).graph
    assert inject(graph, DEMO).action is Action.UNCHANGED
    assert nnp.dumps(graph) == text


def test_refuses_to_overwrite_and_says_what_differs():
    graph = demo_graph()
    inject(graph, DEMO)
    before = nnp.dumps(graph)
    other = dataclasses.replace(DEMO, left_context_length=64, memory_size=0)
    with pytest.raises(MetadataError, match="key 2 holds 16, not 0; key 4 holds 8, not 16") as caught:
        inject(graph, other)
    assert "--replace" in caught.value.hint
    assert nnp.dumps(graph) == before


def test_replaces_on_request():
    graph = demo_graph()
    inject(graph, DOCS_LSTM)
    result = inject(graph, DEMO, replace=True)
    fresh = demo_graph()
    inject(fresh, DEMO)
    assert result.action is Action.REPLACED
    assert "key 0 holds 3, not 1" in result.changes
    assert "key 7 holds nothing, not 48" in result.changes
    assert nnp.dumps(graph) == nnp.dumps(fresh)


def test_replaces_a_wrong_name_and_several_layers():
    graph = demo_graph()
    graph.add("SherpaMetaData", "meta", outputs=0, params=DEMO.params())
    with pytest.raises(MetadataError, match="its name is meta, not sherpa_meta_data1"):
        inject(graph, DEMO)
    graph.add("SherpaMetaData", "sherpa_meta_data1", outputs=0, params=DEMO.params())
    with pytest.raises(MetadataError, match="2 SherpaMetaData layers instead of one"):
        inject(graph, DEMO)
    inject(graph, DEMO, replace=True)
    assert metadata_layers(graph) == [graph.layers[0]]


def test_replaces_wrong_counts():
    graph = nnp.loads(
        "7767517\n2 2\nInput in0 0 1 in0\nSherpaMetaData sherpa_meta_data1 1 1 in0 x 0=3\n"
    ).graph
    with pytest.raises(MetadataError, match="1 inputs and 1 outputs, not 0 0"):
        inject(graph, DOCS_LSTM)
    inject(graph, DOCS_LSTM, replace=True)
    assert lines_of(graph) == ["7767517\n", "2 1\n", LSTM_LINE, "Input in0 0 1 in0\n"]


def test_the_name_may_be_taken():
    graph = demo_graph()
    graph.layers[0].name = "sherpa_meta_data1"
    with pytest.raises(MetadataError, match="taken by a layer of type Input"):
        inject(graph, DEMO)


def test_keeps_the_line_ends_of_the_file():
    text = nnp.dumps(demo_graph()).replace("\n", "\r\n")
    graph = nnp.loads(text).graph
    inject(graph, DEMO)
    lines = lines_of(graph)
    assert all(line.endswith("\r\n") for line in lines)
    assert lines[3:] == text.splitlines(keepends=True)[2:]
