"""The inputs that TorchScript files have recorded."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ncnnparam.errors import FileError
from ncnnparam.runtime.recorded import Recorded, drop_recorded_inputs, recorded_inputs

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Module(torch.nn.Module):
    def forward(self, x: Any, length: Any, states: list[Any]) -> Any:
        return x + states[0], length, states[1] * 2


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    states = [torch.zeros(1, 3), torch.zeros(2, 1, 5, dtype=torch.float64)]
    example = (torch.zeros(4, 3), torch.tensor([7]), states)
    path = tmp_path / "m.pt"
    torch.jit.trace(Module(), example, check_trace=False).save(str(path))
    return path


def test_lists_are_unfolded(traced: Path) -> None:
    assert recorded_inputs(traced) == [
        Recorded((4, 3), "float32"),
        Recorded((1,), "int64"),
        Recorded((1, 3), "float32"),
        Recorded((2, 1, 5), "float64"),
    ]


def test_a_copy_without_them_is_what_torch_writes_without_them(traced: Path, tmp_path: Path) -> None:
    copy, saved = tmp_path / "copy.pt", tmp_path / "saved.pt"
    drop_recorded_inputs(traced, copy)
    torch.jit.load(str(traced)).save(str(saved))
    assert recorded_inputs(copy) is None
    assert recorded_inputs(saved) is None
    names = [{name.partition("/")[2] for name in zipfile.ZipFile(path).namelist()} for path in (copy, saved)]
    assert names[0] == names[1]
    x, length, states = torch.ones(4, 3), torch.tensor([2]), [torch.ones(1, 3), torch.ones(2, 1, 5)]
    results = [torch.jit.load(str(path))(x, length, states) for path in (traced, copy)]
    assert all(map(torch.equal, *results))


def test_copies_are_the_same_bytes(traced: Path, tmp_path: Path) -> None:
    for name in ("one.pt", "two.pt"):
        drop_recorded_inputs(traced, tmp_path / name)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()


def hostile(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/traced_inputs.pkl", data)
    return path


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("run by a stranger",)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(Evil(), 2),
        pickle.dumps({"forward": [3]}, 2),
        pickle.dumps({"backward": []}, 2),
        pickle.dumps([1], 2),
        b"no pickle",
        b"",
    ],
)
def test_pickles_of_strangers_do_nothing(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        recorded_inputs(hostile(tmp_path / "m.pt", data))
    assert capsys.readouterr().out == ""


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FileError, match="no TorchScript file"):
        recorded_inputs(tmp_path / "m.pt")
    with pytest.raises(FileError, match="no TorchScript file"):
        drop_recorded_inputs(tmp_path / "m.pt", tmp_path / "copy.pt")
    with pytest.raises(FileError, match="cannot read"):
        recorded_inputs(tmp_path / "none.pt")
    with pytest.raises(FileError, match="1048577 bytes"):
        recorded_inputs(hostile(tmp_path / "large.pt", bytes((1 << 20) + 1)))
