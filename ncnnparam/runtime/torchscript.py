"""Runs a TorchScript file, for numbers that a repaired model must give too.

TorchScript is code: a file that is run may do what code can do. The child process that runs it guards against
crashes and endless loops, not against malice.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.runtime.expected import MAX_SIZE, Call
from ncnnparam.runtime.process import Child
from ncnnparam.runtime.recorded import Recorded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph
    from ncnnparam.passes.pnnx.text import PnnxGraph

TIMEOUT = 120.0
"""Seconds that the child may run by default."""
MEMORY = 8 << 30
"""Address space that the child may take by default, in bytes; PyTorch alone sets aside some."""
_SHOWN = 4
_INPUT = "pnnx.Input"
_FLOATS = ("f32", "f16")
_HINT = "name numbers instead: an .npz file"
_NUMBER = 4
"""Bytes of a float32."""


def is_torchscript(path: str | os.PathLike[str]) -> bool:
    """Whether a file is what ``torch.jit.save`` writes: a zip archive with code in it."""
    try:
        with zipfile.ZipFile(Path(path)) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # who reads it says what is wrong
    return any("/code/" in name for name in names)


def run_torchscript(
    path: str | os.PathLike[str],
    inputs: Sequence[Recorded],
    calls: Sequence[Mapping[int, NDArray[Any]]],
    feeds: Mapping[int, int] | None = None,
    *,
    memory: int = MEMORY,
    timeout: float = TIMEOUT,
) -> list[list[NDArray[Any]]]:
    """Calls a TorchScript file in a child process.

    Args:
        path: The file.
        inputs: Shapes and types of its inputs.
        calls: For each call the arrays by the number of the input, counted from 0, with or without a batch
            axis. Inputs at the end that no call has are zeros.
        feeds: Which output of the call before a call takes where it has no array: input -> output.
        memory: Address space for the child in bytes; has no effect on Windows.
        timeout: Seconds for the child.

    Returns:
        For each call its outputs as float32, tuples and lists unfolded, with their batch axes.

    Raises:
        FileError: The file cannot be run on these arrays.
        NcnnParamError: PyTorch is not installed.
    """
    import numpy as np

    if find_spec("torch") is None:
        raise NcnnParamError(
            "TorchScript needs PyTorch, which is not installed", hint='pip install "ncnnparam[export]"'
        )
    with tempfile.TemporaryDirectory(prefix="ncnnparam-") as folder:
        given, result = Path(folder) / "given.npz", Path(folder) / "torch.npz"
        arrays: dict[str, Any] = {
            f"{call}.{number}": array for call, fed in enumerate(calls) for number, array in fed.items()
        }
        np.savez(given, **arrays)
        order = {
            "module": os.fspath(path),
            "inputs": [(one.shape, one.dtype) for one in inputs],
            "arrays": str(given),
            "calls": len(calls),
            "feeds": feeds or {},
            "result": str(result),
            "memory": memory,
        }
        try:
            with Child("ncnnparam.runtime.torch_child", order, timeout) as running:
                child = running.finish()
        except subprocess.TimeoutExpired:
            raise FileError(f"{os.fspath(path)} was stopped after {timeout:g} seconds") from None
        if child.returncode or not result.exists():
            said = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
            shapes = ", ".join("x".join(map(str, one.shape)) for one in inputs[:_SHOWN])
            more = ", ..." if len(inputs) > _SHOWN else ""
            raise FileError(f"{os.fspath(path)} does not run on inputs of the shapes {shapes}{more}: {said}")
        with np.load(result, allow_pickle=False) as found:
            numbered: list[list[NDArray[Any]]] = [[] for _ in calls]
            for name in found.files:
                numbered[int(name.split(".")[0])].append(found[name])
            return numbered


def torch_call(path: str | os.PathLike[str], pnnx: PnnxGraph | None, graph: Graph) -> Call:
    """What a TorchScript file gives for random inputs between 0 and 1.

    Not below 0, because an input may be a count, which is divided by.

    Args:
        path: The file that was given to pnnx.
        pnnx: The graph in PyTorch's terms, which knows the shapes of the inputs.
        graph: The net that shall give the same.

    Raises:
        FileError: The file cannot be run on inputs of these shapes.
        NcnnParamError: A shape is not known, or PyTorch is not installed.
    """
    import numpy as np

    shapes = _input_shapes(pnnx)
    random = np.random.default_rng(0)
    arrays = {number: random.random(shape, np.float32) for number, shape in enumerate(shapes)}
    (given,) = run_torchscript(path, [Recorded(shape, "float32") for shape in shapes], [arrays])
    inputs = {
        name: without_batch(array)
        for name, array in ((f"in{number}", array) for number, array in arrays.items())
        if graph.has_blob(name) and graph.blob(name).readers
    }
    outputs = {f"out{number}": array for number, array in enumerate(given)}
    lacking = [name for name in outputs if not graph.has_blob(name)]
    if lacking:
        raise NcnnParamError(f"the net has no {', '.join(lacking)}, which {os.fspath(path)} gives")
    return Call("", inputs, outputs)


def _input_shapes(pnnx: PnnxGraph | None) -> list[tuple[int, ...]]:
    """The shape of each input, in order, the batch axis among the sizes."""
    if pnnx is None:
        raise NcnnParamError(
            "the shapes of TorchScript's inputs are in the .pnnx.param, which is not there",
            hint="name it with --pnnx-param",
        )
    shapes = []
    for index, operator in enumerate(pnnx.find(_INPUT)):
        tensor = pnnx.shapes.get(operator.outputs[0]) if operator.outputs else None
        if tensor is None or tensor.sizes is None:
            hint = f"run pnnx with inputshape=..., or {_HINT}"
            raise NcnnParamError(f"the .pnnx.param does not tell the shape of in{index}", hint=hint)
        if tensor.dtype not in _FLOATS:
            raise NcnnParamError(f"in{index} is {tensor.dtype}, for which any number may not do", hint=_HINT)
        shapes.append(tensor.sizes)
    if sum(_NUMBER * prod(shape) for shape in shapes) > MAX_SIZE:
        raise NcnnParamError(f"the inputs in the .pnnx.param have more than {MAX_SIZE} bytes")
    return shapes


def without_batch(array: NDArray[Any]) -> NDArray[Any]:
    """An input as ncnn takes it: the first axis of size 1 is the batch, if there are others."""
    ones = [axis for axis, size in enumerate(array.shape) if size == 1]
    return array.squeeze(ones[0]) if ones and array.ndim > 1 else array
