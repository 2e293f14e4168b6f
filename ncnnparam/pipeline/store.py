"""Where stages put what they made, with a record of it, so that it is there whole or not at all.

``<state>/<stage>/<key>/`` has the files and ``record.json``. A stage works in a folder beside it, whose name
begins with a dot, and which is renamed when all is done. What a kill leaves is removed by the next run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ncnnparam.errors import FileError
from ncnnparam.pipeline.digests import Digests
from ncnnparam.pipeline.files import File
from ncnnparam.pipeline.key import Key
from ncnnparam.syntax import write_atomic
from ncnnparam.syntax.files import sync_folder

_RECORD = "record.json"
_TEMPORARY, _KEPT = ".new-", ".kept-"
_SHORT = 16


class Made(Struct, frozen=True):
    """A file that a stage made.

    Attributes:
        path: In the stage's folder, or absolute for a file elsewhere.
        sha256: What is in it.
        bytes: Its size.
    """

    path: str
    sha256: str
    bytes: int


class Record(Struct, frozen=True):
    """What a stage did.

    Attributes:
        key: What it depended on.
        files: What it made, by role.
        facts: What it told.
        problems: What the user should look at.
        seconds: How long it took.
        finished: When, as an ISO date and time in UTC.
    """

    key: Key
    files: dict[str, Made]
    facts: dict[str, Any]
    problems: list[str]
    seconds: float
    finished: str

    @property
    def digest(self) -> str:
        """Stands for all of it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Store:
    """What the stages of one model have made.

    Args:
        state: The folder for it.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.digests = Digests(state / "digests.json")

    def record(self, stage: str) -> Record | None:
        """The record of what a stage made last, or None."""
        folders = [path for path in self._folders(stage) if not path.name.startswith(".")]
        for folder in sorted(folders, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                return msgspec.json.decode((folder / _RECORD).read_bytes(), type=Record)
        return None

    def files(self, stage: str, record: Record) -> dict[str, File]:
        """The files that a record tells of."""
        folder = self._folder(stage, record.key)
        return {role: File(folder / made.path, made.sha256, stage) for role, made in record.files.items()}

    def damage(self, stage: str, record: Record) -> str:
        """What is no longer as the record says, or an empty text."""
        for role, file in self.files(stage, record).items():
            if not file.path.is_file():
                return f"{role} is missing"
            if self.digests.of(file.path) != file.sha256:
                return f"{role} is not what was made"
        return ""

    @contextlib.contextmanager
    def workshop(self, stage: str) -> Iterator[Path]:
        """A folder to work in, which goes with all that is left in it."""
        (self.state / stage).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=self.state / stage) as folder:
            yield Path(folder)

    def kept(self, stage: str, key: Key) -> Path:
        """A folder that a kill leaves for the next run with the same key, and for no other."""
        folder = self.state / stage / f"{_KEPT}{key.digest[:_SHORT]}"
        for other in self._folders(stage, _KEPT):
            if other != folder:
                shutil.rmtree(other)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def made(self, files: Mapping[str, Path], folder: Path) -> dict[str, Made]:
        """What is to be recorded of files.

        Raises:
            FileError: One of them cannot be read.
        """
        found = {}
        for role, path in files.items():
            inside = path.is_relative_to(folder)
            name = path.relative_to(folder) if inside else path
            found[role] = Made(str(name), self.digests.of(path), path.stat().st_size)
        return found

    def put(self, stage: str, folder: Path, record: Record) -> None:
        """Puts what a stage made, a folder in a workshop, in its place, and removes what it made before.

        Raises:
            FileError: It cannot be written.
        """
        place = self._folder(stage, record.key)
        write_atomic(folder / _RECORD, msgspec.json.format(msgspec.json.encode(record)))
        try:
            if place.exists():  # it was damaged
                os.rename(place, folder.parent / "damaged")
            os.rename(folder, place)
            sync_folder(place.parent)
        except OSError as error:
            raise FileError(f"cannot write {place}: {error.strerror}") from None
        for other in self._folders(stage):
            if other not in (place, folder.parent):
                shutil.rmtree(other)

    def clean(self) -> None:
        """Removes what a run left that was killed."""
        for file in self.state.glob(".*.tmp"):
            file.unlink()
        for stage in self.state.glob("*/"):
            for folder in self._folders(stage.name, _TEMPORARY):
                shutil.rmtree(folder)

    def _folders(self, stage: str, prefix: str = "") -> list[Path]:
        place = self.state / stage
        found = place.iterdir() if place.is_dir() else ()
        return [path for path in found if path.is_dir() and path.name.startswith(prefix)]

    def _folder(self, stage: str, key: Key) -> Path:
        return self.state / stage / key.digest[:_SHORT]
