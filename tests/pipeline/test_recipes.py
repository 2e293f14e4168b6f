"""What traced modules are made of, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.pipeline.config import Flag, Model, Trace
from ncnnparam.pipeline.recipes import checkpoints, export_flags, factory_sources, recipe_sources


def model(checkout: Path, **flags: object) -> Model:
    trace = Trace(how="icefall", checkout=checkout, recipe="lstm", flags=flags)
    return Model("m", flags=(Flag("encoder_dim", 64, "c:1"), Flag("avg", 9, "c:2")), trace=trace)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    asr = tmp_path / "egs/librispeech/ASR"
    for name in (
        "lstm/export-for-ncnn.py",
        "lstm/lstm.py",
        "exp/epoch-29.pt",
        "exp/epoch-30.pt",
        "exp/epoch-31.pt",
        "exp/checkpoint-4000.pt",
        "exp/encoder_jit_trace-pnnx.pt",
        "data/bpe.model",
    ):
        (asr / name).parent.mkdir(parents=True, exist_ok=True)
        (asr / name).write_text(name)
    return tmp_path


def test_flags_of_the_export(checkout: Path) -> None:
    told = model(checkout, avg=1, exp_dir="exp")
    assert export_flags(told) == {"encoder-dim": 64, "avg": 1, "exp-dir": "exp"}


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({"epoch": 30, "avg": 1}, {"epoch-29.pt", "epoch-30.pt"}),
        ({"epoch": "31", "avg": "1"}, {"epoch-30.pt", "epoch-31.pt"}),
        ({"iter": 4000, "avg": 1}, {"checkpoint-4000.pt"}),
        ({"epoch": 1, "avg": 1, "bpe-model": "data/bpe.model"}, {"bpe-model"}),
        ({"epoch": "last"}, set()),
    ],
)
def test_checkpoints_are_those_that_the_flags_choose(
    checkout: Path, flags: dict[str, object], names: set[str]
) -> None:
    found = checkpoints(model(checkout, **{"exp-dir": "exp", **flags}))
    assert set(found) == names
    assert all(path.is_file() for path in found.values())


def test_sources_of_a_recipe(checkout: Path) -> None:
    assert set(recipe_sources(model(checkout))) == {"recipe/export-for-ncnn.py", "recipe/lstm.py"}
    assert recipe_sources(Model("m")) == {}


def test_sources_of_a_factory(tmp_path: Path) -> None:
    (tmp_path / "package/inner").mkdir(parents=True)
    for name in ("package/__init__.py", "package/inner/a.py", "module.py"):
        (tmp_path / name).write_text("")
    assert set(factory_sources("package.inner:make", tmp_path)) == {
        "package/__init__.py",
        "package/inner/a.py",
    }
    assert set(factory_sources("module:make", tmp_path)) == {"module.py"}
    assert factory_sources("nothing:make", tmp_path) == {}
    assert "ncnnparam/pipeline/recipes.py" in factory_sources("ncnnparam.pipeline:make", None)
    assert factory_sources("no_such_package:make", None) == {}
