"""What every pass has: a golden, numbers on the real ncnn, something it declines, and no work done twice.

A new pass is not whole before it has its rows here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from ncnnparam import Model, dumps, load, loads
from ncnnparam.passes import Pass, catalog, parse_pipeline

from .optimize.nets import header, model

HERE = Path(__file__).parent
FAMILIES = catalog.families()
OWN = sorted(catalog.names())

OPTIONS = {
    "lower": "target=sherpa-ncnn-2.1.15",
    "lower-batch-axes": "target=ncnn-20250916",
    "lower-types": "target=ncnn-20220729",
    "lower-activations": "target=sherpa-ncnn-2.1.15",
    "lower-vectors": "target=ncnn-20230517",
    "lower-storage": "target=ncnn-20230816",
    "lower-spelling": "target=ncnn-20240410",
    "spell": "arrays=new,strings=quoted",
    "pnnx-dynamic-reshapes": 'sizes="16 99"',
}
"""Options without which a pass finds nothing to do, or with which its golden was made."""

NUMBERS = {
    "eliminate-noop": "optimize.test_eliminate_layers:test_golden_of_noops",
    "eliminate-dropout": "optimize.test_eliminate_layers:test_golden",
    "eliminate-pooling1x1": "optimize.test_eliminate_layers:test_golden",
    "eliminate-identity": "optimize.test_eliminate_layers:test_golden",
    "eliminate-split": "optimize.test_eliminate_splits:test_golden",
    "replace-reduction-with-global-pooling": "optimize.test_replace_layers:test_golden",
    "replace-prelu-with-relu": "optimize.test_replace_layers:test_golden",
    "replace-convolution-with-innerproduct": "optimize.test_replace_layers:test_golden",
    "fuse-batchnorm-scale": "optimize.test_fuse_normalization:test_golden",
    "fuse-batchnorm": "optimize.test_fuse_normalization:test_golden",
    "fuse-scale": "optimize.test_fuse_normalization:test_golden",
    "fuse-dropout": "optimize.test_fuse_normalization:test_golden",
    "fuse-mul": "optimize.test_fuse_constant:test_golden",
    "fuse-add": "optimize.test_fuse_constant:test_golden",
    "fuse-activation": "optimize.test_fuse_activation:test_golden",
    "fuse-memorydata-binaryop": "optimize.test_fuse_binaryop:test_golden",
    "fuse-binaryop-eltwise": "optimize.test_fuse_binaryop:test_golden",
    "eliminate-flatten": "optimize.test_eliminate_reshapes:test_golden_of_flattens",
    "eliminate-reshape": "optimize.test_eliminate_reshapes:test_golden_of_reshapes",
    "eliminate-reshape-before-binaryop": (
        "optimize.test_eliminate_reshapes:test_golden_of_reshapes_before_binaryop"
    ),
    "eliminate-dead": "optimize.test_eliminate_dead:test_golden",
    "eliminate-duplicates": "optimize.test_eliminate_duplicates:test_golden",
    "fold-constants": "...runtime.test_fold:test_golden",
    "lower": "compat.test_cases:test_becomes_what_is_expected_with_the_same_numbers",
    "renew-names": "compat.test_weights:test_a_renamed_lstm_computes_what_it_did",
    "renew-axes": "compat.test_age:test_recounted_axes_are_those_that_were_meant",
    "lower-batch-axes": "compat.test_alone:test_golden",
    "lower-types": "compat.test_alone:test_golden",
    "lower-activations": "compat.test_alone:test_golden",
    "lower-vectors": "compat.test_alone:test_golden",
    "lower-storage": "compat.test_alone:test_golden",
    "lower-spelling": "compat.test_alone:test_golden",
    "spell": "compat.test_alone:test_golden",
    "pnnx-drop-casts": "pnnx.test_numbers:test_casts_cut_towards_zero",
    "pnnx-expand-expressions": "pnnx.test_numbers:test_expressions",
    "pnnx-lower-elementwise": "pnnx.test_numbers:test_functions_of_single_numbers",
    "pnnx-lower-unbind": "pnnx.test_numbers:test_unbound_states",
    "pnnx-lower-reshape": "pnnx.test_numbers:test_reshapes_and_the_batch_axes_they_get_are_an_attention",
    "pnnx-explicit-batch": "pnnx.test_numbers:test_explicit_batch_is_an_attention",
    "pnnx-drop-matrix-unsqueezes": "pnnx.test_numbers:test_a_linear_layer_takes_a_matrix",
    "pnnx-matrix-permutes": "pnnx.test_numbers:test_a_transposed_matrix",
    "pnnx-matrix-axes": "pnnx.test_numbers:test_axes_of_a_matrix",
    "pnnx-glu-axis": "pnnx.test_numbers:test_glu_halves_channels_or_time",
    "pnnx-stacked-outputs": "pnnx.test_numbers:test_stacked_states",
    "pnnx-drop-broadcast-tiles": "pnnx.test_numbers:test_tiles",
    "pnnx-float-constants": "pnnx.test_numbers:test_integer_constants_become_floats",
    "pnnx-lower-as-strided": "pnnx.test_numbers:test_as_strided",
    "pnnx-sherpa-as-strided": "pnnx.test_numbers:test_as_strided",
    "pnnx-sherpa-pooling": "pnnx.test_numbers:test_running_means",
    "pnnx-dynamic-reshapes": "pnnx.test_numbers:test_sizes_left_open",
}
"""Where a pass is tried on the real ncnn: against the model as it was, or numpy where that cannot be run."""

IN, ROWS, PICTURE = "Input in0 0 1 in0\n", "Input in0 0 1 in0 0=6 1=4\n", "Input in0 0 1 in0 0=5 1=4 2=3\n"
CONVOLUTION = PICTURE + "Convolution c 1 1 in0 a 0=3 1=1 5=0 6=9"
WITHOUT_THE_BIN = "are not loaded"
ONLY_IN_PNNX_PARAM = "is only in the .pnnx.param"
LEFT_IN_SILENCE = ""
"""The reason of a pass that has none to give: it changes what it knows to be wrong, and the rest is right."""

DECLINED = {
    "eliminate-noop": (
        "Noop n 0 1 a\nReLU r 1 1 a out0",
        "n: it has no input, and its output is read",
    ),
    "eliminate-dropout": (
        IN + "Dropout d 1 1 in0 out0",
        "the output 'out0' of the network would be its input",
    ),
    "eliminate-pooling1x1": (
        IN + "Pooling p 1 1 in0 a 1=1\nReLU r 1 1 a out0",
        "in0 has an unknown number of axes",
    ),
    "eliminate-identity": (
        IN + "BinaryOp b 1 1 in0 out0 1=1",
        "the output 'out0' of the network would be its input",
    ),
    "eliminate-split": (
        IN + "Split s 1 1 in0 out0",
        "s: the output out0 of the network would lose its name",
    ),
    "replace-reduction-with-global-pooling": (
        ROWS + "Reduction r 1 1 in0 out0 0=3 1=0 -23303=2,-2,-1 5=1",
        "in0 has 2 axes, not 3",
    ),
    "replace-prelu-with-relu": (IN + "PReLU p 1 1 in0 out0 0=1", WITHOUT_THE_BIN),
    "replace-convolution-with-innerproduct": (
        IN + "Convolution c 1 1 in0 out0 0=3 1=1 6=9",
        "in0 may have more than one axis",
    ),
    "fuse-batchnorm-scale": (
        PICTURE + "BatchNorm b 1 1 in0 a 0=3\nScale s 1 1 a out0 0=4",
        "b has 3 channels, s has 4",
    ),
    "fuse-batchnorm": (f"{CONVOLUTION} 9=1\nBatchNorm b 1 1 a out0 0=3", "c applies an activation already"),
    "fuse-scale": (f"{CONVOLUTION} 9=1\nScale s 1 1 a out0 0=3", "c applies an activation already"),
    "fuse-mul": (
        f"{CONVOLUTION}\nMemoryData m 0 1 b 0=5\nBinaryOp o 2 1 a b out0 0=2",
        "m does not have one number for each output of c",
    ),
    "fuse-add": (
        f"{CONVOLUTION}\nMemoryData m 0 1 b 0=5\nBinaryOp o 2 1 a b out0 0=0",
        "m does not have one number for each output of c",
    ),
    "fuse-dropout": (f"{CONVOLUTION} 9=1\nDropout d 1 1 a out0 0=0.5", "c applies an activation already"),
    "fuse-activation": (f"{CONVOLUTION} 9=4\nReLU r 1 1 a out0", "c applies an activation already"),
    "fuse-memorydata-binaryop": (
        IN + "MemoryData m 0 1 b 0=1 1=1\nBinaryOp o 2 1 in0 b out0",
        "m has 2 axes, and the other input of o may have fewer",
    ),
    "fuse-binaryop-eltwise": (
        IN + "Input in1 0 1 in1\nBinaryOp h 1 1 in0 a 0=2 1=1 2=0.5\nBinaryOp s 2 1 a in1 out0",
        "Eltwise broadcasts nothing",
    ),
    "eliminate-flatten": (IN + "Flatten f 1 1 in0 a\nReLU r 1 1 a out0", "in0 may have more than one axis"),
    "eliminate-reshape": (
        IN + "Reshape s 1 1 in0 a 0=4 1=2\nReLU r 1 1 a out0",
        "in0 may have another shape",
    ),
    "eliminate-reshape-before-binaryop": (
        IN + "Input in1 0 1 in1\nReshape r 1 1 in0 a 0=1 1=1 2=4\nBinaryOp o 2 1 a in1 out0",
        "in0 may have more than one axis",
    ),
    "eliminate-dead": ("MemoryData m 0 1 a 0=4", WITHOUT_THE_BIN),
    "eliminate-duplicates": (
        "MemoryData m 0 1 a 0=4\nMemoryData n 0 1 b 0=4\nBinaryOp o 2 1 a b out0",
        WITHOUT_THE_BIN,
    ),
    "fold-constants": ("MemoryData m 0 1 a 0=4\nReLU r 1 1 a b\nReLU s 1 1 b out0", WITHOUT_THE_BIN),
    "lower": (ROWS + "Erf e 1 1 in0 out0", "has no Erf: nothing that it has does the same"),
    "renew-names": (IN + "LSTM2 l 1 1 in0 out0 0=4 1=96 7=1", "l: LSTM has no param 7"),
    "renew-axes": (IN + "Softmax s 1 1 in0 out0 0=1", "an old converter wrote it, and in0 may have 3 axes"),
    "lower-batch-axes": (
        IN + "Reshape o 1 1 in0 a 0=4 1=3 12=233 13=1 2=5\nInnerProduct f 1 1 a b 0=2 1=0 2=8\n"
        "Reshape c 1 1 b out0 0=6 12=1 1=5",
        "f: InnerProduct inside of a batch",
    ),
    "lower-types": (IN + "CumulativeSum c 1 1 in0 out0", "in0 may have more than 2 axes"),
    "lower-activations": (
        PICTURE + "Convolution c 1 1 in0 out0 0=3 1=1 6=9 9=3",
        "c: its activation_params lack numbers for clip",
    ),
    "lower-vectors": (
        PICTURE + "MemoryData m 0 1 a 0=5\nSplit s 1 2 a b c\nBinaryOp o 2 1 in0 b out0\nReLU r 1 1 c out1",
        "m: others read it as a vector",
    ),
    "lower-storage": (
        IN + "MemoryData m 0 1 a 0=4 21=0\nBinaryOp o 2 1 in0 a out0",
        "the target reads float32 here: the weights are not loaded",
    ),
    "lower-spelling": (IN + "ReLU r 1 1 in0 out0 0=0.1", LEFT_IN_SILENCE),
    "spell": (ROWS + "ReLU r 1 1 in0 out0", LEFT_IN_SILENCE),
    "pnnx-drop-casts": (IN + "Tensor.to t 1 1 in0 a\nReLU r 1 1 a out0", ONLY_IN_PNNX_PARAM),
    "pnnx-expand-expressions": (IN + "pnnx.Expression e 1 1 in0 out0", ONLY_IN_PNNX_PARAM),
    "pnnx-lower-elementwise": (
        IN + "torch.erfinv t 1 1 in0 out0",
        "t: ncnn has no function 'erfinv' of 1 blob",
    ),
    "pnnx-lower-unbind": (IN + "torch.unbind u 1 2 in0 out0 out1", ONLY_IN_PNNX_PARAM),
    "pnnx-lower-reshape": (IN + "Tensor.reshape r 1 1 in0 out0", ONLY_IN_PNNX_PARAM),
    "pnnx-explicit-batch": (
        IN + "Reshape o 1 1 in0 a 0=4 1=3 12=233 13=1 2=5\nInnerProduct f 1 1 a b 0=2 1=0 2=8\n"
        "Reshape c 1 1 b out0 0=6 12=1 1=5",
        "f: InnerProduct inside of a batch\no, c: left too",
    ),
    "pnnx-drop-matrix-unsqueezes": (
        IN + "ExpandDims e 1 1 in0 a -23303=1,0\nConvolution1D c 1 1 a out0 0=4 1=1 6=24",
        "Convolution1D takes a matrix, and cannot tell whether this was one",
    ),
    "pnnx-matrix-permutes": (
        IN + "Reshape r 1 1 in0 a 0=4 1=-1\nPermute p 1 1 a b 0=3\nSigmoid s 1 1 b out0",
        "p: cannot tell which of the axes of order 3 is the batch",
    ),
    "pnnx-matrix-axes": (IN + "Softmax s 1 1 in0 out0 0=2 1=1", LEFT_IN_SILENCE),
    "pnnx-glu-axis": (
        IN + "Convolution1D c 1 1 in0 a 0=8 1=1 6=48\nGLU g 1 1 a out0 0=1",
        ONLY_IN_PNNX_PARAM,
    ),
    "pnnx-stacked-outputs": (
        IN + "Input in1 0 1 in1\nConcat c 2 1 in0 in1 out0 0=-233",
        "c: joins along no axis",
    ),
    "pnnx-drop-broadcast-tiles": (
        IN + "Tile t 1 1 in0 out0 -23302=2,2,1",
        "t: cannot tell which axes it repeats",
    ),
    "pnnx-float-constants": (
        "MemoryData m 0 1 a 0=3\nBinaryOp o 1 1 a out0 1=1",
        "m: may be integers, and its type is only in the .pnnx.param",
    ),
    "pnnx-lower-as-strided": (IN + "torch.as_strided a 1 1 in0 out0", "are only in the .pnnx.param"),
    "pnnx-sherpa-as-strided": (IN + "torch.as_strided a 1 1 in0 out0", "are only in the .pnnx.param"),
    "pnnx-sherpa-pooling": (
        IN + "CumulativeSum c 1 1 in0 out0",
        "c: the layers around it are no running mean",
    ),
    "pnnx-dynamic-reshapes": (
        IN + "Reshape r 1 1 in0 out0 0=16 1=16",
        "r: only one size can be left open: (16, 16)\nno Reshape states the size 99",
    ),
}
"""For each pass a model that looks like work for it and that it leaves alone, and what it says."""


def whole_numbers(made: Model) -> None:
    """The bits of 1, 2, 3, as pnnx writes integers."""
    made.graph.layer("m").weights.put("data", np.arange(1, 4, dtype=np.int32).view(np.float32))


def equal_layers(made: Model) -> None:
    """Duplicates have the same weights."""
    for first, second in (("m0", "m1"), ("fc0", "fc1")):
        made.graph.layer(second)._weights = made.graph.layer(first)._weights


GOLDEN_WEIGHTS = {"eliminate-duplicates": equal_layers}
"""Weights that a golden needs; else they are random, or those of the ``.bin`` beside it."""
WEIGHTS: dict[str, Callable[[Model], None]] = {"pnnx-float-constants": whole_numbers}
"""Weights that a declined model needs; else they are random, or not there if that is the reason."""


def pass_of(name: str, more: str = "") -> Pass:
    words = ",".join(filter(None, (OPTIONS.get(name, ""), more)))
    (one,) = parse_pipeline(f"{name}{{{words}}}" if words else name)
    return one


def golden(name: str) -> tuple[Path, Path, Path]:
    """The model before a pass, the one after it, and the ``.pnnx.param``, which few have."""
    if name.startswith("pnnx-"):
        folder = HERE / "pnnx/cases" / name.removeprefix("pnnx-")
        return folder / "before.param", folder / "after.param", folder / "model.pnnx.param"
    folder, stem = HERE / "optimize/cases", name
    if name in FAMILIES["compat"]:
        folder = HERE / "compat/alone"
    if name == "lower":
        folder, stem = HERE / "compat/cases", "activations"
    return folder / f"{stem}.param", folder / f"{stem}.after.param", folder / f"{stem}.pnnx.param"


def read(path: Path) -> Model:
    """A golden model; random weights for what has some."""
    if "pnnx" in path.parts:
        weights = path.with_suffix(".bin")
        return load(path, weights if weights.exists() else None)
    return model(path.read_text().split("\n", 2)[2])


def test_the_tables_have_every_pass() -> None:
    assert sorted(NUMBERS) == OWN
    assert sorted(DECLINED) == OWN


@pytest.mark.parametrize("name", OWN)
def test_has_a_golden_and_does_nothing_twice(name: str) -> None:
    before, after, pnnx = golden(name)
    one = pass_of(name, f'pnnx="{pnnx}"' if pnnx.exists() else "")
    made = read(before)
    prepare = GOLDEN_WEIGHTS.get(name)
    if prepare is not None:
        prepare(made)
    assert one(made).modified
    assert dumps(made) == after.read_text()
    assert not one(made).modified
    assert dumps(made) == after.read_text()


@pytest.mark.parametrize("name", OWN)
def test_has_numbers_on_the_real_ncnn(name: str) -> None:
    place, function = NUMBERS[name].split(":")
    above = "tests.passes" if not place.startswith("...") else "tests"
    module = import_module(f"{above}.{place.removeprefix('...')}")
    found = getattr(module, function)
    assert inspect.isfunction(found)


@pytest.mark.parametrize("name", OWN)
def test_declines(name: str) -> None:
    text, reason = DECLINED[name]
    made = loads(header(text)) if "not loaded" in reason else model(text)
    if name in WEIGHTS:
        WEIGHTS[name](made)
    before = dumps(made)
    result = pass_of(name)(made)
    assert not result.modified
    assert dumps(made) == before
    assert reason in "\n".join(map(str, result.declined))
    assert bool(result.declined) is (reason != LEFT_IN_SILENCE)
