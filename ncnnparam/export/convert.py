"""TorchScript to a pair of ncnn files, by the real pnnx."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ncnnparam.errors import FileError, NcnnParamError, ParseError, WeightsError
from ncnnparam.export.process import Ended, Line, run
from ncnnparam.export.trace import require_torchscript
from ncnnparam.model import load
from ncnnparam.ops import registry
from ncnnparam.runtime.recorded import drop_recorded_inputs as drop_inputs
from ncnnparam.runtime.recorded import recorded_inputs

TIMEOUT = 1800.0
"""Seconds that pnnx may run by default; the docs' largest encoder takes a few on an idle machine."""
MEMORY = 16 << 30
"""Address space that pnnx may take by default, in bytes; the docs' largest encoder takes a tenth of it."""
_SPACE = 3
"""Files as large as the TorchScript that have to fit: a copy without inputs, the weights, and old ones."""
_RESULTS = (".ncnn.bin", ".ncnn.param", ".pnnx.param")
_UNWANTED = ("pnnxbin", "pnnxpy", "pnnxonnx", "ncnnpy")
_LAST = 3


@dataclass(frozen=True)
class Converted:
    """What pnnx made.

    Attributes:
        param: The graph for ncnn, as pnnx wrote it.
        weights: Its weights.
        pnnx_param: The graph in PyTorch's terms.
        log: What pnnx said.
        recorded_inputs_dropped: pnnx did not see the inputs that the module was traced with.
        layers: How many layers ``param`` has.
        blobs: How many blobs.
        unknown: Types of layers that ncnn does not have, and how many layers of each there are.
        seconds: How long pnnx ran.
    """

    param: Path
    weights: Path
    pnnx_param: Path
    log: Path
    recorded_inputs_dropped: bool
    layers: int
    blobs: int
    unknown: dict[str, int]
    seconds: float


def pnnx_program() -> Path:
    """The program in the package ``pnnx``, which is found without being imported: that would import torch.

    Raises:
        NcnnParamError: The package is not installed, or has no such program.
    """
    spec = find_spec("pnnx")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        program = Path(folder) / ("pnnx.exe" if sys.platform == "win32" else "pnnx")
        if program.is_file():
            return program
    raise NcnnParamError("this needs pnnx, which is not installed", hint='pip install "ncnnparam[export]"')


def convert(
    torchscript: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    fp16: bool = True,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    drop_recorded_inputs: bool | None = None,
    name: str | None = None,
    log: str | os.PathLike[str] | None = None,
    pnnx: str | os.PathLike[str] | None = None,
    line: Line | None = None,
) -> Converted:
    """Converts a TorchScript file.

    pnnx infers shapes from the inputs that a module was traced with, which the file has recorded. Where a
    module takes its states in a list or a tuple, it may give them to the wrong values and crash. Then it is
    run again on a copy of the file without them.

    Args:
        torchscript: What ``torch.jit.trace`` made and ``save`` wrote.
        folder: Where the results go: ``NAME.ncnn.param``, ``NAME.ncnn.bin`` and ``NAME.pnnx.param``. Old
            files are replaced only by whole ones.
        fp16: Store weights as float16.
        timeout: Seconds that pnnx may run, each time.
        memory: Bytes of address space that it may take; has no effect on Windows.
        drop_recorded_inputs: Whether pnnx shall not see the recorded inputs; by default it does unless it
            crashes on them.
        name: First part of the names of the results; by default that of the file. pnnx itself would make
            ``_`` of each ``-``.
        log: File for what pnnx says; by default ``NAME.pnnx.log`` in the folder.
        pnnx: The program; by default that of the package ``pnnx``.
        line: Is told of each line that pnnx prints.

    Raises:
        FileError: The file is no TorchScript, or there is no space for the results.
        NcnnParamError: pnnx is not there, crashes, hangs, or writes what does not fit together.
    """
    source = require_torchscript(torchscript)
    target = Path(folder)
    program = Path(pnnx) if pnnx is not None else pnnx_program()
    stem = name if name is not None else source.stem
    kept = target / f"{stem}.pnnx.log" if log is None else Path(log)
    recorded = recorded_inputs(source) is not None
    drop = bool(drop_recorded_inputs) and recorded
    _require_space(target, source)
    with tempfile.TemporaryDirectory(prefix=f".{stem[:60]}-", dir=target) as scratch:
        work = Path(scratch)
        job = _Job(program, fp16, work, kept, timeout, memory, line)
        ended = job.run(source, drop=drop)
        if ended.died and recorded and not drop and drop_recorded_inputs is None:
            drop = True
            ended = job.run(source, drop=True)
        if ended.status or ended.timed_out:
            raise _failure(source, ended, kept, memory)
        layers, blobs, unknown = _look(work, source, kept)
        weights, param, pnnx_param = results = [target / f"{stem}{ending}" for ending in _RESULTS]
        for path in results:
            path.unlink(missing_ok=True)  # a kill may leave less than all, but never old beside new
        for path, ending in zip(results, _RESULTS, strict=True):
            os.replace(work / f"net{ending}", path)
    return Converted(param, weights, pnnx_param, kept, drop, layers, blobs, unknown, ended.seconds)


