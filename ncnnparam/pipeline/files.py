"""The files that stages hand on, by their roles: ``encoder.fp32.param``, ``joiner.table``, ``tokens``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ncnnparam.speech.nets import NETS


class File(NamedTuple):
    """A file.

    Attributes:
        path: Where it is.
        sha256: What is in it.
        stage: The stage that made it.
    """

    path: Path
    sha256: str
    stage: str


class Pair(NamedTuple):
    """The files of a net."""

    param: str
    bin: str


class Files(Mapping[str, File]):
    """The files that there are so far; what a later stage makes shadows what an earlier one made."""

    def __init__(self, files: Mapping[str, File] | None = None) -> None:
        self._files = dict(files or {})

    def __getitem__(self, role: str) -> File:
        return self._files[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def with_made(self, made: Mapping[str, File]) -> Files:
        """These, and those that a stage has made."""
        return Files({**self._files, **made})

    def pair(self, part: str, storage: str) -> Pair:
        """The files of a net in some storage: ``fp32``, ``fp16`` or ``int8``."""
        return Pair(*(str(self[role].path) for role in pair_roles(part, storage)))

    def has_pair(self, part: str, storage: str) -> bool:
        """Whether there is that net in that storage."""
        return all(role in self for role in pair_roles(part, storage))


def pair_roles(part: str, storage: str) -> tuple[str, str]:
    """The roles of a net's two files."""
    return f"{part}.{storage}.param", f"{part}.{storage}.bin"


def all_pairs(storages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every net in every one of these storages."""
    for part in NETS:
        for storage in storages:
            yield part, storage
