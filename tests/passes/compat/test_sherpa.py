"""What was lowered for sherpa-ncnn runs on the ncnn that its package carries, with the same numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ncnnparam import Model, dumps, load
from ncnnparam.passes.compat import Lower
from ncnnparam.runtime.compare import random_inputs
from ncnnparam.runtime.net import run_net
from ncnnparam.weights import in_order, pieces

from ...conftest import ROOT
from ..optimize.nets import assert_same_numbers, run
from .test_cases import NAMES, TARGETS, before, lower

FOR_SHERPA = [name for name in NAMES if name not in TARGETS]


@pytest.fixture(scope="module")
def library() -> Path:
    spec = find_spec("sherpa_ncnn")
    if spec is None or spec.origin is None:
        pytest.skip("sherpa-ncnn is not installed")
    path = Path(spec.origin).parent / "lib" / "libncnn.so"
    if not path.exists():
        pytest.skip("this build of sherpa-ncnn has no ncnn of its own")
    return path


def ask(library: Path, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [sys.executable, str(ROOT / "tools/probes/child.py"), str(library)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=json.dumps(questions), capture_output=True, text=True, env=env, check=True
    )
    return list(json.loads(done.stdout))


def question(model: Model, inputs: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    return {
        "param": dumps(model),
        "bin": b"".join(bytes(piece) for piece in pieces(in_order(model.graph), None)).hex(),
        "inputs": {name: numbers.tolist() for name, numbers in inputs.items()},
        "outputs": outputs,
    }


def test_sherpa_runs_what_was_lowered_and_not_what_was_not(library: Path, tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    originals = [before(name) for name in FOR_SHERPA]
    lowered = [run(lower(name), model)[0] for name, model in zip(FOR_SHERPA, originals, strict=True)]
    inputs = [random_inputs(model.graph) for model in originals]
    outputs = [[blob.name for blob in model.graph.outputs] for model in originals]
    asked = list(zip(inputs, outputs, strict=True))
    refused = ask(library, [question(model, *fed) for model, fed in zip(originals, asked, strict=True)])
    answers = ask(library, [question(model, *fed) for model, fed in zip(lowered, asked, strict=True)])
    for name, model, old, new, (fed, names) in zip(
        FOR_SHERPA, originals, refused, answers, asked, strict=True
    ):
        assert old.get("run") != 0, name
        assert new.get("run") == 0, (name, new)
        param, weights = tmp_path / f"{name}.param", tmp_path / f"{name}.bin"
        model.save(param, weights)
        right = run_net(param, weights, fed, names)
        for blob, numbers in zip(names, new["outputs"], strict=True):
            np.testing.assert_allclose(
                np.array(numbers), right.outputs[blob], rtol=1e-4, atol=1e-5, err_msg=name
            )


def test_a_real_model_becomes_one_for_sherpa(library: Path, shared: Path) -> None:
    pytest.importorskip("ncnn")
    (param,) = (shared / "corpus").glob("*landmark106.param")
    original = load(param, param.with_suffix(".bin"))
    lowered, result = run(Lower("sherpa-ncnn-2.1.15"), original)
    assert len(result.changes) > 30
    assert not result.declined
    assert_same_numbers(original, lowered, tolerance=1e-5)
    outputs = [blob.name for blob in lowered.graph.outputs]
    (answer,) = ask(library, [question(lowered, random_inputs(original.graph), outputs)])
    assert answer.get("run") == 0
