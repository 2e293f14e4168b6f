"""Files fetched from a hub on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncnnparam.errors import ConfigError, FileError, NcnnParamError
from ncnnparam.export import fetch
from tests.export.hub_server import COMMIT, REPOSITORY, Hub, serve

pytest.importorskip("huggingface_hub")
LARGE = os.urandom(12 << 20)
"""More than the 10 MiB that huggingface_hub takes from the line at a time."""
FILES = {
    "README.md": b"# about\n",
    "exp/pretrained.pt": LARGE,
    "data/lang_bpe_500/bpe.model": b"model",
    "empty": b"",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve(dict(FILES)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("NO_PROXY", "*")
        yield server


def test_files_that_fit_a_pattern(hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = fetch(REPOSITORY, ["exp/*.pt", "*bpe.model"], tmp_path, advance=lambda *size: told.append(size))
    assert found == [tmp_path / "data/lang_bpe_500/bpe.model", tmp_path / "exp/pretrained.pt"]
    assert [path.read_bytes() for path in found] == [b"model", LARGE]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "bpe.model",
        "pretrained.pt",
    ]
    assert told == sorted(told)
    assert told[-1] == (len(LARGE) + 5, len(LARGE) + 5)


def test_what_is_there_and_right_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    fetch(REPOSITORY, ["*"], tmp_path)
    (tmp_path / "README.md").write_bytes(b"# ABOUT\n")
    hub.requests.clear()
    fetch(REPOSITORY, ["*"], tmp_path)
    assert hub.ranges("pretrained.pt") == []
    assert (tmp_path / "README.md").read_bytes() == FILES["README.md"]
    assert (tmp_path / "empty").read_bytes() == b""


def test_a_revision(hub: Hub, tmp_path: Path) -> None:
    fetch(REPOSITORY, ["README.md"], tmp_path, revision="main")
    fetch(REPOSITORY, ["README.md"], tmp_path, revision=COMMIT)
    with pytest.raises(ConfigError, match="there is no owner/model at v2"):
        fetch(REPOSITORY, ["README.md"], tmp_path, revision="v2")


def test_a_download_that_breaks_off_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.breaks["exp/pretrained.pt"] = [11 << 20]
    (path,) = fetch(REPOSITORY, ["exp/*"], tmp_path)
    assert path.read_bytes() == LARGE
    assert hub.ranges("pretrained.pt") == ["", f"bytes={10 << 20}-"]


def test_the_next_call_goes_on_where_the_last_one_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.status = 500
    with pytest.raises(NcnnParamError, match=r"the hub cannot give exp/pretrained\.pt") as caught:
        fetch(REPOSITORY, ["exp/*"], tmp_path)
    assert "what has come is kept" in str(caught.value.hint)
    (half,) = (tmp_path / "exp").iterdir()
    half.write_bytes(LARGE[:2_000_000])  # as a call that was killed leaves it
    hub.status = 200
    hub.requests.clear()
    (path,) = fetch(REPOSITORY, ["exp/*"], tmp_path)
    assert hub.ranges("pretrained.pt") == ["bytes=2000000-"]
    assert path.read_bytes() == LARGE
    assert list(path.parent.iterdir()) == [path]


def test_a_rest_that_is_another_file_is_not_gone_on_from(hub: Hub, tmp_path: Path) -> None:
    fetch(REPOSITORY, ["exp/*"], tmp_path)
    (tmp_path / "exp" / "pretrained.pt").rename(tmp_path / "exp" / ".pretrained.pt.0123.part")
    hub.files["exp/pretrained.pt"] = b"another version" * 100
    (path,) = fetch(REPOSITORY, ["exp/*"], tmp_path)
    assert path.read_bytes() == b"another version" * 100


@pytest.mark.parametrize("name", ["README.md", "exp/pretrained.pt"])
def test_a_wrong_checksum(name: str, hub: Hub, tmp_path: Path) -> None:
    hub.lies.add(name)
    with pytest.raises(FileError, match="another checksum than the hub tells"):
        fetch(REPOSITORY, [name], tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_not_there(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no repository owner/modle"):
        fetch("owner/modle", ["*"], tmp_path)
    with pytest.raises(ConfigError, match="is no name of a repository"):
        fetch("owner/model/more", ["*"], tmp_path)
    with pytest.raises(ConfigError, match=r"owner/model has no file 'exp/pretraind\.pt'") as caught:
        fetch(REPOSITORY, ["README.md", "exp/pretraind.pt"], tmp_path)
    assert caught.value.hint == "did you mean exp/pretrained.pt?"
    with pytest.raises(ConfigError, match=r"has no file 'x\.bin'") as caught:
        fetch(REPOSITORY, ["x.bin"], tmp_path)
    assert "README.md" in str(caught.value.hint)
    hub.gated = True
    with pytest.raises(ConfigError, match="only for those who have access"):
        fetch(REPOSITORY, ["README.md"], tmp_path)


def test_names_that_lead_elsewhere(hub: Hub, tmp_path: Path) -> None:
    hub.files["../outside.pt"] = b"x"
    with pytest.raises(FileError, match="which is not taken"):
        fetch(REPOSITORY, ["*outside.pt"], tmp_path / "in")
    assert not (tmp_path / "outside.pt").exists()


def test_a_hub_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(NcnnParamError, match="the hub cannot give owner/model"):
        fetch(REPOSITORY, ["*"], tmp_path)


def test_a_folder_that_cannot_be_written(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "exp").write_text("a file in the way")
    with pytest.raises(FileError, match="cannot write"):
        fetch(REPOSITORY, ["exp/*"], tmp_path)
