"""The four verbs on text, path and stream."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import ncnnparam as nnp

TEXT = "7767517\r\n2 2\r\nInput  in\udce9 0 1 in0\r\nReLU relu 1 1 in0 out0 0=0.1"
DATA = TEXT.encode("utf-8", "surrogateescape")


class Bytes(io.TextIOWrapper):
    """A text stream over bytes in memory."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(io.BytesIO(data), encoding="ascii", newline="")

    @property
    def data(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "m.param"
    file.write_bytes(DATA)
    return file


def test_loads_and_dumps() -> None:
    model = nnp.loads(TEXT)
    assert model.path is None
    assert nnp.dumps(model) == nnp.dumps(model.graph) == TEXT


def test_load_from_a_path_a_stream_and_standard_input(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nnp.load(path).path == nnp.load(str(path)).path == str(path)
    assert nnp.dumps(nnp.load(path)) == TEXT
    with path.open("rb") as stream:
        assert nnp.dumps(nnp.load(stream)) == TEXT
    assert nnp.dumps(nnp.load(io.StringIO(TEXT))) == TEXT
    monkeypatch.setattr(sys, "stdin", Bytes(DATA))
    model = nnp.load("-")
    assert (nnp.dumps(model), model.path) == (TEXT, None)


def test_dump_to_a_path_a_stream_and_standard_output(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nnp.load(path)
    target = path.with_name("copy.param")
    nnp.dump(model, target)
    assert target.read_bytes() == DATA
    stream = io.StringIO()
    nnp.dump(model.graph, stream)
    assert stream.getvalue() == TEXT
    monkeypatch.setattr(sys, "stdout", stdout := Bytes())
    nnp.dump(model, "-")
    assert stdout.data == DATA


def test_save(path: Path) -> None:
    model = nnp.load(path)
    model.graph.layer("relu")["slope"] = 0.5
    model.save(backup=True)
    assert path.with_name("m.param.bak").read_bytes() == DATA
    assert nnp.load(path).graph.layer("relu")["slope"] == 0.5
    model.save(path.with_name("other.param"))
    assert path.with_name("other.param").read_bytes() == path.read_bytes()
    with pytest.raises(nnp.FileError, match="say where"):
        nnp.loads(TEXT).save()


def test_output_may_be_the_input(path: Path) -> None:
    nnp.save(nnp.load(path), path)
    assert path.read_bytes() == DATA


def test_errors_name_the_file(path: Path) -> None:
    path.write_text("7767517\n1 1\nInput in one\n")
    with pytest.raises(nnp.ParseError, match=r"m\.param:3:10: ") as caught:
        nnp.load(path)
    assert caught.value.file == str(path)
    with pytest.raises(nnp.ParseError, match=r"^a name:3:10: "):
        nnp.loads(path.read_text(), name="a name")
    with path.open() as stream, pytest.raises(nnp.ParseError, match=r"m\.param:3:10: "):
        nnp.load(stream)


def test_options_are_handed_on(path: Path) -> None:
    with pytest.raises(nnp.FileError, match="more than 10"):
        nnp.load(path, max_size=10)
    path.write_text("7767517\n1 1\nInput in 0 1 in 0=2.f\n")
    nnp.load(path)
    with pytest.raises(nnp.ParseError):
        nnp.load(path, dialect=nnp.Dialect.STRICT)
    with pytest.raises(nnp.ParseError):
        nnp.loads(path.read_text(), dialect=nnp.Dialect.STRICT)
