"""``ncnnparam opt --target``: the lowering on the command line, and the page about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ncnnparam import load
from ncnnparam.ops.versions import target
from ncnnparam.passes import catalog
from ncnnparam.passes.compat import PASSES
from ncnnparam.passes.compat.base import type_of
from ncnnparam.passes.compat.types import all_equivalents

from ...cli.conftest import Run, run
from .test_cases import CASES

__all__ = ["run"]

SHERPA = "sherpa-ncnn-2.1.15"
LEFT = "7767517\n3 3\nInput in0 0 1 in0 0=6 1=4\nSwish s 1 1 in0 a\nErf e 1 1 a out0\n"


def test_a_model_is_lowered(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "out.param"
    result = run("opt", CASES / "cuts.param", "--passes", "", "--target", SHERPA, "-o", output)
    assert result.exit_code == 0, result.err
    assert output.read_text() == (CASES / "cuts.after.param").read_text()
    assert "lower: 4 changes" in result.err
    assert run("check", output, "--target", SHERPA).exit_code == 0


def test_what_is_left_is_told_and_counts(run: Run, tmp_path: Path) -> None:
    model, output = tmp_path / "m.param", tmp_path / "out.param"
    model.write_text(LEFT)
    result = run("opt", model, "--passes", "", "--target", SHERPA, "-o", output)
    assert result.exit_code == 1
    assert f"left: e: {SHERPA} has no Erf: nothing that it has does the same\n" in result.err
    assert [layer.type for layer in load(output).graph] == ["Input", "Split", "Sigmoid", "BinaryOp", "Erf"]
    told = run("opt", model, "--passes", "", "--target", SHERPA, "-o", output, "--format", "json")
    assert told.exit_code == 1
    assert json.loads(told.out)["steps"][0]["declined"][0]["layers"] == ["e"]


def test_the_pass_takes_its_target_in_a_pipeline_too(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "out.param"
    result = run("opt", CASES / "cuts.param", "--passes", f"lower{{target={SHERPA}}}", "-o", output)
    assert result.exit_code == 0, result.err
    assert output.read_text() == (CASES / "cuts.after.param").read_text()


@pytest.mark.parametrize("words", [("--target", "sherpa"), ("--passes", "lower{target=sherpa}")])
def test_a_target_that_there_is_not(words: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    result = run("opt", CASES / "cuts.param", *words, "-o", tmp_path / "out.param")
    assert result.exit_code == 2
    assert "there is no target 'sherpa'" in result.err
    assert not (tmp_path / "out.param").exists()


def test_all_passes_are_in_the_catalog_and_on_the_page(root: Path) -> None:
    page = (root / "docs/compat.md").read_text()
    names = [one.name for one in PASSES]
    assert catalog.families()["compat"] == names
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_page_tells_of_every_type_that_sherpa_lacks(root: Path) -> None:
    page = (root / "docs/compat.md").read_text()
    said, _, none = page.partition("## What there is no equivalent for")
    runtime = target(SHERPA)
    types = {type_of(subject) for subject in all_equivalents()}
    assert [type for type in types if f"`{type}`" not in said] == []
    from ncnnparam.ops import registry

    lacking = [one for one in registry.names() if not runtime.has_type(one) and one not in types]
    builtin = [one for one in lacking if not registry.get(one).custom]
    assert [one for one in builtin if f"`{one}`" not in none] == []
    assert [
        type for type in types if f"`{type}`" in none and type not in ("Pooling", "Pooling1D", "Pooling3D")
    ] == []
