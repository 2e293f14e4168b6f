"""Runs a TorchScript file on random inputs, for numbers that a repaired model must give too.

TorchScript is code: a file that is run may do what code can do. The child process that runs it guards against
crashes and endless loops, not against malice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.runtime.expected import MAX_SIZE, Call

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph
    from ncnnparam.passes.pnnx.text import PnnxGraph

TIMEOUT = 120.0
"""Seconds that the child may run."""
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
    if find_spec("torch") is None:
        raise NcnnParamError(
            "TorchScript needs PyTorch, which is not installed", hint='pip install "ncnnparam[export]"'
        )
    with tempfile.TemporaryDirectory(prefix="ncnnparam-") as folder:
        result = Path(folder) / "torch.npz"
        order = {"module": os.fspath(path), "shapes": shapes, "result": str(result)}
        try:
            child = subprocess.run(
                [sys.executable, "-m", "ncnnparam.runtime.torch_child"],
                input=json.dumps(order),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise FileError(f"{os.fspath(path)} was stopped after {TIMEOUT:g} seconds") from None
        if child.returncode or not result.exists():
            said = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
            raise FileError(
                f"{os.fspath(path)} does not run on inputs of the shapes in the .pnnx.param: {said}"
            )
        with np.load(result, allow_pickle=False) as arrays:
            found = dict(arrays)
    inputs = {
        name: _without_batch(found[name])
        for name in (f"in{index}" for index in range(len(shapes)))
        if graph.has_blob(name) and graph.blob(name).readers
    }
    outputs = {name: array for name, array in found.items() if name.startswith("out")}
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


def _without_batch(array: NDArray[Any]) -> NDArray[Any]:
    """An input as ncnn takes it: the first axis of size 1 is the batch, if there are others."""
    ones = [axis for axis, size in enumerate(array.shape) if size == 1]
    return array.squeeze(ones[0]) if ones and array.ndim > 1 else array
