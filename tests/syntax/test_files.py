"""Reading with a limit; writing whole or not at all."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ncnnparam.errors import FileError
from ncnnparam.syntax import read_text, source_name, write_atomic

needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]


# ---- reading ---------------------------------------------------------------------------------------


def test_bytes_that_are_no_utf8_come_back(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    data = b"\xff\xfe \xe9 \xc3\xa9\r\n\x80"
    path.write_bytes(data)
    text = read_text(path)
    assert text == "\udcff\udcfe \udce9 é\r\n\udc80"
    write_atomic(path, text)
    assert path.read_bytes() == data


def test_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.param"
    path.write_bytes(b"a\r\nb")
    assert read_text(str(path)) == read_text(path) == "a\r\nb"
    assert read_text(io.BytesIO(b"\xff")) == "\udcff"
    assert read_text(io.StringIO("text")) == "text"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"in\r\n")))
    assert read_text("-") == "in\r\n"
    with path.open("rb") as file:
        assert source_name(file) == str(path)
        assert read_text(file) == "a\r\nb"
    assert [source_name(source) for source in ("-", path, io.StringIO())] == ["<stdin>", str(path), None]


@pytest.mark.parametrize("kind", ["path", "bytes", "text"])
def test_the_limit(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_bytes(b"12345")

    def source() -> Path | io.BytesIO | io.StringIO:
        if kind == "path":
            return path
        return io.BytesIO(b"12345") if kind == "bytes" else io.StringIO("12345")

    assert read_text(source(), max_size=5) == "12345"
    with pytest.raises(FileError, match="more than 4"):
        read_text(source(), max_size=4)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.param"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(FileError, match="1,099,511,627,776 bytes") as caught:
        read_text(path)
    assert "--max-size" in str(caught.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_is_refused() -> None:
    with pytest.raises(FileError, match="more than 1,000 bytes"):
        read_text("/dev/zero", max_size=1000)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read .*none\.param: No such file"):
        read_text(tmp_path / "none.param")
    with pytest.raises(FileError, match=r"cannot read .*directory"):
        read_text(tmp_path)


@needs_permissions
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(FileError, match="Permission denied"):
        read_text(path)


# ---- writing ---------------------------------------------------------------------------------------


def test_write_makes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    write_atomic(path, "one\r\n")
    assert path.read_bytes() == b"one\r\n"
    write_atomic(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert leftovers(tmp_path) == []


def test_the_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("old")
    path.chmod(0o640)
    write_atomic(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        write_atomic(tmp_path / "new.param", "new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.param").stat().st_mode) == 0o640


def test_backup(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    backup = tmp_path / "m.param.bak"
    write_atomic(path, "one", backup=True)
    assert not backup.exists()
    write_atomic(path, "two", backup=True)
    write_atomic(path, "three", backup=True)
    assert (path.read_text(), backup.read_text()) == ("three", "two")


def test_a_link_is_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "m.param", tmp_path / "link.param"
    path.write_text("old")
    link.symlink_to(path)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_name_of_the_greatest_length(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 249 + ".param")
    write_atomic(path, "x")
    assert path.read_text() == "x"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="it is a folder"):
        write_atomic(tmp_path, "x")
    with pytest.raises(FileError, match="No such file or directory"):
        write_atomic(tmp_path / "none" / "m.param", "x")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(FileError, match="Not a directory"):
        write_atomic(file / "m.param", "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk() -> None:
    with pytest.raises(FileError, match="No space left"):
        write_atomic("/dev/full", "x")


@needs_permissions
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileError, match="Permission denied"):
            write_atomic(tmp_path / "m.param", "x")
    finally:
        tmp_path.chmod(0o700)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """The file may grow to four bytes only: a real failure of a real write."""
    path = tmp_path / "m.param"
    path.write_text("old")
    code = (
        "import resource, signal, sys\n"
        "from ncnnparam.syntax import write_atomic\n"
        "from ncnnparam.errors import FileError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))\n"
        "try: write_atomic(sys.argv[1], 'a longer text', backup=True)\n"
        "except FileError as error: sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, path], capture_output=True, text=True, check=False
    )
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["m.param"]
    assert path.read_text() == "old"


def test_killed_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    path.write_text("old")
    code = (
        "import os, signal, sys\n"
        "from ncnnparam.syntax import write_atomic\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomic(sys.argv[1], 'new')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        write_atomic(pipe, "through")
        assert reader.communicate()[0] == b"through"
