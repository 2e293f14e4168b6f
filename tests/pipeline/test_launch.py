"""A stage in a process of its own, which may end in any way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import NcnnParamError
from ncnnparam.pipeline.child import decode_model, encode_model
from ncnnparam.pipeline.config import Model
from ncnnparam.pipeline.files import Files
from ncnnparam.pipeline.launch import Message, launch

from .conftest import Project, only_model


def order(model: Model, stage: str, folder: Path, files: Files | None = None) -> Message:
    return {
        "stage": stage,
        "model": encode_model(model),
        "files": {role: [str(path), *rest] for role, (path, *rest) in (files or Files()).items()},
        "facts": {},
        "folder": str(folder),
        "keep": str(folder),
        "jobs": 1,
    }


def test_a_stage_answers_and_says_how_far_it_is(project: Project, tmp_path: Path) -> None:
    heard: list[Message] = []
    answer = launch(
        order(only_model(project()), "tokens", tmp_path), tmp_path / "log", tmp_path, heard.append
    )
    assert answer["files"] == {"tokens": str(tmp_path / "tokens.txt")}
    assert answer["facts"] == {"size": 12, "blank": 0}
    assert heard == [{"line": "12 tokens, the blank is 0"}]
    assert (tmp_path / "log").read_bytes() == b""


def test_an_error_keeps_its_hint_and_its_code(project: Project, tmp_path: Path) -> None:
    path = project()
    given = order(only_model(path), "tokens", tmp_path)
    (tmp_path / "tokens.txt").unlink()
    with pytest.raises(NcnnParamError, match=r"cannot read .*tokens\.txt") as missing:
        launch(given, tmp_path / "log", tmp_path, print)
    assert missing.value.code == "NP801"
    (tmp_path / "tokens.txt").write_text("")
    with pytest.raises(NcnnParamError, match="has no blank") as caught:
        launch(order(only_model(path), "tokens", tmp_path), tmp_path / "log", tmp_path, print)
    assert "is it the right file" in str(caught.value.hint)


def test_what_cannot_be_written_is_told(project: Project, tmp_path: Path) -> None:
    path = project()
    with pytest.raises(NcnnParamError, match=r"no/folder.*No such file"):
        launch(order(only_model(path), "convert", tmp_path / "no/folder"), tmp_path / "log", tmp_path, print)


def test_a_process_that_breaks_is_told_with_its_last_words(project: Project, tmp_path: Path) -> None:
    model = only_model(project())
    with pytest.raises(NcnnParamError, match="its process ended with 1: StopIteration"):
        launch(order(model, "no such stage", tmp_path), tmp_path / "log", tmp_path, print)
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_config_survives_the_way_to_the_child(project: Project) -> None:
    model = only_model(project('[model]\nencoder-dim = 48\n[trace]\nflags = { epoch = 3, names = "a,b" }\n'))
    assert decode_model(encode_model(model)) == model
