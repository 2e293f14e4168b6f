"""Reading with a limit, and writing so that a file is old or new and never half."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TypeAlias

from ncnnparam.errors import FileError, did_you_mean, unreadable

Source: TypeAlias = str | os.PathLike[str] | IO[str] | IO[bytes]

MAX_SIZE = 256 * 1024 * 1024
"""The largest text read by default, in bytes; the largest real .param files have a few megabytes."""

_RAISE = "is it a .param file? If so, raise the limit with --max-size"
_BLOCK = 1 << 20  # a reader sets aside as much as it is asked for, so it is not asked for everything at once


def read_text(source: Source, *, max_size: int = MAX_SIZE, too_large: str = _RAISE) -> str:
    """The text of a path, of standard input (``"-"``) or of an open stream.

    Bytes that are no UTF-8 come as surrogate escapes, so that writing gives them back.

    Args:
        source: What to read.
        max_size: Bytes that it may have.
        too_large: The hint if it has more.

    Raises:
        FileError: There is no such file, it cannot be read, or it is larger than ``max_size`` bytes.
    """
    if source == "-":
        if sys.stdin is None:
            raise FileError("cannot read standard input: it is closed", code="NP802")
        return _read_stream(sys.stdin.buffer, "standard input", max_size, too_large)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if stat.S_ISREG(status.st_mode):
                    _check_size(status.st_size, str(path), max_size, too_large)
                return _read_stream(file, str(path), max_size, too_large)
        except OSError as error:
            raise unreadable(path, error, hint=_hint(error, path)) from None
    return _read_stream(source, source_name(source) or "the stream", max_size, too_large)


def source_name(source: Source) -> str | None:
    """A name for messages: the path, ``<stdin>``, a stream's own name, or None."""
    if source == "-":
        return "<stdin>"
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else None


def write_atomic(path: str | os.PathLike[str], content: str | bytes, *, backup: bool = False) -> None:
    """Replaces a file, or makes it: whoever looks, and whenever it is killed, sees the old or the new one.

    Args:
        path: The file. A link is followed, and what it points to is replaced.
        content: The new content; text is written as UTF-8 with its surrogate escapes as bytes.
        backup: Keep the old file beside it with ``.bak`` added to its name.

    Raises:
        FileError: The folder cannot be written, the disk is full, ...; the old file is untouched.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    place = Path(path)  # with its links, as the real path of /dev/stdout may be no path at all
    if place.exists() and not place.is_file() and not place.is_dir():  # a pipe, a device
        _write_through(place, data)  # nothing there to replace
        return
    replacement = Replacement(path, [data])
    try:
        if backup:
            replacement.keep_old()
        replacement.put()
    finally:
        replacement.discard()


class Replacement:
    """A new content for a file, written and synced beside it, and not yet in its place.

    Args:
        path: The file. A link is followed, and what it points to is to be replaced.
        content: The new content in pieces.

    Attributes:
        target: The file with links followed.
        temporary: The file beside it that has the new content.

    Raises:
        FileError: The folder cannot be written, the disk is full, ...; nothing is left behind.
    """

    def __init__(self, path: str | os.PathLike[str], content: Iterable[bytes | memoryview]) -> None:
        self.target = Path(os.path.realpath(path))
        self._path = path
        if self.target.is_dir():
            raise FileError(f"cannot write {path}: it is a folder")
        temporary: str | None = None
        try:
            prefix = f".{self.target.name[:100]}."
            handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=self.target.parent)
            with os.fdopen(handle, "wb") as file:
                for piece in content:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, _mode(self.target))
        except BaseException as error:
            if temporary is not None:
                _unlink(temporary)
            if isinstance(error, OSError):
                raise FileError(f"cannot write {path}: {error.strerror}") from None
            raise
        self.temporary = Path(temporary)

    def keep_old(self) -> None:
        """Keeps the old file beside the new one, with ``.bak`` added to its name."""
        try:
            if self.target.exists():
                _keep(self.target)
        except OSError as error:
            raise FileError(f"cannot write {self._path}.bak: {error.strerror}") from None

    def put(self) -> None:
        """Puts the new content in the file's place; the old one was there up to now."""
        try:
            os.replace(self.temporary, self.target)
        except OSError as error:
            raise FileError(f"cannot write {self._path}: {error.strerror}") from None
        sync_folder(self.target.parent)

    def discard(self) -> None:
        """Removes what was not put in place."""
        _unlink(self.temporary)


def write_stdout(text: str) -> None:
    """Writes a text to standard output, its surrogate escapes as bytes."""
    data = memoryview(text.encode("utf-8", "surrogateescape"))
    while data:  # with PYTHONUNBUFFERED a write may take only a part, the rest fails or follows
        data = data[sys.stdout.buffer.write(data) :]
    sys.stdout.buffer.flush()


def _hint(error: OSError, path: Path) -> str | None:
    if isinstance(error, IsADirectoryError):
        return "name a file in it"
    if isinstance(error, FileNotFoundError):
        with contextlib.suppress(OSError):
            return did_you_mean(path.name, os.listdir(path.parent))
    return None


def _read_stream(stream: IO[str] | IO[bytes], name: str, max_size: int, too_large: str) -> str:
    text, data, size = io.StringIO(newline=""), io.BytesIO(), 0
    try:
        while block := stream.read(min(_BLOCK, max_size + 1 - size)):
            size += text.write(block) if isinstance(block, str) else data.write(block)
    except IsADirectoryError:
        raise FileError(f"cannot read {name}: it is a folder", code="NP802") from None
    _check_size(size, name, max_size, too_large, more=True)
    return text.getvalue() or data.getvalue().decode("utf-8", "surrogateescape")


def _check_size(size: int, name: str, max_size: int, hint: str, *, more: bool = False) -> None:
    if size > max_size:
        has = f"has more than {max_size:,} bytes" if more else f"has {size:,} bytes, more than {max_size:,}"
        raise FileError(f"{name} {has}", hint=hint)


def _write_through(target: Path, data: bytes) -> None:
    try:
        with target.open("wb") as file:
            file.write(data)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}") from None


def _unlink(path: str | Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _mode(target: Path) -> int:
    """Permissions for the new file: those of the old one, else what a plain open would give."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _keep(target: Path) -> None:
    """Makes the backup by a link where the file system can, so that it is there at once and whole."""
    backup = target.with_name(target.name + ".bak")
    with contextlib.suppress(FileNotFoundError):
        backup.unlink()
    try:
        os.link(target, backup)
    except OSError:
        backup.write_bytes(target.read_bytes())


def sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut, where the system lets a folder be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
