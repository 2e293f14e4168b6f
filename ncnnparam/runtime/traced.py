"""A traced module called with numpy arrays, shaped as sherpa-ncnn feeds them. For child processes.

A recipe passes its states in a list, a tuple or one by one; here they all are a flat row of arrays, ncnn's
``in0``, ``in1`` and so on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ncnnparam.runtime.recorded import Recorded
from ncnnparam.runtime.signature import packed, unpacked


class TracedModule:
    """A TorchScript file, loaded.

    Args:
        path: The file. It is code: who loads it runs it.
        inputs: Shapes and types of the inputs, see ``recorded.recorded_inputs``.

    Raises:
        RuntimeError: PyTorch cannot load it.
    """

    def __init__(self, path: str | os.PathLike[str], inputs: Sequence[Recorded]) -> None:
        load: Any = torch.jit.load
        self._module: Any = load(os.fspath(path), map_location="cpu").eval()
        self._inputs = list(inputs)
        self._types = [argument.type for argument in self._module.forward.schema.arguments[1:]]

    def __call__(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Runs it once.

        Args:
            arrays: An array for each input, in order, with or without its batch axis. For inputs at the end
                that are left out zeros are taken, such as False for a decoder's ``need_pad``.

        Returns:
            The outputs in ncnn's order, tuples and lists unfolded, as float32 and with their batch axes.

        Raises:
            RuntimeError: It cannot be run on arrays of these shapes.
            ValueError: It takes another number of tensors.
        """
        tensors = [*map(_shaped, arrays, self._inputs), *map(_zeros, self._inputs[len(arrays) :])]
        arguments = packed(self._types, tensors)
        with torch.no_grad():
            return [output.float().numpy() for output in unpacked(self._module(*arguments), torch.Tensor)]


def _shaped(array: NDArray[Any], wanted: Recorded) -> torch.Tensor:
    """An array with its batch axis; the number of frames may be another one than when it was traced."""
    typed = np.ascontiguousarray(array, dtype=wanted.dtype)
    if typed.size == wanted.size:
        return torch.from_numpy(typed.reshape(wanted.shape))
    return torch.from_numpy(typed[None] if typed.ndim < len(wanted.shape) else typed)


def _zeros(wanted: Recorded) -> torch.Tensor:
    return torch.from_numpy(np.zeros(wanted.shape, wanted.dtype))
