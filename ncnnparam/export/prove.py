"""The numbers of a converted transducer against those of its TorchScript, on random inputs and states."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.model import load
from ncnnparam.runtime.expected import Call, Verdict
from ncnnparam.runtime.expected import prove as prove_calls
from ncnnparam.runtime.recorded import Recorded, recorded_inputs
from ncnnparam.runtime.torchscript import MEMORY, run_torchscript
from ncnnparam.speech.streaming import FEATURES

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from ncnnparam.speech.streaming import Streaming

CHUNKS = 3
"""Runs of the encoder in a row, each on the states of the one before."""
COUNT = 5
"""Runs of the decoder and of the joiner."""
TOLERANCE = 1e-4
"""How far a number may be off in float32; relative where it is above 1."""
TIMEOUT = 600.0
"""Seconds that PyTorch may run by default."""
_MOST_FRAMES = 9
"""A state that counts frames begins between 1 and this."""

Arrays = Mapping[int, "NDArray[Any]"]


@dataclass(frozen=True)
class Proof:
    """How near a net came to its TorchScript.

    Attributes:
        verdicts: One for each output of each call.
        tolerance: How far a number may be off.
    """

    verdicts: tuple[Verdict, ...]
    tolerance: float

    @property
    def wrong(self) -> list[Verdict]:
        """The outputs that are off by more."""
        return [verdict for verdict in self.verdicts if not verdict.is_within(self.tolerance)]

    @property
    def worst(self) -> Verdict:
        """The output that is off most, by its own scale if that is above 1."""
        return max(self.verdicts, key=lambda verdict: verdict.scaled_error)


def encoder_calls(
    torchscript: str | os.PathLike[str],
    how: Streaming,
    *,
    chunks: int = CHUNKS,
    seed: int = 0,
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> list[Call]:
    """What a traced encoder gives for some chunks in a row.

    The first one has random states, none of them zero, the others have those that the one before gave. An
    encoder that is told the number of frames, and was traced with more than a chunk has, gets those too.

    Args:
        torchscript: The encoder as it was traced; its states may be in a list, in a tuple, or one by one.
        how: How it is run.
        chunks: How many chunks.
        seed: Of the random numbers.
        memory: Address space for the child in bytes.
        timeout: Seconds for the child.

    Raises:
        FileError: The file cannot be run, or wants other inputs than ``how`` says.
        NcnnParamError: PyTorch is not installed.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    inputs = _recorded(torchscript)
    _require_states(torchscript, inputs, how)
    feeds = {_number(name): _number(output) for name, output in how.feeds.items()}
    first = _features(random, how, how.segment) | _states(random, how)
    calls = [first, *(_features(random, how, how.segment) for _ in range(chunks - 1))]
    names = [f"chunk{number}" for number in range(chunks)]
    frames = inputs[_number(how.features)].shape[-2]
    if how.length is not None and frames > how.segment:
        calls.append(_features(random, how, frames) | _states(random, how))
        names.append("long0")
    outputs = run_torchscript(torchscript, inputs, calls, feeds, memory=memory, timeout=timeout)
    found: list[Call] = []
    for name, given, results in zip(names, calls, outputs, strict=True):
        fed = {f"in{number}": array for number, array in given.items()}
        for blob, shape in how.states.items():
            if blob not in fed:
                fed[blob] = found[-1].outputs[how.feeds[blob]].reshape(shape)
        found.append(Call(name, fed, _named(results)))
    return found


