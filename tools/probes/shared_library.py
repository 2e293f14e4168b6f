"""ncnn as a shared library without a binding, such as the one that sherpa-ncnn's wheel carries.

Calls its C++ functions by their mangled names (Itanium ABI, as on Linux). The layout of ``ncnn::Mat`` is that
of ``src/mat.h`` since 2021: data, refcount, elemsize, elempack, allocator, dims, w, h, d, c, cstep.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import numpy as np

_OBJECT = 4096
"""Bytes, more than any of the objects has."""
_MAT = struct.Struct("=QQQi4xQiiiii4xQ")


class SharedLibrary:
    """A ``libncnn.so``; answers as ``child.Package`` does."""

    def __init__(self, path: str) -> None:
        self._lib = ctypes.CDLL(path)
        create = self._lib._ZN4ncnn12create_layerEPKc
        create.restype = ctypes.c_void_p
        self._create = create

    def types(self, names: list[str]) -> list[str]:
        """Those of the layer types that can be created."""
        return [name for name in names if self._create(name.encode())]

    def load(self, param: str, weights: str | None) -> tuple[int, int | None]:
        """What ``load_param`` and ``load_model`` return."""
        self._net = ctypes.create_string_buffer(_OBJECT)
        self._lib._ZN4ncnn3NetC1Ev(self._net)
        code = self._lib._ZN4ncnn3Net10load_paramEPKc(self._net, param.encode())
        if code != 0 or not weights:
            return code, None
        return code, self._lib._ZN4ncnn3Net10load_modelEPKc(self._net, weights.encode())

    def run(self, inputs: dict[str, Any], outputs: list[str]) -> tuple[int, list[Any]]:
        """The return code of ``extract`` and the blobs as nested lists."""
        extractor = ctypes.create_string_buffer(_OBJECT)
        self._lib._ZNK4ncnn3Net16create_extractorEv(
            extractor, self._net
        )  # returned through its first argument
        for name, numbers in inputs.items():
            self._lib._ZN4ncnn9Extractor5inputEPKcRKNS_3MatE(extractor, name.encode(), self._mat(numbers))
        found = []
        for name in outputs:
            mat = ctypes.create_string_buffer(_OBJECT)
            code = self._lib._ZN4ncnn9Extractor7extractEPKcRNS_3MatEi(extractor, name.encode(), mat, 0)
            if code != 0:
                return code, []
            found.append(_numbers(mat))
        return 0, found

    def _mat(self, numbers: Any) -> ctypes.Array[ctypes.c_char]:
        array = np.array(numbers)
        array = array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
        mat = ctypes.create_string_buffer(_OBJECT)
        create = getattr(self._lib, f"_ZN4ncnn3Mat6createE{'i' * array.ndim}mPNS_9AllocatorE")
        create(mat, *map(ctypes.c_int, array.shape[::-1]), ctypes.c_size_t(4), None)
        data, step = _MAT.unpack_from(mat)[0], _MAT.unpack_from(mat)[-1]
        planes = array.reshape(array.shape[0], -1) if array.ndim > 2 else array.reshape(1, -1)
        for number, plane in enumerate(planes):
            ctypes.memmove(data + number * step * 4, plane.tobytes(), plane.nbytes)
        return mat


def _numbers(mat: Any) -> Any:
    """The numbers of a float Mat, without the gaps between its channels."""
    data, _, _, _, _, dims, w, h, d, c, step = _MAT.unpack_from(mat)
    shape = {1: (w,), 2: (h, w), 3: (c, h, w), 4: (c, d, h, w)}[dims]
    size = w * h * d
    planes = [ctypes.string_at(data + number * step * 4, size * 4) for number in range(c)]
    return np.frombuffer(b"".join(planes), np.float32).reshape(shape).tolist()
