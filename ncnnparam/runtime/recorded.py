"""The example that ``torch.jit.trace`` keeps in a TorchScript file: shapes and types of the module's inputs.

A TorchScript file is a zip archive. What a module was traced with lies under ``traced_inputs`` in it, without
the numbers: ``traced_inputs.pkl`` tells the sizes. It is a pickle, of which nothing but tensors and lists of
them is accepted here.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

from ncnnparam.errors import FileError, unreadable

_ENTRY = "traced_inputs"
_MAX_PICKLE = 1 << 20
"""The most bytes of ``traced_inputs.pkl`` to read; that of the full-size Zipformer has 4 kB."""
_BLOCK = 1 << 20
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


@dataclass(frozen=True)
class Recorded:
    """One input of a traced module.

    Attributes:
        shape: Sizes as PyTorch has them, the batch axis among them.
        dtype: numpy's word for the type.
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


def recorded_inputs(path: str | os.PathLike[str]) -> list[Recorded] | None:
    """The inputs that a module was traced with, lists and tuples of them unfolded.

    Returns:
        None if the file has none: it was loaded and saved again after it was traced.

    Raises:
        FileError: The file cannot be read, or what it has recorded is something else than tensors.
    """
    shown = os.fspath(path)
    try:
        with zipfile.ZipFile(Path(path)) as archive:
            entry = next((item for item in archive.infolist() if _name(item) == f"{_ENTRY}.pkl"), None)
            if entry is None:
                return None
            if entry.file_size > _MAX_PICKLE:
                raise FileError(f"the recorded inputs of {shown} have {entry.file_size} bytes")
            data = archive.read(entry)
    except OSError as error:
        raise unreadable(shown, error) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # zipfile raises the last two for an entry of a compression that it does not know, or with a password
        raise FileError(f"{shown} is no TorchScript file: {error}") from None
    try:
        found = _Reader(io.BytesIO(data)).load()
        return list(_tensors(found["forward"]))
    except (pickle.UnpicklingError, LookupError, TypeError, ValueError, EOFError, AttributeError) as error:
        raise FileError(f"the recorded inputs of {shown} cannot be read: {error}") from None


def drop_recorded_inputs(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copies a TorchScript file and leaves the recorded inputs out, as loading and saving it would.

    Raises:
        FileError: The file cannot be read, or the copy cannot be written.
    """
    try:
        with zipfile.ZipFile(Path(path)) as source, zipfile.ZipFile(Path(target), "w") as copy:
            for item in source.infolist():
                if not _name(item).startswith(_ENTRY):
                    _copy(source, item, copy)
    except OSError as error:
        raise FileError(f"cannot copy {os.fspath(path)}: {error.strerror or error}") from None
    except zipfile.BadZipFile as error:
        raise FileError(f"{os.fspath(path)} is no TorchScript file: {error}") from None


def _copy(source: zipfile.ZipFile, item: zipfile.ZipInfo, copy: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo(item.filename)  # without a date, so that copies are the same
    with source.open(item) as reader, copy.open(entry, "w", force_zip64=True) as writer:
        shutil.copyfileobj(reader, writer, _BLOCK)


def _name(item: zipfile.ZipInfo) -> str:
    """The name of an entry without the archive's own folder."""
    return item.filename.partition("/")[2]


def _tensors(found: Any) -> Iterator[Recorded]:
    if isinstance(found, Recorded):
        yield found
    elif isinstance(found, (list, tuple)):
        for part in found:
            yield from _tensors(part)
    else:
        raise ValueError(f"{type(found).__name__} among the tensors")


class _Reader(pickle.Unpickler):
    """Makes nothing but ``Recorded`` ones, whatever a pickle asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._known = {
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch.jit._pickle", "restore_type_tag"): _without_tag,
            ("torch.jit._pickle", "build_tensorlist"): _itself,
            ("collections", "OrderedDict"): _nothing,
        }

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return name
        try:
            return self._known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no tensor") from None

    def persistent_load(self, pid: Any) -> str:
        return _DTYPES[pid[1]]


def _tensor(dtype: str, offset: int, shape: tuple[int, ...], *others: object) -> Recorded:
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError(f"the shape {shape}")
    return Recorded(tuple(shape), dtype)


def _without_tag(value: object, tag: str) -> object:
    return value


def _itself(value: object) -> object:
    return value


def _nothing() -> None:
    return None
