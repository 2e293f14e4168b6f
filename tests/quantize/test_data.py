"""Items from arrays, numpy's files and lists of files, good and bad."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ncnnparam.errors import BadItemError, FileError, NcnnParamError
from ncnnparam.optional import need
from ncnnparam.quantize.arrays import npy_items
from ncnnparam.quantize.data import array_items, checked, list_files

ONE = np.ones((2, 3), np.float32)


def test_a_folder_a_list_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.npy", "a.npy", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "list").write_text("b.npy\n\n a.npy \n")
    folder = [path.name for path in list_files(tmp_path, (".npy",))]
    assert folder == ["a.npy", "b.npy"]
    assert list_files(tmp_path / "a.npy", (".npy",)) == [tmp_path / "a.npy"]
    assert list_files(tmp_path / "list", (".npy",)) == [tmp_path / "b.npy", tmp_path / "a.npy"]
    monkeypatch.chdir(tmp_path)
    assert list_files("list", (".npy",)) == [Path("b.npy"), Path("a.npy")]


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"has no \.npy files"):
        list_files(tmp_path, (".npy",))
    with pytest.raises(FileError, match="cannot read"):
        list_files(tmp_path / "none", (".npy",))


def test_a_line_that_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"a.npy\n{'a' * 5000}\n")
    with pytest.raises(FileError, match=r"list\.txt:2: this line is no path"):
        list_files(tmp_path / "list.txt", (".npy",))


def test_npy_and_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ONE.astype(np.float64))
    np.savez(tmp_path / "b.npz", x=ONE, other=ONE, y=np.array([1, 2]))
    (item,) = npy_items(tmp_path / "a.npy", ["in0"]).good
    assert item.load()["in0"].dtype == np.float32
    (item,) = npy_items(tmp_path / "b.npz", ["x", "y"]).good
    loaded = item.load()
    assert list(loaded) == ["x", "y"]
    assert loaded["y"].dtype == np.int32
    assert np.array_equal(loaded["x"], ONE)
    assert pickle.loads(pickle.dumps(item)).load()["x"].shape == (2, 3)


BAD: dict[str, tuple[Any, str]] = {
    "nan": (np.array([1, np.nan]), "has NaN or infinity"),
    "infinity": (np.array([np.inf]), "has NaN or infinity"),
    "infinity in float32": (np.array([1e300]), "has NaN or infinity"),
    "strings": (np.array(["a"]), "not of numbers"),
    "complex": (np.array([1j]), "not of numbers"),
    "batch": (np.ones((1, 1, 1, 2, 3)), "without a batch axis"),
    "scalar": (np.float32(3), "1 to 4 sizes"),
    "empty": (np.zeros((0, 3)), "1 to 4 sizes"),
    "large": (np.array([2**40]), "more than 32 bits"),
}


@pytest.mark.parametrize(("array", "why"), BAD.values(), ids=BAD)
def test_bad_arrays(tmp_path: Path, array: Any, why: str) -> None:
    np.save(tmp_path / "x.npy", array)
    items = npy_items(tmp_path, ["in0"])
    assert not items.good
    assert why in items.bad[str(tmp_path / "x.npy")]
    assert why in array_items([{"in0": array}]).bad["item 1"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    assert list(npy_items(tmp_path, ["in0"]).bad.values()) == ["is no regular file"]


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "void.npy").touch()
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object))
    np.save(tmp_path / "short.npy", ONE)
    whole = (tmp_path / "short.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(whole[:-5])
    np.savez(tmp_path / "other.npz", z=ONE)
    (tmp_path / "folder.npy").mkdir()
    items = npy_items(tmp_path, ["in0"])
    assert not items.good
    assert len(items.bad) == 6
    assert items.bad[str(tmp_path / "folder.npy")] == "is no regular file"
    assert items.bad[str(tmp_path / "text.npy")] == "is no array of numpy"  # and no advice to unpickle it
    assert "has no array in0; it has z" in items.bad[str(tmp_path / "other.npz")]
    with pytest.raises(BadItemError) as error:
        items.require_good()
    for name in items.bad:
        assert name in str(error.value)


def test_one_array_for_two_inputs(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", ONE)
    assert "an .npz has a, b" in npy_items(tmp_path, ["a", "b"]).bad[str(tmp_path / "x.npy")]


def test_the_same_twice(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", ONE)
    np.save(tmp_path / "y.npy", ONE)
    items = npy_items(tmp_path, ["in0"])
    assert [item.name for item in items.good] == [str(tmp_path / "x.npy")]
    assert "is the same as" in items.bad[str(tmp_path / "y.npy")]


def test_arrays_in_memory() -> None:
    items = array_items([{"a": ONE}, {"a": ONE + 1}]).good
    assert [item.name for item in items] == ["item 1", "item 2"]
    assert items[0].digest != items[1].digest
    assert checked("a", np.array([True, False])).dtype == np.int32


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(NcnnParamError, match=r"needs no_such_module(.|\n)*ncnnparam\[quantize\]"):
        need("no_such_module", "quantize")
