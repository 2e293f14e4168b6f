"""Files that stand in two places and take the room of one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ncnnparam.errors import FileError


def link(source: Path, place: Path) -> None:
    """Puts a file in a place: as a link where the disk has them, else as a copy.

    Raises:
        FileError: It cannot be written; what was there is there still.
    """
    temporary = place.with_name(f".{place.name}.new")  # of one name: what a kill leaves is written over
    try:
        temporary.unlink(missing_ok=True)
        if place.exists() and place.samefile(source):
            return  # to rename one name of a file to another name of it does nothing, and leaves both
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.replace(temporary, place)
    except OSError as error:
        raise FileError(f"cannot write {place}: {error.strerror}") from None
