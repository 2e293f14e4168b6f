"""Files that stand in two places and take the room of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ncnnparam.errors import FileError


def link(source: Path, place: Path) -> None:
    """Puts a file in a place: as a link where the disk has them, else as a copy.

    Raises:
        FileError: It cannot be written; what was there is there still.
    """
    with tempfile.TemporaryDirectory(prefix=".", dir=place.parent) as folder:
        temporary = Path(folder) / place.name
        try:
            try:
                os.link(source, temporary)
            except OSError:
                shutil.copyfile(source, temporary)
            os.replace(temporary, place)
        except OSError as error:
            raise FileError(f"cannot write {place}: {error.strerror}") from None
