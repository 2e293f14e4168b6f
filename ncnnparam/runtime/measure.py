"""Shapes of all blobs of a net, for the child process of ``runtime.net``: the net runs once, on zeros."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

INPUT = "Input"


def zeros(ncnn: Any) -> Any:
    """A reader that gives zeros for all weights, each a float32 array: no ``.bin`` file is needed."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

    class Zeros(ncnn.DataReader):
        def read(self, buffer: Any, size: int) -> int:
            ctypes.memset(pointer(buffer, None), 0, size)
            return size

        def reference(self, size: int, buffer: Any) -> int:
            return 0

    return Zeros()


def shapes(ncnn: Any, net: Any, feed: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Runs a net, layer by layer.

    In their order, each layer is computed once: ncnn drops a blob when it has been read.

    Args:
        ncnn: The module.
        net: A net with its weights.
        feed: Shape of each input by name, as numpy orders sizes.

    Returns:
        ``shapes``, by blob name, and ``failed``, the names of layers that could not be computed. Blobs that
        need one of those are left out, and blobs that came out empty.
    """
    extractor = net.create_extractor()
    for name, sizes in feed.items():
        array = np.zeros(tuple(sizes), dtype=np.float32)  # has to live until it is cloned
        extractor.input(name, ncnn.Mat(array).clone())
    found: dict[str, list[int]] = {name: list(sizes) for name, sizes in feed.items()}
    failed: list[str] = []
    blobs = net.blobs()
    for layer in net.layers():
        if layer.type == INPUT or not all(blobs[bottom].name in found for bottom in layer.bottoms):
            continue
        for top in layer.tops:
            status, mat = extractor.extract(top)
            if status != 0:
                failed.append(layer.name)
                break
            if mat.dims:
                found[blobs[top].name] = _sizes(mat)
            del mat  # a layer that works in place copies a blob that somebody else still holds
    return {"shapes": found, "failed": failed}


def _sizes(mat: Any) -> list[int]:
    return {1: [mat.w], 2: [mat.h, mat.w], 3: [mat.c, mat.h, mat.w], 4: [mat.c, mat.d, mat.h, mat.w]}[
        mat.dims
    ]
