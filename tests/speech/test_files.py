"""The files of a model are found, or it is said what is wrong with the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncnnparam.errors import FileError
from ncnnparam.speech.files import find_model

PARAM = "7767517\n1 1\nInput in 0 1 in0\n"
NAME = "{}_jit_trace-pnnx.ncnn.{}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for net in ("encoder", "decoder", "joiner"):
        add(tmp_path, net)
    (tmp_path / "tokens.txt").write_text("<blk> 0\n")
    return tmp_path


def add(folder: Path, net: str, form: str = "", name: str = NAME) -> None:
    (folder / name.format(net, f"{form}param")).write_text(PARAM)
    (folder / name.format(net, f"{form}bin")).touch()


def named(folder: Path, *, int8: bool = False) -> list[str]:
    model = find_model(folder, int8=int8)
    files = [file for pair in model.nets for file in pair]
    assert all(Path(file).parent == folder for file in files)
    assert model.tokens == str(folder / "tokens.txt")
    return [Path(file).name for file in files]


def test_six_files(folder: Path) -> None:
    (folder / "encoder_jit_trace-pnnx.pnnx.param").write_text(PARAM)
    wanted = [NAME.format(net, end) for net in ("encoder", "decoder", "joiner") for end in ("param", "bin")]
    assert named(folder) == wanted


def test_int8(folder: Path) -> None:
    with pytest.raises(FileError, match="has no int8 net"):
        named(folder, int8=True)
    add(folder, "encoder", "int8.")
    add(folder, "joiner", "int8.")
    forms = ["int8.", "", "int8."]
    wanted = [
        NAME.format(net, form + end)
        for net, form in zip(("encoder", "decoder", "joiner"), forms, strict=True)
        for end in ("param", "bin")
    ]
    assert named(folder, int8=True) == wanted
    assert not any("int8" in name for name in named(folder))


def test_other_names(tmp_path: Path) -> None:
    for net in ("encoder", "decoder", "joiner"):
        add(tmp_path, net, name="{}.{}")
    (tmp_path / "tokens.txt").touch()
    assert named(tmp_path)[:2] == ["encoder.param", "encoder.bin"]


def test_what_may_be_wrong(folder: Path) -> None:
    with pytest.raises(FileError, match="is not a folder"):
        find_model(folder / "tokens.txt")
    with pytest.raises(FileError, match="nowhere does not exist") as missing:
        find_model(folder / "nowhere")
    assert missing.value.code == "NP801"
    add(folder, "joiner", name="{}-epoch-99.{}")
    with pytest.raises(FileError, match=r"may be the joiner: joiner-epoch-99\.param, joiner_jit"):
        named(folder)
    (folder / "joiner-epoch-99.param").unlink()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for name in (NAME.format("joiner", "bin"), NAME.format("joiner", "param"), "tokens.txt"):
        content = (folder / name).read_text()
        (folder / name).write_text(pointer)
        with pytest.raises(FileError, match=f"{name}: this is a git-lfs pointer") as caught:
            named(folder)
        assert "git lfs pull" in str(caught.value)
        (folder / name).write_text(content)
    (folder / NAME.format("joiner", "bin")).write_text(PARAM)
    with pytest.raises(FileError, match=r"joiner_jit.*bin: this is a \.param text, not weights"):
        named(folder)
    (folder / NAME.format("joiner", "bin")).unlink()
    with pytest.raises(FileError, match=r"there is no .*joiner_jit_trace-pnnx\.ncnn\.bin"):
        named(folder)
    add(folder, "joiner", "int8.")
    (folder / NAME.format("joiner", "param")).unlink()
    with pytest.raises(FileError, match=r"has no joiner\*\.param; there is only joiner_.*, for --int8"):
        named(folder)