@dataclass(frozen=True)
class _Job:
    program: Path
    fp16: bool
    folder: Path
    log: Path
    timeout: float
    memory: int
    line: Line | None

    def run(self, source: Path, *, drop: bool) -> Ended:
        """Runs pnnx in the folder; its results are called ``net``."""
        if drop:
            drop_inputs(source, self.folder / "net.pt")
        # paths in the options would be taken apart at '=' and ','
        options = [f"{key}={os.devnull}" for key in _UNWANTED]
        options += [f"{ending[1:].replace('.', '')}=net{ending}" for ending in _RESULTS]
        return run(
            [
                self.program.resolve(),
                "net.pt" if drop else source.resolve(),
                f"fp16={int(self.fp16)}",
                *options,
            ],
            log=self.log.resolve(),
            timeout=self.timeout,
            memory=self.memory,
            folder=self.folder,
            line=self.line,
        )


def _require_space(folder: Path, source: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free, size = shutil.disk_usage(folder).free, source.stat().st_size
    except OSError as error:
        raise FileError(f"cannot write {folder}: {error.strerror}") from None
    if free < _SPACE * size:
        raise FileError(
            f"{folder} has {free >> 20} MB of free space, and {_SPACE * size >> 20} MB are needed",
            hint="make space, or choose another folder",
        )


def _failure(source: Path, ended: Ended, log: Path, memory: int) -> NcnnParamError:
    said = "; ".join(ended.last[-_LAST:]) or "nothing"
    message = f"pnnx {ended.how} on {source}"
    if ended.timed_out:
        return NcnnParamError(
            message, hint=f"give it more time (timeout), or look at {log}; it said last: {said}"
        )
    if ended.died:
        why = f"it may have wanted more than {memory >> 20} MB of memory, or be unable to convert this model"
        return NcnnParamError(message, hint=f"{why}; it said last: {said} ({log})")
    return NcnnParamError(message, hint=f"it said: {said} ({log})")


def _look(work: Path, source: Path, log: Path) -> tuple[int, int, dict[str, int]]:
    """Layers, blobs and unknown types of what pnnx wrote, if it is whole: a full disk does not disturb it."""
    lacking = [ending for ending in _RESULTS if not (work / f"net{ending}").is_file()]
    if lacking:
        raise NcnnParamError(f"pnnx wrote no {' and no '.join(lacking)} for {source}", hint=f"look at {log}")
    try:
        graph = load(work / "net.ncnn.param", work / "net.ncnn.bin").graph
    except (ParseError, WeightsError) as error:
        raise NcnnParamError(
            f"what pnnx wrote for {source} is not whole: {error.message}",
            hint=f"is the disk full? Look at {log}",
        ) from None

    unknown = Counter(layer.type for layer in graph if registry.get(layer.type) is None)
    return graph.layer_count, graph.blob_count, dict(unknown)
