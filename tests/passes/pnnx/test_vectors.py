"""Raw pnnx output of three encoders, repaired, gives PyTorch's numbers on the real ncnn."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ncnnparam.checks import Severity, check
from ncnnparam.errors import NcnnParamError
from ncnnparam.graph import Layer
from ncnnparam.model import Model, dumps, save
from ncnnparam.passes.pnnx import PASSES, SHERPA_PASSES, Account, named_target, read_pnnx, repair
from ncnnparam.passes.pnnx.batch import INPUT_AXIS, OUTPUT_AXIS
from ncnnparam.runtime.expected import Call, prove

from .vectors import KINDS, TARGETS, Vectors

pytest.importorskip("ncnn")

TOLERANCE = {"fp32": 2e-5, "fp16": 1e-2}
OPTIONAL = ("pnnx-sherpa-pooling", "pnnx-drop-broadcast-tiles")
"""Repairs that only make a graph smaller, or fit for a runtime that lacks a layer."""
OTHER_PYTHON = "NCNNPARAM_OTHER_PYTHON"
"""A Python with another ncnn, 1.0.20250916 for example: ``NCNNPARAM_OTHER_PYTHON=venv/bin/python pytest -m
nightly tests/passes/pnnx``. It needs ncnn, numpy, lark, click and rich."""


@pytest.fixture(params=KINDS)
def vectors(request: pytest.FixtureRequest, shared: Path) -> Vectors:
    return Vectors(shared / "vectors" / request.param)


def repaired_counts(vectors: Vectors, target: str) -> list[int]:
    counts = vectors.meta["counts"]
    if target == "ncnn":
        return counts["repaired_plain"]
    layers, blobs = counts["repaired_sherpa"]
    return [layers - 1, blobs]  # without the row of metadata


@pytest.mark.parametrize(("target", "storage"), [("ncnn", "fp32"), ("sherpa-ncnn", "fp32"), ("ncnn", "fp16")])
def test_numbers(vectors: Vectors, target: str, storage: str, tmp_path: Path) -> None:
    account = vectors.repair(target, storage)
    assert account.left == []
    verdicts = vectors.prove(account, tmp_path, storage)
    wanted = vectors.meta["shapes"]["encoder"]["outputs"]
    calls = {verdict.call for verdict in verdicts}
    assert calls == {"chunk0", "chunk1"} | ({"long0"} if vectors.folder.name == "lstm" else set())
    assert len(verdicts) == len(calls) * len(wanted)
    assert [verdict for verdict in verdicts if verdict.error > TOLERANCE[storage]] == []
    for verdict in verdicts:
        if verdict.call != "long0":
            assert verdict.shapes[1] == tuple(wanted[verdict.blob]["ncnn"]), verdict


@pytest.mark.parametrize("target", TARGETS)
def test_is_no_larger_than_a_right_repair_has_to_be(vectors: Vectors, target: str) -> None:
    graph = vectors.repair(target).model.graph
    layers, blobs = repaired_counts(vectors, target)
    assert (graph.layer_count, graph.blob_count) <= (layers, blobs)
    assert graph.blob_count <= blobs


@pytest.mark.parametrize("target", TARGETS)
def test_a_repaired_model_stays_as_it_is(vectors: Vectors, target: str) -> None:
    once = vectors.repair(target)
    twice = repair(once.model, read_pnnx(vectors.raw("pnnx.param")), named_target(target))
    assert twice.changes == []
    assert dumps(twice.model) == dumps(once.model)
    assert not twice.weights_changed


def test_the_model_that_was_given_stays_as_it_is(vectors: Vectors) -> None:
    model = vectors.load()
    text = dumps(model)
    repair(model, read_pnnx(vectors.raw("pnnx.param")), named_target("sherpa-ncnn"))
    assert dumps(model) == text


@pytest.mark.parametrize("target", TARGETS)
def test_no_errors_are_left(vectors: Vectors, target: str) -> None:
    """Raw Zipformers have layer names twice; that is all the checks may find."""
    found = {one.code for one in check(vectors.repair(target).model.graph) if one.severity is Severity.ERROR}
    assert found <= {one.code for one in check(vectors.load().graph) if "name" in one.message}


@pytest.mark.parametrize("target", TARGETS)
def test_every_repair_is_needed(vectors: Vectors, target: str, tmp_path: Path) -> None:
    """Without one of those that found something the numbers are wrong, or ncnn refuses the graph."""
    passes = PASSES if target == "ncnn" else SHERPA_PASSES
    account = vectors.repair(target)
    used = {name for name, _ in account.changes}
    calls = vectors.calls(account.model)
    for left_out in passes:
        if left_out.name not in used or left_out.name in OPTIONAL:
            continue
        model = vectors.repair_by(one for one in passes if one is not left_out)
        forget_batch_axes(model)
        save(model, tmp_path / "broken.param", tmp_path / "broken.bin")
        assert is_wrong(tmp_path, model, calls), left_out.name


@pytest.mark.parametrize("target", TARGETS)
def test_a_wrong_repair_is_caught(vectors: Vectors, target: str, tmp_path: Path) -> None:
    """Each repair, with one thing wrong about a layer that it made, gives other numbers than PyTorch's."""
    account = vectors.repair(target)
    calls = vectors.calls(account.model)
    made: dict[str, list[str]] = {}
    for name, note in account.changes:
        made.setdefault(name, []).extend(note.layers)
    spoiled = set()
    for name, layers in made.items():
        if name in OPTIONAL:
            continue
        for layer in layers[:MOST_SPOILED]:
            model = Model(account.model.graph.copy(), file=account.model.file)
            if not model.graph.has_layer(layer) or not spoil(model.graph.layer(layer)):
                continue
            save(model, tmp_path / "broken.param", tmp_path / "broken.bin")
            spoiled.add(name)
            if is_wrong(tmp_path, model, calls):
                break
        else:
            assert name not in spoiled, name
    assert spoiled >= SPOILED[vectors.folder.name]


