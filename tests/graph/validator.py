"""What must be true of a graph after every edit, checked from outside and from scratch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import ncnnparam as nnp
from ncnnparam.graph import Blob, Graph, Layer
from ncnnparam.graph.names import NameTable


def check_links(graph: Graph) -> None:
    """True of every graph, that of a broken file too: all parts agree with each other."""
    layers = list(graph)
    assert list(reversed(graph.layers)) == layers[::-1]
    assert len(graph) == graph.layer_count == len(layers)
    labels = [layer._link.label for layer in layers]
    assert labels == sorted(set(labels)), "order labels ascend"
    assert all(layer._link.layer is layer and layer.graph is graph for layer in layers)

    blobs: dict[int, Blob] = {}
    for layer in layers:
        for blob in (*layer.inputs, *layer.outputs):
            blobs[id(blob)] = blob
        assert all(blob.producer is layer for blob in layer.outputs)
        assert len(set(map(id, layer.outputs))) == len(layer.outputs)
    assert {id(blob) for blob in graph.blobs} == set(blobs)
    assert all(blob.graph is graph for blob in blobs.values())

    reads = [(id(blob), id(layer), i) for layer in layers for i, blob in enumerate(layer.inputs)]
    uses = [(id(blob), id(use.layer), use.index) for blob in blobs.values() for use in blob.uses]
    assert Counter(uses) == Counter(reads), "use lists agree with the inputs"
    for blob in blobs.values():
        assert blob.producer is not None or blob.uses, "a blob has a writer or a reader"
        assert blob.producer is None or any(blob is out for out in blob.producer.outputs)

    _check_names(graph._layer_names, layers)
    _check_names(graph._blob_names, blobs.values())
    assert graph.blob_count == len(blobs)


def check_sound(graph: Graph, lone_splits: bool = False) -> None:
    """True of every graph that was made by edits, or read from a sound file.

    Args:
        graph: The graph.
        lone_splits: Whether Splits of one output may be there.
    """
    check_links(graph)
    seen: set[int] = set()
    for layer in graph:
        for blob in layer.inputs:
            assert len(blob.uses) == 1, f"{blob} is read once"
            assert blob.producer is None or id(blob.producer) in seen, f"{blob} is written above {layer}"
        seen.add(id(layer))
        if layer.type == "Split" and len(layer.outputs) < 2 and not lone_splits:
            (source,), (out,) = layer.inputs, layer.outputs
            assert not out.uses, "only an output of the network may hang on a Split alone"
            assert source.producer is None or source.producer.type == "Input"
    assert not graph._layer_names._others
    assert not graph._blob_names._others

    again = nnp.loads(nnp.dumps(graph)).graph
    check_links(again)
    assert again == graph
    assert again.declared == (again.layer_count, again.blob_count) == (graph.layer_count, graph.blob_count)
    assert nnp.dumps(again) == nnp.dumps(graph)


def snapshot(graph: Graph) -> tuple[object, ...]:
    """All that an edit could change, to see that a failed one has changed nothing."""
    return (
        nnp.dumps(graph),
        [(id(layer), layer.line, layer.params.raw) for layer in graph],
        [[(id(b), b.name, [(id(u.layer), u.index) for u in b.uses]) for b in lay.outputs] for lay in graph],
        [[id(blob) for blob in layer.inputs] for layer in graph],
        {name: id(layer) for name, layer in graph._layer_names.first.items()},
        {name: id(blob) for name, blob in graph._blob_names.first.items()},
        graph.fresh_layer_name("relu"),
        graph.fresh_layer_name("splitncnn"),
        graph.fresh_blob_name("relu"),
    )


def _check_names(table: NameTable[Layer] | NameTable[Blob], bearers: Iterable[Layer | Blob]) -> None:
    noted = [(name, id(bearer)) for name, bearer in table.first.items()]
    noted += [(name, id(other)) for name, others in table._others.items() for other in others]
    assert all(table._others.values()), "no empty lists are kept"
    assert Counter(noted) == Counter((bearer.name, id(bearer)) for bearer in bearers)
