"""Items to calibrate on: named, with a digest, and loaded only when they are run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ncnnparam.errors import BadItemError, FileError
from ncnnparam.syntax import read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

Inputs: TypeAlias = "Mapping[str, NDArray[Any]]"

LARGEST_ITEM = 1 << 30
"""The most bytes that one item may take in memory."""
_LARGEST_LIST = 64 << 20
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Item:
    """Something to run a model on: a file, or arrays in memory.

    Attributes:
        name: Its name in messages and statistics.
        digest: Of its content, so that a run that is gone on with notices a change.
        load: Gives what it holds: the inputs of a net by blob name, or the samples of a wav as ``samples``.
            Raises ``BadItemError``.
    """

    name: str
    digest: str
    load: Callable[[], Inputs]


@dataclass
class Items:
    """What there is to run.

    Attributes:
        good: What can be run.
        bad: What cannot: name -> why.
    """

    good: list[Item] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)

    def require_good(self, skip: str = "--skip-bad goes on without them") -> None:
        """Makes sure that nothing is bad.

        Args:
            skip: What the user may do about those that are, besides mending them.

        Raises:
            BadItemError: Some are bad; the text names all of them.
        """
        if self.bad:
            raise cannot_be_used(self.bad, len(self.bad) + len(self.good), skip)


def cannot_be_used(bad: Mapping[str, str], count: int, skip: str) -> BadItemError:
    """The error that names bad items.

    Args:
        bad: By name, why it is bad.
        count: How many items there are, good ones too.
        skip: What the user may do about them, besides mending them.
    """
    faults = "\n  ".join(f"{name}: {why}" for name, why in bad.items())
    return BadItemError(
        f"{len(bad)} of {count} items cannot be used:\n  {faults}",
        hint=f"mend them or take them off the list; {skip}",
    )


def file_items(paths: Iterable[Path], read: Callable[[Path], Inputs]) -> Items:
    """Items from files; each is read once now, to find the bad ones before the work begins.

    Args:
        paths: The files.
        read: Reads one, and raises ``BadItemError`` without the name; it must be picklable.
    """
    items = Items()
    seen: dict[str, str] = {}
    for path in paths:
        name = str(path)
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                raise BadItemError("is no regular file")  # to open a pipe may wait for ever
            read(path)
            digest = _digest(path)
            if digest in seen:
                raise BadItemError(f"is the same as {seen[digest]}, and each may count only once")
        except BadItemError as error:
            items.bad[name] = error.message
        else:
            seen[digest] = name
            items.good.append(Item(name, digest, partial(read, path)))
    return items


def array_items(samples: Iterable[Inputs]) -> Items:
    """Items from arrays in memory, named by their number from 1."""
    items = Items()
    for number, sample in enumerate(samples, 1):
        name = f"item {number}"
        try:
            inputs = {key: checked(key, np.asarray(array)) for key, array in sample.items()}
        except BadItemError as error:
            items.bad[name] = error.message
            continue
        sums = hashlib.sha256()
        for key, array in inputs.items():
            sums.update(f"{key} {array.dtype} {array.shape} ".encode())
            sums.update(array.tobytes())
        items.good.append(Item(name, sums.hexdigest(), partial(dict, inputs)))
    return items


def checked(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """An array as ncnn takes it: float32, or int32 for ints.

    Raises:
        BadItemError: It is none that ncnn takes, or has NaN or infinity.
    """
    if array.dtype.kind not in "fiub":
        raise BadItemError(f"{name} is made of {array.dtype}, not of numbers")
    if not 1 <= array.ndim <= 4 or not array.size:
        raise BadItemError(
            f"{name} has the shape {array.shape}; ncnn takes 1 to 4 sizes, without a batch axis"
        )
    if array.nbytes > LARGEST_ITEM:
        raise BadItemError(f"{name} has {array.nbytes:,} bytes, more than {LARGEST_ITEM:,}")
    if array.dtype.kind != "f":
        if array.min() < -(2**31) or array.max() >= 2**31:
            raise BadItemError(f"{name} has ints of more than 32 bits")
        return array.astype(np.int32)
    with np.errstate(over="ignore"):  # what is too large becomes infinity
        numbers = array.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise BadItemError(f"{name} has NaN or infinity")
    return numbers


def list_files(source: str | os.PathLike[str], endings: Iterable[str]) -> list[Path]:
    """The files that a path means.

    Args:
        source: A folder, of which all files with these endings are taken; a file with such an ending; or a
            list, a path on each line, seen from the working folder or else from the list's.
        endings: Such as ``.wav``, in lower case.

    Raises:
        FileError: There is no such path, or it means no file.
    """
    path, wanted = Path(source), tuple(endings)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in wanted)
    elif path.suffix.lower() in wanted:
        found = [path]
    else:
        lines = read_text(path, max_size=_LARGEST_LIST).splitlines()
        found = [_listed(path, number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        kinds = " or ".join(wanted)
        raise FileError(
            f"{source} has no {kinds} files", hint=f"name a folder of {kinds} files, or a list of them"
        )
    return found


def _listed(source: Path, number: int, line: str) -> Path:
    """The path on a line of a list."""
    path = Path(line)
    beside = source.parent / path
    try:
        return beside if not path.exists() and beside.exists() else path
    except OSError:  # it is too long for one
        raise FileError(
            f"{source}:{number}: this line is no path", hint="a list has the path of a file on each line"
        ) from None


def _digest(path: Path) -> str:
    sums = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sums.update(block)
    except OSError as error:
        raise BadItemError(f"cannot be read: {error.strerror}") from None
    return sums.hexdigest()