MOST_SPOILED = 9
"""Layers of a repair that are tried: one may be such that nothing follows from what is wrong about it."""
SPOILED = {
    "lstm": {"pnnx-lower-reshape"},
    "conv-emformer": {"pnnx-explicit-batch"},
    "zipformer": {"pnnx-explicit-batch", "pnnx-lower-unbind", "pnnx-stacked-outputs"},
}
"""Repairs that leave a layer to put something wrong about, at least."""


def spoil(layer: Layer) -> bool:
    """Puts something wrong about a layer; False if there is nothing to do so with."""
    if layer.type == "Permute":
        layer["order_type"] = int(layer["order_type"] == 0)
    elif layer.type == "Reshape" and layer["w"] != layer["h"]:
        layer["w"], layer["h"] = layer["h"], layer["w"]
    elif layer.type in ("Slice", "Concat", "GLU", "Softmax"):
        layer["axis"] = int(layer["axis"] == 0)
    elif layer.type in ("UnaryOp", "BinaryOp"):
        layer["op_type"] = int(layer["op_type"] == 0)
    elif layer.type == "TensorAsStrided":
        layer["storage_offset"] = 0
    elif layer.type == "MemoryData":
        layer.weights.put("data", layer.weights["data"].numpy("f4") + 1)
    else:
        return False
    return True


def forget_batch_axes(model: Model) -> None:
    """Reads a graph as runtimes before 2026-07 do, and sherpa-ncnn's: without Reshape's params 12 and 13."""
    for layer in model.graph.find("Reshape"):
        for id in (INPUT_AXIS, OUTPUT_AXIS):
            layer.params.pop(id, None)


def is_wrong(folder: Path, model: Model, calls: list[Call]) -> bool:
    try:
        verdicts = prove(folder / "broken.param", folder / "broken.bin", model.graph, calls)
    except NcnnParamError:
        return True
    return any(not verdict.is_within(TOLERANCE["fp32"]) for verdict in verdicts)


def test_no_size_of_a_model_is_in_the_code(root: Path) -> None:
    """Numbers of the repairs' code are ids, axes and ncnn's own constants."""
    allowed = {
        *range(16),  # axes, counts of axes, ids, operations
        18, 19,  # more operations of UnaryOp
        64, 233, 4096, 1_000_000,  # depth of an expression, "no axis", limits of the reader
        20,  # 64 << 20 bytes
    }  # fmt: skip
    for path in sorted((root / "ncnnparam/passes/pnnx").glob("*.py")):
        code = re.sub(r'"""(?s:.*?)"""|#.*|"[^"\n]*"', "", path.read_text())
        found = {int(number.replace("_", "")) for number in re.findall(r"(?<![\w.])[0-9][0-9_]*\b", code)}
        assert found <= allowed, path.name


@pytest.mark.nightly
@pytest.mark.parametrize("target", TARGETS)
def test_numbers_on_another_ncnn(vectors: Vectors, target: str, tmp_path: Path, root: Path) -> None:
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        pytest.skip(f"needs {OTHER_PYTHON}, a Python with another ncnn")
    account: Account = vectors.repair(target)
    save(account.model, tmp_path / "m.param", tmp_path / "m.bin")
    code = """if True:
        import sys
        from ncnnparam.model import load
        from ncnnparam.runtime.expected import prove, read_calls
        graph = load(sys.argv[1]).graph
        verdicts = prove(sys.argv[1], sys.argv[2], graph, read_calls(sys.argv[3], graph)[0])
        print(len(verdicts), max(verdict.error for verdict in verdicts))
    """
    files = [tmp_path / "m.param", tmp_path / "m.bin", vectors.folder / "expected.npz"]
    done = subprocess.run(
        [python, "-c", code, *map(str, files)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=300,
        check=True,
    )
    count, worst = done.stdout.split()
    assert int(count) > 0
    assert float(worst) <= TOLERANCE["fp32"]
