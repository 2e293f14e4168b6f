"""What stages made is there whole or not at all, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.pipeline.key import Key
from ncnnparam.pipeline.store import Record, Store


def key(**settings: object) -> Key:
    return Key("stage 1", settings, {"in": "0" * 64}, {"tool": "1"})


def put(store: Store, content: str = "x", **settings: object) -> Record:
    with store.workshop("stage") as workshop:
        folder = workshop / "made"
        folder.mkdir()
        (folder / "file").write_text(content)
        made = store.made({"role": folder / "file"}, folder)
        record = Record(key(**settings), made, {"a": 1}, [], 0.5, "2026-01-01T00:00:00+00:00")
        store.put("stage", folder, record)
    return record


def test_what_was_put_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.record("stage") is None
    record = put(store)
    assert store.record("stage") == record
    (file,) = store.files("stage", record).values()
    assert (file.path.read_text(), file.sha256) == ("x", record.files["role"].sha256)
    assert store.damage("stage", record) == ""


def test_only_the_last_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, "x", a=1)
    record = put(store, "y", a=2)
    assert store.record("stage") == record
    assert len(list((tmp_path / "stage").iterdir())) == 1


def test_damage_is_noticed_and_mended(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record = put(store)
    (file,) = store.files("stage", record).values()
    file.path.write_text("z")  # as long as it was
    assert store.damage("stage", record) == "role is not what was made"
    file.path.unlink()
    assert store.damage("stage", record) == "role is missing"
    record = put(store)
    assert store.damage("stage", record) == ""
    assert len(list((tmp_path / "stage").iterdir())) == 1


@pytest.mark.parametrize("content", ["", "{", '{"key": 3}'])
def test_a_broken_record_is_none(tmp_path: Path, content: str) -> None:
    store = Store(tmp_path)
    put(store)
    (tmp_path / "stage" / key().digest[:16] / "record.json").write_text(content)
    assert store.record("stage") is None


def test_what_a_kill_leaves_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record = put(store)
    (tmp_path / "stage" / ".new-abc" / "made").mkdir(parents=True)
    store.clean()
    assert [path.name for path in (tmp_path / "stage").iterdir()] == [record.key.digest[:16]]


def test_what_is_kept_is_kept_for_one_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (store.kept("stage", key(a=1)) / "half").write_text("h")
    assert (store.kept("stage", key(a=1)) / "half").exists()
    assert not (store.kept("stage", key(a=2)) / "half").exists()
    assert not (store.kept("stage", key(a=1)) / "half").exists()
    put(store, a=1)
    assert len(list((tmp_path / "stage").iterdir())) == 1


def test_digests_are_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = tmp_path / "file"
    path.write_text("x")
    first = store.digests.of(path)
    store.digests.save()
    other = Store(tmp_path).digests
    status = path.stat()
    path.write_text("y")
    import os

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # size, time and inode are as they were
    assert other.of(path) == first
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert other.of(path) != first


def test_forgotten_digests_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "digests.json").write_text("[nonsense")
    path = tmp_path / "file"
    path.write_text("")
    assert Store(tmp_path).digests.of(path).startswith("e3b0c442")
