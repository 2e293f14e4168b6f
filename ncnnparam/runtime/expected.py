"""Proves a model on the real ncnn against numbers that PyTorch gave, kept in an ``.npz`` file.

Its arrays are named ``<call>.<blob>``, or ``<blob>`` if there is one call. Inputs that a call lacks are what
the call before gave under the same number, ``out3`` for ``in3``: states of a streaming model need not be
stored twice. Shapes have no batch axis.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ncnnparam.errors import FileError, NcnnParamError, unreadable
from ncnnparam.ops import registry
from ncnnparam.runtime.net import MEMORY, run_often

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph

MAX_SIZE = 1 << 30
"""The most bytes of arrays to read."""
FLOAT_TOLERANCE = 2e-5
HALF_TOLERANCE = 1e-2
"""How far a number may be off with float32 weights, and with smaller ones; relative where it is above 1."""

Arrays = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True)
class Call:
    """One run of a net.

    Attributes:
        name: Its name in the file, empty for plain blob names.
        inputs: What is fed, by blob name.
        outputs: What PyTorch gave, by blob name.
    """

    name: str
    inputs: Arrays
    outputs: Arrays


@dataclass(frozen=True)
class Verdict:
    """How near one output came.

    Attributes:
        call: Name of the call.
        blob: Name of the output.
        error: Largest absolute difference; infinity where the sizes differ or a number is none.
        scale: Largest absolute number that was expected.
        shapes: What was expected and what came.
    """

    call: str
    blob: str
    error: float
    scale: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def scaled_error(self) -> float:
        """The error in units of the scale if that is above 1: what a tolerance is held against."""
        return self.error / max(self.scale, 1.0)

    def is_within(self, tolerance: float) -> bool:
        """Whether the scaled error is at most the tolerance."""
        return self.scaled_error <= tolerance


def read_calls(path: str | os.PathLike[str], graph: Graph) -> tuple[list[Call], list[str]]:
    """The calls of a file that are for a net, and the names of those that are not.

    Raises:
        FileError: It cannot be read, is no ``.npz`` file, or is too large.
        NcnnParamError: None of it is for this net.
    """
    arrays = _read(path)
    inputs = {blob.name for blob in graph.inputs if blob.readers}
    unread = {blob.name for blob in graph.inputs if not blob.readers}
    grouped: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        call, _, blob = name.rpartition(".")
        grouped.setdefault(call, {})[blob] = array
    found: list[Call] = []
    others: list[str] = []
    for name, blobs in grouped.items():
        fed = _feed(blobs, inputs, grouped.get(_before(name), {}))
        outputs = {blob: array for blob, array in blobs.items() if blob not in inputs | unread}
        if fed is None or not outputs or not all(graph.has_blob(blob) for blob in outputs):
            others.append(name)
        else:
            found.append(Call(name, fed, outputs))
    if not found:
        wanted = ", ".join(sorted(inputs)[:8])
        hint = f"name its arrays CALL.BLOB; the inputs of this net are {wanted}"
        raise NcnnParamError(
            f"{os.fspath(path)} has no call with all inputs and an output of this net", hint=hint
        )
    return found, others


def prove(
    param: str | os.PathLike[str], weights: str | os.PathLike[str], graph: Graph, calls: Iterable[Call]
) -> list[Verdict]:
    """Runs the calls on ncnn, in a child process, and compares their outputs.

    Args:
        param: The model's file.
        weights: Its weights.
        graph: What is in ``param``.
        calls: What to feed and to expect.

    Raises:
        NcnnParamError: ncnn does not load or run it, or is not installed.
    """
    types = {layer.type for layer in graph}
    known = [registry.get(name) for name in types]
    custom = [layer_type.name for layer_type in known if layer_type is not None and layer_type.custom]
    calls = list(calls)
    runs = [(call.inputs, call.outputs) for call in calls]
    outcome = run_often(param, weights, runs, custom_types=custom, memory=MEMORY)
    if not outcome.ok:
        said = "; ".join(outcome.messages[-3:])
        failed = calls[len(outcome.runs)].name if len(outcome.runs) < len(calls) else ""
        where = f" ({failed})" if failed else ""
        raise NcnnParamError(f"{outcome.problem}{where}", hint=f"it said: {said}" if said else None)
    return [
        _verdict(call, blob, found)
        for call, found in zip(calls, outcome.runs, strict=True)
        for blob in call.outputs
    ]


def _verdict(call: Call, blob: str, found: Arrays) -> Verdict:
    import numpy as np

    wanted, got = (side[blob].astype(np.float64) for side in (call.outputs, found))
    scale = float(np.abs(wanted).max(initial=0))
    error = float("inf")
    if wanted.size == got.size and bool(np.isfinite(got).all()):
        error = float(np.abs(wanted.ravel() - got.ravel()).max(initial=0))
    return Verdict(call.name, blob, error, scale, (wanted.shape, got.shape))


def _feed(blobs: Arrays, inputs: set[str], before: Arrays) -> Arrays | None:
    """What to feed, or None if something is missing."""
    import numpy as np

    fed: dict[str, NDArray[Any]] = {}
    for blob in inputs:
        state = re.sub("^in", "out", blob)
        array = blobs.get(blob, before.get(state) if state != blob else None)
        if array is None or array.dtype.kind not in "fiu" or not 1 <= array.ndim <= 4:
            return None
        fed[blob] = array if array.dtype == np.int32 else array.astype(np.float32)
    return fed


def _before(name: str) -> str:
    """The name of the call before: ``chunk0`` for ``chunk1``."""
    match = re.fullmatch(r"(.*?)([0-9]{1,9})", name)
    return f"{match[1]}{int(match[2]) - 1}" if match is not None and int(match[2]) else "\0"


def _read(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    import numpy as np

    shown = os.fspath(path)
    hint = "write it with numpy.savez: arrays named CALL.BLOB or BLOB"
    try:
        with zipfile.ZipFile(Path(path)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_SIZE:
            raise FileError(f"{shown} has {size} bytes of arrays, more than {MAX_SIZE}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except OSError as error:
        raise unreadable(shown, error) from None
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
        raise FileError(f"{shown} is no .npz file of numbers: {error}", hint=hint) from None
