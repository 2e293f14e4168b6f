"""Digests of files, remembered by size, time and inode, so that large files are read once."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from ncnnparam.errors import FileError, unreadable
from ncnnparam.syntax import read_text, write_atomic

_BLOCK = 1 << 20


class Digests:
    """Digests of files.

    Args:
        memory: The file that keeps them from one run to the next.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, list[int | str]] = {}
        self._changed = False
        with contextlib.suppress(FileError, ValueError):  # what is not remembered is read again
            known = json.loads(read_text(memory))
            if isinstance(known, dict):
                self._known = {place: row for place, row in known.items() if isinstance(row, list)}

    def of(self, path: Path) -> str:
        """The SHA-256 of a file's content, as hex digits.

        Raises:
            FileError: It cannot be read.
        """
        try:
            status = path.stat()
            place = f"{status.st_dev}:{status.st_ino}"  # links to a file have its digest
            stamp: list[int | str] = [status.st_size, status.st_mtime_ns]
            known = self._known.get(place, [])
            if known[:-1] == stamp:
                return str(known[-1])
            found = _sha256(path)
        except OSError as error:
            raise unreadable(path, error) from None
        self._known[place] = [*stamp, found]
        self._changed = True
        return found

    def save(self) -> None:
        """Remembers them."""
        if self._changed:
            write_atomic(self._memory, json.dumps(self._known))
            self._changed = False


def _sha256(path: Path) -> str:
    sums = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sums.update(block)
    return sums.hexdigest()
