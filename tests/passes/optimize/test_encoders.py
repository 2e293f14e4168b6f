"""The default pipeline on icefall's encoders with their metadata: shapes that follow, numbers that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.graph import Graph
from ncnnparam.model import Model, load, loads, save
from ncnnparam.passes import PassManager, parse_pipeline
from ncnnparam.passes.optimize.shapes import Shapes
from ncnnparam.runtime import blob_shapes
from ncnnparam.runtime.expected import prove
from ncnnparam.speech import from_layer, inject
from ncnnparam.speech.streaming import fed_shapes
from ncnnparam.views.shapes import know_shapes

from ..pnnx.vectors import KINDS, Vectors

pytest.importorskip("ncnn")

SERVER = "gh-hist__k2-fsa+sherpa-ncnn__3c6caa5f__python-api-examples__AudioSer__model__encoder_jit_trace-pnnx"
CUSTOM = ("SherpaMetaData", "PoolingModuleNoProj", "TensorAsStrided", "SimpleUpsample", "Stack")
TOLERANCE = 2e-5
"""Of an output, relative to PyTorch's, as for the repairs themselves."""


def encoder(vectors: Vectors) -> Model:
    """A repaired encoder with its metadata."""
    repaired = vectors.repair("sherpa-ncnn").model
    made = Model(repaired.graph.copy(), file=repaired.file)
    metadata = loads(f"7767517\n1 0\n{vectors.meta['sherpa_meta_data']}\n").graph.layers[0]
    inject(made.graph, from_layer(metadata))
    return made


def unlike_ncnn(graph: Graph, param: Path) -> tuple[list[str], int]:
    """Blobs of which another shape is told than ncnn finds, and how many are told as they are."""
    fed = fed_shapes(graph)
    assert fed.keys() == {blob.name for blob in graph.inputs}
    know_shapes(graph, fed)
    outcome = blob_shapes(param, fed, custom_types=CUSTOM)
    assert outcome.ok, outcome.problem
    told = Shapes(graph)
    known = {blob.name: told[blob] for blob in graph.blobs if blob.name in outcome.shapes}
    whole = {
        name: shape
        for name, shape in known.items()
        if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape)
    }
    return [name for name, shape in whole.items() if shape != outcome.shapes[name]], len(whole)


@pytest.mark.parametrize("kind", KINDS)
def test_all_shapes_of_an_encoder_follow_from_its_metadata(kind: str, shared: Path, tmp_path: Path) -> None:
    made = encoder(Vectors(shared / "vectors" / kind))
    save(made, tmp_path / "m.param", tmp_path / "m.bin")
    unlike, told = unlike_ncnn(made.graph, tmp_path / "m.param")
    assert unlike == []
    assert told == len(list(made.graph.blobs))


def test_shapes_of_a_published_zipformer(shared: Path) -> None:
    """Not all of them: it joins blobs of two and of three axes, and what ncnn makes of that is neither."""
    param = shared / "corpus" / f"{SERVER}.ncnn.param"
    graph = load(param).graph
    unlike, told = unlike_ncnn(graph, param)
    assert unlike == []
    assert told > len(list(graph.blobs)) * 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_numbers(kind: str, shared: Path, tmp_path: Path) -> None:
    """Every sum that may become an Eltwise does, and all outputs are those of PyTorch."""
    vectors = Vectors(shared / "vectors" / kind)
    made = encoder(vectors)
    know_shapes(made.graph, fed_shapes(made.graph))
    report = PassManager(parse_pipeline("optimize"), verify=True)(made)
    (sums,) = [step.result for step in report.steps if step.name == "fuse-binaryop-eltwise"]
    assert sums.declined == []
    assert bool(sums.changes) is (kind == "zipformer")
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    save(report.model, param, weights)
    verdicts = prove(param, weights, report.model.graph, vectors.calls(report.model))
    assert verdicts
    assert [verdict for verdict in verdicts if verdict.error > TOLERANCE] == []
