"""A disk that is full, or will be."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.pipeline.space import full_disk_hint, require_space


def test_room_is_asked_for_before_the_work(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    require_space(tmp_path, 0)
    require_space(tmp_path, 1)
    with pytest.raises(NcnnParamError, match="MB left, and about") as caught:
        require_space(tmp_path, 2 * free)
    assert "another disk" in str(caught.value.hint)


def test_a_disk_that_becomes_full_is_explained() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for error in (full, FileError(f"cannot write x: {full.strerror}")):
        assert "free some space" in str(full_disk_hint(error))
    assert full_disk_hint(OSError(errno.EACCES, os.strerror(errno.EACCES))) is None
