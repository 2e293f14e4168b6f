"""Outputs that cannot be written, or that are the input: the old file stays, or the new one is whole."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import SOUND, Run, assert_trouble

EDIT = ("set", "sound.param", "relu_1", "slope=0.2")
EDITED = SOUND.replace(b"0=0.1", b"0=0.2")
BIG = SOUND.replace(b"3 3", b"2003 2003") + b"".join(
    b"Input in%d 0 1 in%d\n" % (n, n) for n in range(1, 2001)
)


def test_full_device(run: Run, sound: Path) -> None:
    assert_trouble(run(*EDIT, "-o", "/dev/full"), "/dev/full", "No space left")
    assert sound.read_bytes() == SOUND


def test_full_standard_output(run: Run, sound: Path) -> None:
    with open("/dev/full", "wb") as full:
        assert_trouble(run(*EDIT, "-o", "-", stdout=full), "No space left")
        assert_trouble(run("show", sound.name, stdout=full), "No space left")


@pytest.mark.parametrize("command", ["show", "check", "diff"])
def test_closed_standard_output(command: str, run: Run, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "other.param").write_bytes(EDITED)
    args = [command, sound.name, *(["other.param"] if command == "diff" else ["--format", "json"])]
    assert_trouble(run(*args, preexec_fn=_close_output), "standard output", "closed")
    assert_trouble(run(*EDIT, "-o", "-", preexec_fn=_close_output), "standard output", "closed")


def test_an_edit_in_place_needs_no_standard_output(run: Run, sound: Path) -> None:
    assert run(*EDIT, preexec_fn=_close_output).returncode == 0
    assert sound.read_bytes() == EDITED


def _close_output() -> None:
    os.close(1)


def test_the_output_may_be_the_pipe_of_standard_output(run: Run, sound: Path) -> None:
    result = run(*EDIT, "-o", "/dev/stdout")
    assert (result.returncode, result.stdout) == (0, EDITED), result.stderr


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_file_size_limit(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sound.param"
    path.write_bytes(BIG)
    assert_trouble(run(*EDIT, preexec_fn=_small_files), path.name, "too large")
    assert path.read_bytes() == BIG
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], stderr=-1).returncode
    ):
        pytest.skip("cannot mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(run: Run, small_disk: Path) -> None:
    path = small_disk / "sound.param"
    path.write_bytes(BIG[:60_000].rpartition(b"\n")[0])
    before = path.read_bytes()
    assert_trouble(run(*EDIT, cwd=small_disk), path.name, "No space left")
    assert path.read_bytes() == before
    assert list(small_disk.iterdir()) == [path]


@pytest.mark.parametrize("output", ["folder", "missing/new.param", "sound.param/new.param", ""])
def test_output_that_is_no_file(output: str, run: Run, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert_trouble(run(*EDIT, "-o", output), output)
    assert sound.read_bytes() == SOUND


@pytest.mark.parametrize("alias", ["sound.param", "./sound.param", "link", "hard"])
def test_output_is_the_input(alias: str, run: Run, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sound)
    (tmp_path / "hard").hardlink_to(sound)
    result = run(*EDIT, "-o", alias)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / alias).read_bytes() == EDITED
    assert (tmp_path / "link").is_symlink()
    assert sound.read_bytes() == (SOUND if alias == "hard" else EDITED)


def test_a_failed_edit_leaves_input_and_output(run: Run, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "old.param").write_bytes(b"precious")
    assert_trouble(run("set", sound.name, "no_such_layer", "slope=0.2", "-o", "old.param"), "no_such_layer")
    assert (tmp_path / "old.param").read_bytes() == b"precious"
    assert sound.read_bytes() == SOUND


def test_a_reader_that_goes_away_is_no_finding(tmp_path: Path) -> None:
    model = tmp_path / "m.param"
    layers = "".join(f"ReLU r{index} 1 1 b{index} b{index + 1}\n" for index in range(20000))
    model.write_text(f"7767517\n20001 20001\nInput b0 0 1 b0\n{layers}")
    command = [sys.executable, "-m", "ncnnparam", "show", "--layers", str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 2