def decoder_calls(
    torchscript: str | os.PathLike[str],
    vocabulary: int,
    *,
    count: int = COUNT,
    seed: int = 0,
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> list[Call]:
    """What a traced decoder gives for some contexts, the first of blanks, the others random.

    Args:
        torchscript: The decoder as it was traced; what it takes beside the tokens is zero.
        vocabulary: How many tokens there are.
        count: How many contexts.
        seed: Of the random numbers.
        memory: Address space for the child in bytes.
        timeout: Seconds for the child.

    Raises:
        FileError: The file cannot be run so.
        NcnnParamError: PyTorch is not installed.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    inputs = _recorded(torchscript)
    context = inputs[0].shape[-1]
    tokens = [random.integers(0, vocabulary, context) * bool(number) for number in range(count)]
    calls = [{0: one.astype(np.int32)} for one in tokens]
    return _single(
        "token", calls, run_torchscript(torchscript, inputs, calls, memory=memory, timeout=timeout)
    )


def joiner_calls(
    torchscript: str | os.PathLike[str],
    *,
    count: int = COUNT,
    seed: int = 0,
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> list[Call]:
    """What a traced joiner gives for some random frames of the encoder and vectors of the decoder.

    Args:
        torchscript: The joiner as it was traced.
        count: How many frames.
        seed: Of the random numbers.
        memory: Address space for the child in bytes.
        timeout: Seconds for the child.

    Raises:
        FileError: The file cannot be run so.
        NcnnParamError: PyTorch is not installed.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    inputs = _recorded(torchscript)
    calls = [
        {number: random.normal(size=one.shape[-1]).astype(np.float32) for number, one in enumerate(inputs)}
        for _ in range(count)
    ]
    return _single(
        "frame", calls, run_torchscript(torchscript, inputs, calls, memory=memory, timeout=timeout)
    )


def prove(
    param: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    calls: Sequence[Call],
    *,
    tolerance: float = TOLERANCE,
) -> Proof:
    """Runs a net on the real ncnn, in a child process, and compares its outputs.

    Args:
        param: The net.
        weights: Its weights.
        calls: What to feed and to expect; inputs that the net does not read are not fed.
        tolerance: How far a number may be off; relative where it is above 1.

    Raises:
        NcnnParamError: ncnn does not run it, it lacks an output, or ncnn is not installed.
    """
    graph = load(param).graph
    lacking = sorted({name for call in calls for name in call.outputs if not graph.has_blob(name)})
    if lacking:
        raise NcnnParamError(f"{os.fspath(param)} has no {', '.join(lacking)}, which its TorchScript gives")
    read = {blob.name for blob in graph.inputs if blob.readers}
    fed = [
        replace(call, inputs={name: array for name, array in call.inputs.items() if name in read})
        for call in calls
    ]
    return Proof(tuple(prove_calls(param, weights, graph, fed)), tolerance)


def _recorded(torchscript: str | os.PathLike[str]) -> list[Recorded]:
    found = recorded_inputs(torchscript)
    if not found:
        raise FileError(
            f"{os.fspath(torchscript)} does not tell the shapes of its inputs",
            hint="was it loaded and saved again? Name the file that torch.jit.trace made",
        )
    return found


def _require_states(torchscript: str | os.PathLike[str], inputs: Sequence[Recorded], how: Streaming) -> None:
    """The file wants as many states as the metadata says, and such ones."""
    count = 1 + len(how.states) + (how.length is not None)
    if len(inputs) != count:
        message = f"{os.fspath(torchscript)} takes {len(inputs)} inputs, and the metadata says {count}"
        raise FileError(message, hint="do the flags in the metadata belong to this model?")
    for name, shape in how.states.items():
        wanted = inputs[_number(name)].shape
        if [size for size in wanted if size != 1] != [size for size in shape if size != 1]:
            raise FileError(
                f"{name} of {os.fspath(torchscript)} is {wanted}, and the metadata says {shape} and a batch",
                hint="do the flags in the metadata belong to this model?",
            )


def _features(random: Generator, how: Streaming, frames: int) -> dict[int, NDArray[Any]]:
    """Random features, and their number if the encoder wants to know it."""
    import numpy as np

    found: dict[int, NDArray[Any]] = {
        _number(how.features): random.normal(size=(frames, FEATURES)).astype(np.float32)
    }
    if how.length is not None:
        found[_number(how.length)] = np.array([frames], np.float32)
    return found


def _states(random: Generator, how: Streaming) -> dict[int, NDArray[Any]]:
    """Random states; one with a single axis counts frames."""
    import numpy as np

    return {
        _number(name): (
            random.normal(size=shape)
            if len(shape) > 1
            else random.integers(1, _MOST_FRAMES, shape, endpoint=True)
        ).astype(np.float32)
        for name, shape in how.states.items()
    }


def _single(name: str, calls: Sequence[Arrays], outputs: Sequence[Sequence[NDArray[Any]]]) -> list[Call]:
    return [
        Call(f"{name}{number}", {f"in{index}": array for index, array in given.items()}, _named(results))
        for number, (given, results) in enumerate(zip(calls, outputs, strict=True))
    ]


def _named(outputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"out{number}": array for number, array in enumerate(outputs)}


def _number(blob: str) -> int:
    """The place of an input or an output among the others: 3 for ``in3``."""
    return int(blob.removeprefix("in").removeprefix("out"))
