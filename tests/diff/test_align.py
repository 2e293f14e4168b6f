"""Alignment where names mislead, where layers repeat, and on real and huge files."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import ncnnparam as nnp
from ncnnparam.diff import InputChanged, LayerAdded, LayerMoved, LayerRemoved, ParamChanged, compare

ENCODERS = ("conv_emformer_encoder.param", "conv_emformer_encoder_raw.param", "zipformer_encoder_raw.param")


def chain(*layers: str) -> nnp.Graph:
    """A chain of layers, each given as ``TYPE NAME PARAM...``."""
    graph = nnp.Graph()
    graph.add("Input", "in0", outputs=["in0"])
    for words in layers:
        type, name, *params = words.split()
        stated = {int(id): int(value) for id, value in (param.split("=") for param in params)}
        graph.add(type, name, inputs=[list(graph)[-1].outputs[0]], outputs=[f"b{len(graph)}"], params=stated)
    graph.outputs[0].name = "out0"
    return graph


def number_like_pnnx(graph: nnp.Graph) -> None:
    """Renames the layers as pnnx does: a counter for each stem; and numbers the inner blobs."""
    visible = {blob.name for blob in (*graph.inputs, *graph.outputs)}
    inner = [blob for blob in graph.blobs if blob.name not in visible]
    layers = [layer for layer in graph if layer.type != "Input"]
    stems = [re.sub(r"(_?\d+)+$", "", layer.name) for layer in layers]
    seen: Counter[str] = Counter()
    for position, layer in enumerate(layers):
        layer.name = f"renaming {position}".replace(" ", "\x01")
    for stem, layer in zip(stems, layers, strict=True):
        layer.name = f"{stem}_{seen[stem]}"
        seen[stem] += 1
    for position, blob in enumerate(inner):
        blob.name = f"renaming\x01{position}"
    for position, blob in enumerate(inner):
        blob.name = f"blob{position}"


def test_renumbering_behind_an_insertion() -> None:
    """By name conv_1 would become conv_1 and conv_2 conv_2; each is one further down."""
    old = chain("Convolution conv_0 0=1", "Convolution conv_1 0=2", "Convolution conv_2 0=3", "ReLU relu_0")
    new = chain(
        "Convolution conv_0 0=1",
        "Convolution conv_1 0=9",
        "Convolution conv_2 0=2",
        "Convolution conv_3 0=3",
        "ReLU relu_0",
    )
    diff = compare(old, new)
    added, rewired = diff.records
    assert isinstance(added, LayerAdded)
    assert added.layer.name == "conv_1"
    assert isinstance(rewired, InputChanged)
    assert (rewired.before.name, rewired.after.name) == ("conv_1", "conv_2")
    assert (diff.aligned, diff.by_structure) == (5, 2)


def test_names_tell_equal_layers_apart() -> None:
    old = chain("ReLU a", "ReLU b", "ReLU c", "ReLU d")
    new = chain("ReLU a", "ReLU c", "ReLU d")
    removed = [record for record in compare(old, new).records if isinstance(record, LayerRemoved)]
    assert [record.layer.name for record in removed] == ["b"]


def test_a_name_given_to_another_type_is_another_layer() -> None:
    diff = compare(chain("ReLU a", "Convolution b 0=1", "Swish c"), chain("Swish a", "Convolution b 0=1"))
    assert {"type-changed": 1, "layer-removed": 1}.items() <= diff.counts().items()


def test_nothing_in_common() -> None:
    diff = compare(chain("ReLU a", "Swish b"), chain("Convolution c 0=1"))
    counts = diff.counts()
    assert (counts["layer-removed"], counts["layer-added"], diff.aligned) == (2, 1, 1)


def test_empty_graphs() -> None:
    assert not compare(nnp.Graph(), nnp.Graph())
    assert compare(nnp.Graph(), chain("ReLU a")).counts()["layer-added"] == 2


@pytest.mark.parametrize("name", ENCODERS)
def test_real_encoders_renumbered_after_edits(shared: Path, name: str) -> None:
    """Three insertions, a removal and a changed param, and every layer behind them renumbered."""
    old = nnp.load(shared / "corpus/icefall" / name).graph
    number_like_pnnx(old)
    new = old.copy()
    anchors = [layer for layer in new.find("BinaryOp") if layer.outputs[0].uses]
    for anchor in (anchors[20], anchors[60], anchors[100]):
        new.insert_after(anchor, "Mish")
    plain = [layer for layer in new if layer.type not in ("Input", "Split")]
    single = [layer for layer in plain if len(layer.inputs) == 1 and layer.outputs[0].uses]
    new.remove(single[len(single) // 2])
    new.find("LayerNorm" if new.find("LayerNorm") else "BinaryOp")[8].params[7] = 5
    number_like_pnnx(new)
    diff = compare(old, new)
    kinds = diff.counts()
    assert (kinds["layer-added"], kinds["layer-removed"], kinds["param-changed"]) == (3, 1, 1)
    assert set(kinds) == {"layer-added", "layer-removed", "param-changed", "input-changed"}
    assert {r.layer.type for r in diff.records if isinstance(r, LayerAdded)} == {"Mish"}
    assert diff.by_structure > 10


@pytest.mark.parametrize("name", ENCODERS)
def test_every_layer_changed(shared: Path, name: str) -> None:
    """Shape hints on every layer, as ncnnoptimize writes them, leave nothing equal to hold on to."""
    old = nnp.load(shared / "corpus/icefall" / name).graph
    number_like_pnnx(old)
    new = old.copy()
    for layer in new:
        layer.params[30] = [1, 8, 1, 1]
    new.insert_after(new.find("BinaryOp")[40], "Mish")
    number_like_pnnx(new)
    diff = compare(old, new)
    counts = diff.counts()
    hinted = sum(isinstance(r, ParamChanged) and r.id == 30 for r in diff.records)
    assert (counts["layer-added"], counts["param-changed"]) == (1, hinted)
    assert hinted == diff.aligned
    assert not {LayerRemoved, LayerMoved} & {type(record) for record in diff.records}


def test_corpus_files_are_the_same_as_themselves(shared: Path) -> None:
    compared = 0
    for path in sorted((shared / "corpus").rglob("*.param")):
        try:
            graph = nnp.load(path).graph
        except nnp.errors.ParseError:
            continue  # files of other languages, which the parser names
        assert not compare(graph, nnp.load(path).graph, strict_names=True, textual=True), path.name
        compared += 1
    assert compared > 100


def test_fifty_thousand_layers() -> None:
    """Linear in the number of layers, else this would not come to an end."""
    kinds = ("Convolution {} 1 1 {} {} 0=64 1=3", "ReLU {} 1 1 {} {}", "Swish {} 1 1 {} {}")

    def text(layers: int, stem: str, changed: int) -> str:
        lines = [kinds[n % 3].format(f"{stem}{n}", f"b{n}", f"b{n + 1}") for n in range(layers)]
        lines[changed] += " 31=1"
        return f"7767517\n{layers + 1} {layers + 1}\nInput b0 0 1 b0\n" + "\n".join(lines) + "\n"

    old = nnp.loads(text(50_000, "l", 5)).graph
    diff = compare(old, nnp.loads(text(50_000, "m", 40_000)).graph)
    assert diff.counts() == {"param-changed": 2}
    assert diff.by_structure == 50_000
