"""Room on the disk, looked at before work begins that may take an hour."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from ncnnparam.errors import NcnnParamError

_SPARE = 16 << 20
"""Bytes that should be left besides, for logs and reports."""


def require_space(folder: Path, needed: int) -> None:
    """Makes sure that a folder has room.

    Args:
        folder: The folder.
        needed: Bytes that will be written.

    Raises:
        NcnnParamError: It has not.
    """
    free = shutil.disk_usage(folder).free
    if needed and free < needed + _SPARE:
        raise NcnnParamError(
            f"{folder} has {_told(free)} left, and about {_told(needed + _SPARE)} will be written",
            hint="free some space, or name a folder on another disk under [output]",
        )


def full_disk_hint(error: Exception) -> str | None:
    """What to do if an error says that the disk is full, or None."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    if os.strerror(errno.ENOSPC) not in (said or ""):
        return None
    return "free some space, or name a folder on another disk under [output], and run again: it goes on"


def _told(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
