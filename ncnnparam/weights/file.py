"""A ``.bin`` file in memory: mapped, so that only the pages somebody looks at are read."""

from __future__ import annotations

import mmap
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ncnnparam.errors import FileError, WeightsError, unreadable
from ncnnparam.ops import registry
from ncnnparam.weights.layout import locate

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.weights.arrays import Weight


@dataclass(eq=False)
class WeightFile:
    """A ``.bin`` file whose arrays are views of it.

    Another program must not shorten the file as long as it is in use; to replace it, as this library and
    most others do, is fine.

    Attributes:
        data: All bytes.
        path: Where it is, or None for bytes from memory.
        used: How many of the bytes the layers read.
    """

    data: memoryview
    path: str | None = None
    used: int = 0
    _identity: tuple[int, ...] = ()

    @property
    def leftover(self) -> memoryview:
        """What stands behind the last array. ncnn never reads it."""
        return self.data[self.used :]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> WeightFile:
        """Maps a file.

        Raises:
            FileError: It cannot be read, or it is no regular file.
        """
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # asked first: to open a pipe may wait for ever
                hint = "name a file in it" if Path(path).is_dir() else "copy it into a file first"
                raise FileError(f"cannot map {path}: it is no regular file", hint=hint, code="NP802")
            with Path(path).open("rb") as file:
                status = os.fstat(file.fileno())
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""
        except OSError as error:
            raise unreadable(path, error) from None
        return cls(memoryview(mapped), os.fspath(path), _identity=_identity(status))

    def attach(self, graph: Graph) -> None:
        """Gives each layer of a graph its arrays; on an error, none.

        A type that nobody has declared is taken to have none, if the rest then fits the file exactly.

        Raises:
            WeightsError: The file does not fit the graph, or bytes are left over and a type is unknown.
        """
        found: dict[int, list[Weight]] = {}
        used = 0
        try:
            for layer, weight in locate(graph, self.data, name=self.path):
                found.setdefault(id(layer), []).append(weight)
                used += weight.nbytes
        except WeightsError as error:
            raise self._blame_unknown(graph, error) from None
        if used != len(self.data):
            left = WeightsError(f"{self.path or 'the .bin'}: {len(self.data) - used} bytes are left over")
            blamed = self._blame_unknown(graph, left)
            if blamed is not left:
                raise blamed
        for layer in graph:
            layer._weights = tuple(found.get(id(layer), ()))
        self.used = used

    def _blame_unknown(self, graph: Graph, error: WeightsError) -> WeightsError:
        """The error, or one that says that the weights of unknown types may be the reason."""
        unknown = sorted({layer.type for layer in graph if registry.get(layer.type) is None})
        if not unknown:
            return error
        suggestion = registry.suggest(unknown[0])
        declare = "declare them in a TOML file: --ops, or ops.load_ops"
        hint = f"{suggestion} If not, {declare}" if suggestion else declare
        message = f"{error.message}; nobody knows what weights these types have: {', '.join(unknown)}"
        return WeightsError(
            message, layer=error.layer, array=error.array, offset=error.offset, hint=hint, code="NP606"
        )

    def release(self) -> None:
        """Gives back the memory of pages that were looked at; who looks again reads them again."""
        if isinstance(self.data.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.data.obj.madvise(mmap.MADV_DONTNEED)

    def is_still(self, path: str | os.PathLike[str]) -> bool:
        """Whether a path leads to this file, and nobody has written to it."""
        try:
            return bool(self._identity) and _identity(os.stat(path)) == self._identity
        except OSError:
            return False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
