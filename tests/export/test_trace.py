"""TorchScript files: those that are there, and those that a factory's modules are traced to."""

from __future__ import annotations

import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.export import take_traced, trace_factory
from ncnnparam.export.trace import require_torchscript
from ncnnparam.speech.nets import NETS

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
FACTORY = "tests.export.small_transducer:make"
FAULTY = "tests.export.faulty_factories:"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"


def test_a_factory_is_traced(traced: Any) -> None:
    assert [path.name for path in traced.parts.values()] == [f"{part}_jit_trace-pnnx.pt" for part in NETS]
    assert take_traced(traced.parts).parts == traced.parts
    said = traced.log.read_text()
    assert "building" in said
    assert "tracing the joiner" in said


def test_weights_come_from_the_checkpoint(traced: Any, tmp_path: Path, root: Path) -> None:
    bias = torch.arange(12.0)
    weights = torch.jit.load(str(traced.joiner)).state_dict() | {"output.bias": bias}
    torch.save({"model": {"joiner": weights}}, tmp_path / "epoch-1.pt")
    made = trace_factory(FACTORY, tmp_path / "out", path=root, checkpoint=tmp_path / "epoch-1.pt")
    assert torch.equal(torch.jit.load(str(made.joiner)).output.bias, bias)


def test_a_checkpoint_that_is_more_than_weights_needs_trust(tmp_path: Path, root: Path) -> None:
    checkpoint = tmp_path / "epoch-1.pt"
    torch.save({"model": {}, "params": Namespace(epoch=1)}, checkpoint)
    with pytest.raises(FileError, match=r"holds more than weights: .*argparse\.Namespace") as caught:
        trace_factory(FACTORY, tmp_path / "out", path=root, checkpoint=checkpoint)
    assert "trust" in str(caught.value.hint)
    trusted = trace_factory(FACTORY, tmp_path / "out", path=root, checkpoint=checkpoint, trust=True)
    assert trusted.encoder.is_file()


@pytest.mark.parametrize(
    ("factory", "error", "message"),
    [
        ("no_colon", ConfigError, "is no factory"),
        ("tests.export:a-b", ConfigError, "is no factory"),
        ("tests.export.nothing_here:make", ConfigError, "there is no module 'tests.export.nothing_here' in"),
        (f"{FAULTY}lacknig", ConfigError, r"faulty_factories\.py has no 'lacknig'"),
        (f"{FAULTY}lacking", ConfigError, "it returns no dict with encoder, decoder, joiner"),
        (f"{FAULTY}alone", ConfigError, "its 'encoder' is no pair of a module and an example"),
        (f"{FAULTY}failing", NcnnParamError, "ended with exit code 1"),
    ],
)
def test_a_factory_that_is_none(
    factory: str, error: type[Exception], message: str, tmp_path: Path, root: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        trace_factory(factory, tmp_path / "out", path=root)
    if factory.endswith("failing"):
        assert "ZeroDivisionError: no layers" in str(caught.value)


def test_a_factory_that_hangs(tmp_path: Path, root: Path) -> None:
    with pytest.raises(NcnnParamError, match="was stopped after"):
        trace_factory(f"{FAULTY}hanging", tmp_path / "out", path=root, timeout=5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POINTER, "git-lfs pointer"),
        ("", "it is empty"),
        ("<!DOCTYPE html>", "HTML or XML page"),
        ("!junk!" * 99, "not begin"),
    ],
)
def test_a_checkpoint_that_is_none(content: str, message: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "c.pt").write_text(content)
    with pytest.raises(FileError, match=message):
        trace_factory(FACTORY, tmp_path, path=root, checkpoint=tmp_path / "c.pt")


def test_a_checkpoint_that_is_damaged(tmp_path: Path, root: Path) -> None:
    (tmp_path / "c.pt").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(NcnnParamError, match=r"c\.pt"):
        trace_factory(FACTORY, tmp_path, path=root, checkpoint=tmp_path / "c.pt")


def test_a_net_that_is_not_named(traced: Any) -> None:
    with pytest.raises(ConfigError, match="no file is named for the decoder and the joiner"):
        take_traced({"encoder": traced.encoder})


def test_files_that_are_no_torchscript(traced: Any, tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    with pytest.raises(FileError, match="cannot read"):
        require_torchscript(path)
    path.write_text(POINTER)
    with pytest.raises(FileError, match="git-lfs pointer"):
        require_torchscript(path)
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(FileError, match="it holds weights, without the code of a module"):
        require_torchscript(path)
    torch.save({"weight": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(FileError, match="Python pickle, maybe a checkpoint"):
        require_torchscript(path)
    path.write_bytes(traced.encoder.read_bytes()[:1000])
    with pytest.raises(FileError, match="cut off"):
        require_torchscript(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/readme.txt", "")
    with pytest.raises(FileError, match="there is no code in it"):
        require_torchscript(path)
