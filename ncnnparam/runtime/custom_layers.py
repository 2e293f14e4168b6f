"""sherpa-ncnn's layers in Python, so that ncnn runs the graphs that have them.

They follow what sherpa-ncnn's C++ computes (``poolingmodulenoproj.cc``, ``tensorasstrided.cc``, ``stack.cc``,
``simpleupsample.cc`` in ``sherpa-ncnn/csrc``), in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FAILED = -100
"""What ncnn's layers return when they cannot compute."""


def layer_classes(ncnn: Any) -> dict[str, type[Any]]:
    """Classes of layers by their type, for ``Net.register_custom_layer``.

    Args:
        ncnn: The module. Who creates a layer has to keep it alive until the net is cleared.
    """

    class PoolingModuleNoProj(ncnn.Layer):
        """Frames, their number so far and their mean so far; gives running means and the two states anew."""

        def forward(self, inputs: Sequence[Any], outputs: Sequence[Any], option: Any) -> int:
            frames, length, mean = (_numbers(mat) for mat in inputs)
            counts = length[0] + np.arange(1, len(frames) + 1, dtype=np.float32)
            means = (np.cumsum(frames, axis=0) + length[0] * mean.reshape(1, -1)) / counts[:, None]
            _give(ncnn, outputs[0], means)
            _give(ncnn, outputs[1], length + len(frames))
            _give(ncnn, outputs[2], means[-1].reshape(mean.shape))
            return 0

    class TensorAsStrided(ncnn.Layer):
        """A view of each channel with other sizes and strides."""

        def __init__(self) -> None:
            super().__init__()
            self.one_blob_only = True

        def load_param(self, params: Any) -> int:
            self.sizes, self.strides = (_ints(params.get(id, ncnn.Mat())) for id in (0, 1))
            self.offset = params.get(2, 0)
            return 0 if len(self.sizes) == len(self.strides) == 3 else _FAILED

        def forward(self, source: Any, target: Any, option: Any) -> int:
            numbers = _numbers(source)
            (channels, rows, columns), (across, down, along) = self.sizes, self.strides
            last = self.offset + (rows - 1) * down + (columns - 1) * along
            if numbers.ndim != 3 or len(numbers) != channels or across != numbers[0].size:
                return _FAILED
            if min(self.offset, rows - 1, columns - 1, down, along) < 0 or last >= across:
                return _FAILED
            places = self.offset + down * np.arange(rows)[:, None] + along * np.arange(columns)
            _give(ncnn, target, numbers.reshape(channels, -1)[:, places])
            return 0

    class Stack(ncnn.Layer):
        """Blobs of one shape under a new first axis."""

        def load_param(self, params: Any) -> int:
            return 0 if params.get(0, 0) == 0 else _FAILED

        def forward(self, inputs: Sequence[Any], outputs: Sequence[Any], option: Any) -> int:
            _give(ncnn, outputs[0], np.stack([_numbers(mat) for mat in inputs]))
            return 0

    class SimpleUpsample(ncnn.Layer):
        """Each row several times, each time with another bias."""

        def __init__(self) -> None:
            super().__init__()
            self.one_blob_only = True

        def load_param(self, params: Any) -> int:
            self.times, self.width = params.get(0, 0), params.get(1, 0)
            return 0 if params.get(2, 0) == self.times * self.width else _FAILED

        def load_model(self, weights: Any) -> int:
            bias = weights.load(self.width * self.times, 0)
            if bias.empty():
                return _FAILED
            self.bias = _numbers(bias).reshape(self.times, self.width)
            return 0

        def forward(self, source: Any, target: Any, option: Any) -> int:
            rows = _numbers(source)
            _give(ncnn, target, (rows[:, None, :] + self.bias).reshape(-1, rows.shape[1]))
            return 0

    return {cls.__name__: cls for cls in (PoolingModuleNoProj, TensorAsStrided, Stack, SimpleUpsample)}


def _numbers(mat: Any) -> NDArray[np.float32]:
    return np.array(mat, dtype=np.float32)  # a copy: the Mat may be gone when it is used


def _ints(mat: Any) -> list[int]:
    """The ints of an array param, which lie in the Mat as they are."""
    return [int(value) for value in np.array(mat).view(np.int32)] if not mat.empty() else []


def _give(ncnn: Any, mat: Any, numbers: NDArray[Any]) -> None:
    array = np.ascontiguousarray(numbers, dtype=np.float32)  # has to live until it is cloned
    mat.clone_from(ncnn.Mat(array))
