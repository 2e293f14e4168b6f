"""A streaming transducer of TorchScript modules.

icefall traces an encoder with a batch axis and its states in a list or a tuple: ``(x, states)`` for
ConvEmformer and Zipformer, ``(x, x_lens, (h, c))`` for LSTM. Others trace with a tensor for each state, or
without batch axes. The types of a module's arguments say how they are put together; whether there are batch
axes, a run on zeros tells: the frames are as many as they should be, and states come out in the shapes in
which they went in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.errors import FileError
from ncnnparam.optional import need
from ncnnparam.runtime.signature import packed, room, unpacked
from ncnnparam.speech.flags import SUBSAMPLING
from ncnnparam.speech.nets import BLANK, CONTEXT
from ncnnparam.speech.streaming import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.speech.streaming import States, Streaming


class ScriptNets:
    """A transducer's three modules; see ``speech.nets.Nets``.

    Args:
        files: The TorchScript files of encoder, decoder and joiner.
        how: How the encoder is run.

    Raises:
        FileError: A file cannot be loaded, or not be run as such a net.
    """

    def __init__(self, files: Sequence[str], how: Streaming) -> None:
        self.how = how
        self._torch = need("torch", "export")
        self._encoder, self._decoder, self._joiner = (_Module(self._torch, file) for file in files)
        features = np.zeros((how.segment, FEATURES), np.float32)
        frames = _settle([self._encoder], lambda: self.encode(features, how.zeros())[0])
        context = [BLANK] * CONTEXT
        _settle([self._decoder, self._joiner], lambda: self.join(frames[0], self.decode(context)))

    def encode(self, features: NDArray[np.float32], states: States) -> tuple[NDArray[np.float32], States]:
        """The encoder's frames of a segment, and the states for the next one."""
        axes = [0, *(self.how.batch_axes[name] for name in states)]
        tensors = self._encoder.batch([self._tensor(array) for array in (features, *states.values())], axes)
        length = self._encoder.room(len(states)) - len(tensors)
        if length not in (0, 1):
            takes = len(tensors) + length
            raise ValueError(f"it takes {takes} tensors, not features and {len(states)} states")
        lengths = [self._torch.tensor([len(features)])] * length
        output, *rest = self._encoder(tensors[0], *lengths, *tensors[1:])
        following = rest[len(rest) - len(states) :]  # before them may come the number of frames
        wanted = [tensor.shape for tensor in tensors[1:]]
        if [tensor.shape for tensor in following] != wanted:
            raise ValueError("it gives no states in the shapes of those that it takes")
        frames = output.numpy().reshape(-1, output.shape[-1])
        if len(frames) * SUBSAMPLING != self.how.offset:
            raise ValueError(f"it gives {len(frames)} frames for {self.how.offset} of the features")
        named = zip(states.items(), following, strict=True)
        return frames, {name: tensor.numpy().reshape(state.shape) for (name, state), tensor in named}

    def decode(self, context: Sequence[int]) -> NDArray[np.float32]:
        """The decoder's vector for the last tokens."""
        tokens = self._decoder.batch([self._torch.tensor(context)], [0])
        # icefall's second argument says whether to pad, which is for training
        pad = [self._torch.tensor([False])] * (self._decoder.room(0) - 1)
        return _vector(self._decoder(*tokens, *pad))

    def join(self, frame: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        """The joiner's logits for a frame."""
        return _vector(
            self._joiner(*self._joiner.batch([self._tensor(frame), self._tensor(decoded)], [0, 0]))
        )

    def _tensor(self, array: NDArray[np.float32]) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array))


class _Module:
    """A TorchScript module that is called with plain tensors, and gives plain tensors.

    Attributes:
        file: Its file.
        has_batch: Whether it wants a batch axis.
    """

    def __init__(self, torch: Any, file: str) -> None:
        self.file, self.has_batch = file, True
        self._torch = torch
        try:
            self._module = torch.jit.load(file, map_location="cpu").eval()
        except (RuntimeError, ValueError) as error:
            raise FileError(f"PyTorch cannot load {file}: {_last_line(error)}") from None
        self._types = [argument.type for argument in self._module.forward.schema.arguments[1:]]

    def __call__(self, *tensors: Any) -> list[Any]:
        arguments = packed(self._types, tensors)
        with self._torch.inference_mode():
            return list(unpacked(self._module(*arguments), self._torch.Tensor))

    def room(self, listed: int) -> int:
        """How many tensors it takes, if a list takes so many."""
        return room(self._types, listed)

    def batch(self, tensors: Sequence[Any], axes: Sequence[int]) -> list[Any]:
        """Tensors with a batch axis, if it wants one."""
        if not self.has_batch:
            return list(tensors)
        return [tensor.unsqueeze(axis) for tensor, axis in zip(tensors, axes, strict=True)]


def _settle(modules: Sequence[_Module], run: Callable[[], Any]) -> Any:
    """Finds out which modules want a batch axis, and gives what a run gives then."""
    problem = ""
    for choice in product((True, False), repeat=len(modules)):
        for module, has_batch in zip(modules, choice, strict=True):
            module.has_batch = has_batch
        try:
            return run()
        except (RuntimeError, ValueError, IndexError) as error:
            problem = problem or _last_line(error)
    files = " and ".join(module.file for module in modules)
    raise FileError(
        f"{files} cannot be run as part of such a transducer: {problem}",
        hint="do the metadata belong to them? Their forward takes what icefall's export-for-ncnn.py traces",
    )


def _vector(given: Sequence[Any]) -> NDArray[np.float32]:
    (tensor,) = given
    vector: NDArray[np.float32] = tensor.numpy().reshape(-1)
    return vector


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
