"""The default pipeline beside what ncnnoptimize made of the same models."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import Model, load
from ncnnparam.passes import PassManager, Report, catalog, parse_pipeline
from ncnnparam.passes.manager import no_new_errors
from ncnnparam.runtime.compare import TOLERANCE, compare_models, random_inputs
from ncnnparam.speech.streaming import fed_shapes
from ncnnparam.views.shapes import know_shapes

from ...conftest import ROOT
from .nets import assert_same_numbers, fill

SHARED = ROOT.parent / "shared"

OURS = {
    "fuse_batchnorm_scale": "fuse-batchnorm-scale",
    "fuse_convolution_batchnorm": "fuse-batchnorm",
    "fuse_convolution_mul": "fuse-mul",
    "fuse_convolution_add": "fuse-add",
    "fuse_convolutiondepthwise_batchnorm": "fuse-batchnorm",
    "fuse_convolutiondepthwise_mul": "fuse-mul",
    "fuse_convolutiondepthwise_add": "fuse-add",
    "fuse_deconvolution_batchnorm": "fuse-batchnorm",
    "fuse_deconvolution_mul": "fuse-mul",
    "fuse_deconvolution_add": "fuse-add",
    "fuse_deconvolutiondepthwise_batchnorm": "fuse-batchnorm",
    "fuse_innerproduct_batchnorm": "fuse-batchnorm",
    "fuse_innerproduct_add": "fuse-add",
    "fuse_innerproduct_dropout": "fuse-dropout|eliminate-dropout",
    "fuse_convolution_activation": "fuse-activation",
    "fuse_convolution1d_activation": "fuse-activation",
    "fuse_convolutiondepthwise_activation": "fuse-activation",
    "fuse_deconvolution_activation": "fuse-activation",
    "fuse_deconvolutiondepthwise_activation": "fuse-activation",
    "fuse_innerproduct_activation": "fuse-activation",
    "fuse_memorydata_binaryop": "fuse-memorydata-binaryop",
    "fuse_binaryop_eltwise": "fuse-binaryop-eltwise",
    "eliminate_dropout": "eliminate-dropout",
    "eliminate_pooling1x1": "eliminate-pooling1x1",
    "eliminate_noop": "eliminate-noop",
    "eliminate_split": "eliminate-split|fuse-memorydata-binaryop",
    "eliminate_orphaned_memorydata": "eliminate-dead|fuse-mul|fuse-add",
    "eliminate_flatten_after_global_pooling": "eliminate-flatten",
    "eliminate_reshape_after_global_pooling": "eliminate-reshape",
    "eliminate_flatten_after_innerproduct": "eliminate-flatten",
    "eliminate_reshape_before_binaryop": "eliminate-reshape-before-binaryop",
    "replace_reduction_with_global_pooling": "replace-reduction-with-global-pooling",
    "replace_prelu_with_leaky_relu": "replace-prelu-with-relu",
    "replace_convolution_with_innerproduct_after_global_pooling": "replace-convolution-with-innerproduct",
    "replace_convolution_with_innerproduct_after_innerproduct": "replace-convolution-with-innerproduct",
}
"""What stands for which pass of ncnnoptimize: one of these is to change something where it does."""

EXCEPTIONS = {
    (
        "pool",
        "replace_reduction_with_global_pooling",
    ): "the second Reduction has no such axis, and does nothing",
    ("quirk", "fuse_convolution_batchnorm"): "an activation is between them, and the output changes",
    ("nssd8", "fuse_convolution_batchnorm"): "the Convolution computes in int8, and the tool crashes",
}
"""Where nothing is done for a reason."""
MORE_LAYERS = {
    "quirk": "the tool lets a Convolution forget one activation for another",
}
"""Cases in which more layers are left than ncnnoptimize leaves, and why."""
NO_USE = {"bop": {"nothing", "lost"}}
"""Outputs that go: of a Noop without inputs, which ncnn cannot compute, and of a MemoryData."""
MORE_OUTPUTS = {"nyf2": {"796"}}
"""Outputs that come: what else a Noop of two inputs read, as with ncnnoptimize."""
BEFORE_THE_END = {"detn": ["mbox_loc", "mbox_conf_flatten", "mbox_priorbox"]}
"""What is compared instead of the outputs: a DetectionOutput finds nothing in noise, and gives nothing."""

SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "dw": {"x": (6, 8, 9)},
    "dd": {"x": (6, 8, 9)},
    "c1": {"x": (5, 12)},
    "bop": {"x": (3, 5, 7)},
    "p0": {"in0": (3, 12, 12)},
    "p1": {"in0": (4, 5, 5)},
    "p2": {"in0": (9,)},
    "p3": {"in0": (3, 7, 7)},
    "det3": {"data": (3, 48, 48)},
    "live2": {"data": (3, 80, 80)},
    "detn": {"data": (3, 192, 192)},
    "ctxnet": {"input": (3, 32, 32)},
    "fdet": {"input.1": (3, 352, 352)},
    "ppcls": {"input": (3, 48, 192)},
    "enet": {"input": (3, 128, 128)},
    "face": {"input0": (3, 96, 96)},
    "dbface": {"0": (3, 96, 96)},
    "nmb3": {"input": (3, 512, 512)},
}
"""Input shapes, where the models do not state them, or state others than they can be run with."""
WEIGHTLESS = ("nmb3", "ncunet", "nsq8", "nmv3", "nyf2", "nser", "nssd8")
"""Cases without a .bin: ncnnoptimize ran on random weights, and so do we."""
LARGE = ("enet", "face", "live2", "detn", "dbface", "ncunet", "nmv3", "nmb3", "nsq8")
"""What takes longer to run."""


@dataclass(frozen=True)
class Case:
    """One row of the index of the goldens."""

    name: str
    param: Path
    weights: Path | None
    layers: int | None
    """How many ncnnoptimize leaves."""
    fired: set[str]
    """Its passes that did something."""

    def load(self) -> Model:
        """The model before."""
        model = load(self.param, self.weights)
        know_shapes(model.graph, fed_shapes(model.graph))  # as ncnnparam opt does
        if self.weights is None:
            fill(model)
        return model


def cases() -> Iterator[Case]:
    folder = SHARED / "golden" / "optimize"
    if not folder.is_dir():
        return
    with (SHARED / "golden" / "index.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            match = re.search(r"(\w+)\.o0\.param", row["command"])
            if row["case"] != "optimize" or match is None:
                continue
            inputs = [
                SHARED / "corpus" / name.removeprefix("devcorpus/") if "/" in name else folder / name
                for name in row["inputs"].split()
            ]
            after, log = (folder / f"{match[1]}.o0.{kind}" for kind in ("param", "log"))
            layers = int(after.read_text().split()[1]) if after.is_file() else None
            fired = set(re.findall(r"^((?:fuse|eliminate|replace)_\w+) ", log.read_text(), re.MULTILINE))
            yield Case(match[1], inputs[0], inputs[1] if len(inputs) > 1 else None, layers, fired)


CASES = {case.name: case for case in cases()}
ALL = pytest.mark.parametrize("name", CASES)
RUN = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.nightly] if name in LARGE else [])
        for name in CASES
        if name not in WEIGHTLESS or name in LARGE
    ],
)


@cache
def optimised(name: str) -> tuple[Model, Report]:
    """A model before, and what the default pipeline makes of it."""
    before = CASES[name].load()
    return before, PassManager(parse_pipeline("optimize"))(before)


def test_the_goldens_are_there(shared: Path) -> None:
    assert len(CASES) == 33
    assert {name for case in CASES.values() for name in case.fired} == set(OURS)


def test_ours_exist() -> None:
    ours = {name for names in OURS.values() for name in names.split("|")}
    assert ours <= set(catalog.families()["optimize"])


def test_the_documentation_has_them_all(root: Path) -> None:
    text = (root / "docs" / "optimize.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", text, re.MULTILINE))
    assert len(table) == 34
    assert all(table[name] in names.split("|") for name, names in OURS.items() if name in table)
    assert set(OURS) - set(table) == {"fuse_convolution1d_activation"}  # a line of the log, and no pass


@ALL
def test_fires_where_ncnnoptimize_does(name: str) -> None:
    case, (_, report) = CASES[name], optimised(name)
    changed = {step.name for step in report.steps if step.result.modified}
    missing = {theirs for theirs in case.fired if not changed & set(OURS[theirs].split("|"))}
    assert missing == {theirs for place, theirs in EXCEPTIONS if place == name}
    if case.layers is not None:
        assert (report.model.graph.layer_count > case.layers) is (name in MORE_LAYERS)


@ALL
def test_makes_no_faults(name: str) -> None:
    before, report = optimised(name)
    assert no_new_errors(before, report.model) is None
    assert [blob.name for blob in report.model.graph.inputs] == [blob.name for blob in before.graph.inputs]
    outputs = {blob.name for blob in before.graph.outputs} - NO_USE.get(name, set())
    assert {blob.name for blob in report.model.graph.outputs} == outputs | MORE_OUTPUTS.get(name, set())


@ALL
def test_a_second_time_nothing_changes(name: str) -> None:
    _, report = optimised(name)
    again = PassManager(parse_pipeline("optimize"))(report.model)
    assert [step.name for step in again.steps if step.result.modified] == []


@RUN
def test_keeps_the_numbers(name: str) -> None:
    before, report = optimised(name)
    if report.modified:
        compared = BEFORE_THE_END.get(name, [blob.name for blob in report.model.graph.outputs])
        assert_same_numbers(before, report.model, SHAPES.get(name), outputs=compared)


@pytest.mark.parametrize(("name", "output"), [("quirk", "out0"), ("pool", "y3")])
def test_ncnnoptimize_changes_the_outcome(shared: Path, name: str, output: str) -> None:
    """The reason to leave alone what it does not."""
    case = CASES[name]
    tool = load(case.param.with_name(f"{name}.o0.param"), case.param.with_name(f"{name}.o0.bin"))
    before = case.load()
    (difference,) = compare_models(before, tool, random_inputs(before.graph), [output])
    assert not difference.is_within(10 * TOLERANCE)


def test_the_goldens_show_that_pool_becomes_another_network(shared: Path) -> None:
    """ncnn's own outputs, as they were recorded: a mean over axis 2 of two axes is none."""
    before, after = (
        np.load(shared / f"golden/loads/optimize.pool.{kind}.npz")["y3"] for kind in ("fp32", "o0")
    )
    assert (before.shape, after.shape) == ((4, 6), (4,))
    notes = [str(note) for step in optimised("pool")[1].steps for note in step.result.declined]
    assert any("m1 is over axis 2, and m0 leaves the axes 0 and 1" in note for note in notes)


def test_ncnnoptimize_renames_the_input_of_bop(shared: Path) -> None:
    assert not load(CASES["bop"].param.with_name("bop.o0.param")).graph.has_blob("x")
    assert optimised("bop")[1].model.graph.has_blob("x")


def test_without_weights_the_graph_passes_work(shared: Path) -> None:
    """Passes that would change weights decline, the others do what they do."""
    report = PassManager(parse_pipeline("optimize"))(load(CASES["ip"].param))
    changed = {step.name for step in report.steps if step.result.modified}
    assert {"eliminate-noop", "eliminate-dropout", "fuse-activation"} <= changed
    assert not changed & {"fuse-batchnorm", "fuse-mul", "fuse-add", "fuse-dropout"}
    declined = [str(note) for step in report.steps for note in step.result.declined]
    assert any("are not loaded" in reason for reason in declined)
