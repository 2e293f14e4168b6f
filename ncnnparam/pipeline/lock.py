"""One run at a time in an output folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ncnnparam.errors import FileError, NcnnParamError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other runs out; the system lets go when this process ends, however it ends.

    Args:
        folder: The folder with what runs keep of themselves; it is made.

    Raises:
        NcnnParamError: Another process works there; the text names it.
        FileError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+", encoding="ascii")
    except OSError as error:
        raise FileError(
            f"cannot write {folder.parent}: {error.strerror}",
            hint="name a folder that can be written under [output]",
        ) from None
    with file:
        if not _take(file):
            file.seek(0)
            pid = file.read(20).strip()
            raise NcnnParamError(
                f"another run works in {folder.parent}: process {pid or 'unknown'}",
                hint="wait until it ends, or give this one a folder of its own under [output]",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _take(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two runs there are not kept apart
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
