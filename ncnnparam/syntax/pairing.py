"""Which ``.bin`` goes with which ``.param``, by their names: ``x.ncnn.param`` with ``x.ncnn.bin``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PARAM, _BIN = ".param", ".bin"
_OTHERS = (".pnnx.param", ".pnnx.bin", ".param.bin")
"""Files of pnnx's own graph, and the binary form of a graph: neither is part of a pair."""


def is_param(path: str | os.PathLike[str]) -> bool:
    """Whether a file is named as ``.param`` files of ncnn are."""
    return os.fspath(path).endswith(_PARAM) and not os.fspath(path).endswith(_OTHERS)


def is_bin(path: str | os.PathLike[str]) -> bool:
    """Whether a file is named as files of weights are."""
    return os.fspath(path).endswith(_BIN) and not os.fspath(path).endswith(_OTHERS)


def bin_of(param: str | os.PathLike[str]) -> Path:
    """The name of the ``.bin`` that goes with a ``.param``, which may not be there."""
    return Path(os.fspath(param).removesuffix(_PARAM) + _BIN)


def param_of(weights: str | os.PathLike[str]) -> Path:
    """The name of the ``.param`` that goes with a ``.bin``, which may not be there."""
    return Path(os.fspath(weights).removesuffix(_BIN) + _PARAM)


def pairs_in(folder: str | os.PathLike[str]) -> Iterator[tuple[Path | None, Path | None]]:
    """The pairs in a folder and the folders in it, by name; one of the two is None where it is missing.

    What begins with a dot is left out, and so are pnnx's own files.
    """
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(here, name) for name in sorted(files) if not name.startswith(".")]
        bins = {path for path in paths if is_bin(path)}
        for param in filter(is_param, paths):
            weights = bin_of(param)
            yield param, weights if weights in bins else None
            bins.discard(weights)
        for weights in sorted(bins):
            yield None, weights
