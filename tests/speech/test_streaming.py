"""Segment, step and states, against what the recipes' exports say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ncnnparam import loads
from ncnnparam.speech import from_layer
from ncnnparam.speech.streaming import fed_shapes, shortest, streaming


@pytest.mark.parametrize("model", ["conv-emformer", "lstm", "zipformer"])
def test_is_as_exported(shared: Path, model: str) -> None:
    about = json.loads((shared / "vectors" / model / "meta.json").read_text())
    graph = loads(f"7767517\n1 1\n{about['sherpa_meta_data']}\n").graph
    how = streaming(from_layer(graph.layer("sherpa_meta_data1")))
    assert (how.segment, how.offset) == (about["segment_frames"], about["offset_frames"])
    shapes = about["shapes"]["encoder"]
    fed = {name: tuple(blob["fed"]) for name, blob in shapes["inputs"].items()}
    del fed[how.features]
    if how.length is not None:
        del fed[how.length]
    assert dict(how.states) == fed
    assert {name: how.feeds[name] for name in fed} == {name: shapes["feed"][name] for name in fed}
    for name, axis in how.batch_axes.items():
        sizes = shapes["inputs"][name]["torch"]
        assert (sizes.pop(axis), tuple(sizes)) == (1, how.states[name])
    frames = shortest(how) // 160
    assert how.ready(0, frames)
    assert not how.ready(0, frames - 1)


@pytest.mark.parametrize("model", ["conv-emformer", "lstm", "zipformer"])
def test_what_a_graph_with_metadata_is_fed(shared: Path, model: str) -> None:
    about = json.loads((shared / "vectors" / model / "meta.json").read_text())
    fed = {name: tuple(blob["fed"]) for name, blob in about["shapes"]["encoder"]["inputs"].items()}
    inputs = [f"Input {name} 0 1 {name}" for name in fed]
    text = "\n".join(["7767517", f"{len(inputs) + 1} {len(inputs)}", about["sherpa_meta_data"], *inputs, ""])
    assert fed_shapes(loads(text).graph) == fed


@pytest.mark.parametrize("metadata", ["", "SherpaMetaData m 0 0", "SherpaMetaData m 0 0 0=9 1=1"])
def test_nothing_is_known_of_other_graphs(metadata: str) -> None:
    text = f"7767517\n{2 if metadata else 1} 1\n{metadata}\nInput in0 0 1 in0\n"
    assert fed_shapes(loads(text).graph) == {}
