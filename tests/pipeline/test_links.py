"""Links where the disk has them, copies where not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ncnnparam.errors import FileError
from ncnnparam.pipeline.links import link


def test_a_link_replaces_what_was_there(tmp_path: Path) -> None:
    source, place = tmp_path / "source", tmp_path / "place"
    source.write_text("new")
    place.write_text("old")
    link(source, place)
    assert place.read_text() == "new"
    assert os.path.samefile(source, place)
    assert {path.name for path in tmp_path.iterdir()} == {"source", "place"}


def test_a_link_that_is_there_already_leaves_nothing_beside_it(tmp_path: Path) -> None:
    source, place = tmp_path / "source", tmp_path / "place"
    source.write_text("new")
    for _ in range(2):
        link(source, place)
    assert {path.name for path in tmp_path.iterdir()} == {"source", "place"}
    assert os.path.samefile(source, place)


def test_a_copy_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    source, place = tmp_path / "source", tmp_path / "place"
    source.write_text("new")
    monkeypatch.setattr(os, "link", refuse)
    link(source, place)
    assert place.read_text() == "new"
    assert not os.path.samefile(source, place)


def test_what_a_kill_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / ".place.new").write_text("half")
    link(tmp_path / "source", tmp_path / "place")
    assert (tmp_path / "place").read_text() == "new"
    assert not (tmp_path / ".place.new").exists()


def test_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    with pytest.raises(FileError, match="cannot write"):
        link(tmp_path / "source", tmp_path / "no/place")
