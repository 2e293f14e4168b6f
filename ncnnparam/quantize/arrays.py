"""Items from ``.npy`` and ``.npz`` files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.lib.format import MAGIC_PREFIX

from ncnnparam.errors import BadItemError
from ncnnparam.quantize.data import LARGEST_ITEM, Inputs, Items, checked, file_items, list_files

ENDINGS = (".npy", ".npz")


def npy_items(source: str | os.PathLike[str], inputs: Sequence[str]) -> Items:
    """Items from numpy's files.

    Args:
        source: A folder, a list or a file; see ``list_files``.
        inputs: Names of the net's inputs. An ``.npz`` file has an array for each; an ``.npy`` file is for a
            net of one input.

    Raises:
        FileError: There are no such files.
    """
    return file_items(list_files(source, ENDINGS), partial(read_arrays, inputs=tuple(inputs)))


def read_arrays(path: Path, inputs: tuple[str, ...]) -> Inputs:
    """The inputs in a file.

    Raises:
        BadItemError: It cannot be read, or does not have them.
    """
    try:
        if path.stat().st_size > LARGEST_ITEM:
            raise BadItemError(f"has more than {LARGEST_ITEM:,} bytes")
        if zipfile.is_zipfile(path):
            return _read_npz(path, inputs)
        with path.open("rb") as file:
            if file.read(len(MAGIC_PREFIX)) != MAGIC_PREFIX:  # numpy would advise to unpickle it
                raise BadItemError("is no array of numpy")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise BadItemError(f"cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadItemError(f"is no array of numpy: {error}") from None
    if len(inputs) != 1:
        raise BadItemError(f"is one array for {len(inputs)} inputs; an .npz has {', '.join(inputs)}")
    return {inputs[0]: checked("it", array)}


def _read_npz(path: Path, inputs: tuple[str, ...]) -> Inputs:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST_ITEM:
            raise BadItemError(f"has more than {LARGEST_ITEM:,} bytes of arrays")
    with np.load(path, allow_pickle=False) as arrays:
        missing = [name for name in inputs if name not in arrays]
        if missing:
            raise BadItemError(
                f"has no array {' and no '.join(missing)}; it has {', '.join(arrays) or 'none'}"
            )
        return {name: checked(name, arrays[name]) for name in inputs}
