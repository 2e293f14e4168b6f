"""All repairs for a runtime, and what they say is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError
from ncnnparam.model import dumps, load, loads
from ncnnparam.passes.pnnx import PASSES, SHERPA_PASSES, named_target, read_pnnx, repair
from ncnnparam.passes.pnnx.dynamic import DynamicReshapes

from .test_cases import CASES, before
from .vectors import Vectors


def left(text: str, target: str) -> list[str]:
    account = repair(loads(text), None, named_target(target))
    return [note.message for note in account.left]


def test_targets() -> None:
    assert named_target("ncnn").name.startswith("ncnn-2026")
    assert named_target("sherpa-ncnn").name.startswith("sherpa-ncnn-")
    assert named_target("ncnn-20250916").name == "ncnn-20250916"
    with pytest.raises(ConfigError):
        named_target("onnx")


def test_layers_that_only_sherpa_ncnn_has() -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\nStack s 1 1 in0 out0\n"
    assert left(text, "sherpa-ncnn") == []
    (message,) = left(text, "ncnn")
    assert message.endswith("has no Stack")


def test_unknown_layers_are_left() -> None:
    text = "7767517\n2 2\nInput in0 0 1 in0\ntorch.erfinv e 1 1 in0 out0\n"
    (message,) = left(text, "ncnn")
    assert message == "ncnn has no function 'erfinv' of 1 blob"
    text = "7767517\n2 2\nInput in0 0 1 in0\nStrange s 1 1 in0 out0\n"
    (message,) = left(text, "ncnn")
    assert message.endswith("has no Strange")


def test_what_may_be_right_as_it_is_is_kept() -> None:
    account = repair(before("drop-broadcast-tiles")[0], None, named_target("ncnn"))
    assert account.left == []
    assert [note.layers for note in account.kept] == [("t_2",)]


def test_a_sound_model_stays_as_it_is(shared: Path) -> None:
    model = load(Path(shared, "vectors/lstm/raw/fp32/joiner_jit_trace_pnnx.ncnn.param"))
    account = repair(model, None, named_target("sherpa-ncnn"))
    assert (account.changes, account.left, account.weights_changed) == ([], [], False)
    assert dumps(account.model) == dumps(model)


def test_without_the_bin_no_layer_with_weights_goes(shared: Path) -> None:
    """The constants of a running mean are read by nobody then, but the old ``.bin`` has them."""
    vectors = Vectors(shared / "vectors/zipformer")
    raw = load(vectors.raw("ncnn.param"))
    account = repair(raw, read_pnnx(vectors.raw("pnnx.param")), named_target("sherpa-ncnn"))
    assert account.model.graph.find("PoolingModuleNoProj")
    assert not account.weights_changed
    assert len(account.model.graph.find("MemoryData")) == len(raw.graph.find("MemoryData"))


def test_names_are_unique() -> None:
    names = [one.name for one in (*PASSES, *SHERPA_PASSES, DynamicReshapes)]
    assert len(set(names)) == len({*PASSES, *SHERPA_PASSES, DynamicReshapes})
    assert all(one.__doc__ for one in PASSES)


def test_a_pass_finds_the_pnnx_param_beside_the_model(tmp_path: Path) -> None:
    for name, other in (("before.param", "m.ncnn.param"), ("model.pnnx.param", "m.pnnx.param")):
        (tmp_path / other).write_text((CASES / "glu-axis" / name).read_text())
    model = load(tmp_path / "m.ncnn.param")
    (glu,) = (one for one in PASSES if one.name == "pnnx-glu-axis")
    assert glu()(model).modified
    again = load(CASES / "glu-axis/before.param")
    assert not glu()(again).modified
    assert glu(str(tmp_path / "m.pnnx.param"))(again).modified
