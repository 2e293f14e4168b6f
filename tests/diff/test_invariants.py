"""What holds for the diff of any graphs: no false differences, and an edit shows as that edit."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam.diff import (
    BlobRenamed,
    Diff,
    InputChanged,
    InterfaceChanged,
    LayerAdded,
    LayerRemoved,
    LayerRenamed,
    ParamChanged,
    TypeChanged,
    compare,
    to_text,
)
from tests.diff.graphs import graphs, plain_layers, renumber


def without_splits(diff: Diff, kind: type[LayerAdded] | type[LayerRemoved]) -> list[str]:
    return [r.layer.name for r in diff.records if isinstance(r, kind) and r.layer.type != "Split"]


@given(graphs())
def test_a_graph_is_the_same_as_itself(graph: nnp.Graph) -> None:
    assert not compare(graph, graph.copy(), strict_names=True, textual=True)


@given(graphs())
def test_a_graph_is_the_same_as_what_is_printed(graph: nnp.Graph) -> None:
    assert not compare(graph, nnp.loads(nnp.dumps(graph)).graph, strict_names=True, textual=True)


@given(graphs())
def test_names_inside_do_not_matter(graph: nnp.Graph) -> None:
    other = graph.copy()
    renumber(other, "new")
    diff = compare(graph, other)
    assert not diff
    splits = len(graph.find("Split"))
    assert diff.aligned == diff.by_structure == graph.layer_count - splits


@given(graphs())
def test_strict_names_shows_each_new_name(graph: nnp.Graph) -> None:
    other = graph.copy()
    renumber(other, "new")
    counts = Counter(type(record) for record in compare(graph, other, strict_names=True).records)
    inside = [blob for blob in graph.blobs if blob.producer not in (None, *graph.find("Input")) and blob.uses]
    assert counts == Counter({LayerRenamed: graph.layer_count}) + Counter({BlobRenamed: len(inside)})


@given(graphs(), st.data())
def test_a_set_param_shows_as_that(graph: nnp.Graph, data: st.DataObject) -> None:
    other = graph.copy()
    layer = data.draw(st.sampled_from(plain_layers(other)))
    layer.params[7] = 5
    (record,) = compare(graph, other).records
    assert isinstance(record, ParamChanged)
    assert (record.before.name, record.after.name) == (layer.name, layer.name)
    assert (record.id, record.old, record.new, record.implied) == (7, None, 5, False)


@given(graphs(), st.data())
def test_an_inserted_layer_shows_as_that(graph: nnp.Graph, data: st.DataObject) -> None:
    other = graph.copy()
    layer = data.draw(st.sampled_from([layer for layer in other if layer.type != "Split"]))
    readers = {use.layer.name for use in layer.outputs[0].readers}
    new = other.insert_after(layer, data.draw(st.sampled_from(["ReLU", "Sigmoid"])), "new")
    diff = compare(graph, other)
    assert without_splits(diff, LayerAdded) == [new.name]
    assert not without_splits(diff, LayerRemoved)
    changed = [record for record in diff.records if isinstance(record, InputChanged)]
    assert {record.after.name for record in changed} == readers
    assert all(record.old and record.new for record in changed)
    assert all(record.new.layer == "new" and record.old.layer == layer.name for record in changed)
    assert {type(r) for r in diff.records} <= {LayerAdded, LayerRemoved, InputChanged, InterfaceChanged}


@given(graphs(), st.data())
def test_a_removed_layer_shows_as_that(graph: nnp.Graph, data: st.DataObject) -> None:
    other = graph.copy()
    single = [layer for layer in plain_layers(other) if len(layer.inputs) == 1 and layer.outputs[0].uses]
    assume(single)
    name = data.draw(st.sampled_from(single)).name
    other.remove(other.layer(name))
    diff = compare(graph, other)
    assert without_splits(diff, LayerRemoved) == [name]
    assert not without_splits(diff, LayerAdded)


@given(graphs(), st.data())
def test_a_replaced_layer_shows_as_that(graph: nnp.Graph, data: st.DataObject) -> None:
    other = graph.copy()
    name = data.draw(st.sampled_from(plain_layers(other))).name
    other.replace(other.layer(name), "HardSwish", "swapped")
    (record,) = compare(graph, other).records
    assert isinstance(record, TypeChanged)
    assert (record.before.name, record.after.name) == (name, "swapped")


@given(graphs(), graphs())
def test_the_other_way_round(one: nnp.Graph, two: nnp.Graph) -> None:
    """However different two graphs are, what is matched and what is not adds up, both ways."""
    there, back = compare(one, two), compare(two, one)
    for diff, a, b in ((there, one, two), (back, two, one)):
        splits = len(b.find("Split")) - len(a.find("Split"))
        counts = diff.counts()
        assert diff.aligned + len(without_splits(diff, LayerRemoved)) == len(a) - len(a.find("Split"))
        assert diff.aligned + len(without_splits(diff, LayerAdded)) == len(b) - len(b.find("Split"))
        assert counts.get("layer-added", 0) - counts.get("layer-removed", 0) == len(b) - len(a)
        added = sum(r.layer.type == "Split" for r in diff.records if isinstance(r, LayerAdded))
        removed = sum(r.layer.type == "Split" for r in diff.records if isinstance(r, LayerRemoved))
        assert added - removed == splits
        assert min(added, removed) == 0
        assert to_text(diff, "a", "b").count("\n") > len(diff.records) or not diff
    assert bool(there) == bool(back)


@given(graphs(), st.data())
def test_added_is_removed_the_other_way_round(graph: nnp.Graph, data: st.DataObject) -> None:
    other = graph.copy()
    for number in range(data.draw(st.integers(1, 3))):
        layer = data.draw(st.sampled_from([layer for layer in other if layer.type != "Split"]))
        other.insert_after(layer, "Sigmoid", f"new{number}")
    there, back = compare(graph, other), compare(other, graph)
    assert sorted(without_splits(there, LayerAdded)) == sorted(without_splits(back, LayerRemoved))
    assert not without_splits(back, LayerAdded)
