"""The three traced modules of a transducer: files that are there, or what a function in Python makes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ncnnparam.errors import ConfigError, FileError, NcnnParamError, unreadable
from ncnnparam.export.process import Line, run
from ncnnparam.speech.nets import NETS
from ncnnparam.syntax.foreign import recognise_weights

FILE_NAME = "{part}_jit_trace-pnnx.pt"
"""What icefall calls a traced module."""
TIMEOUT = 1800.0
"""Seconds that tracing may take by default."""
_HEAD = 4096
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_LAST = 3


@dataclass(frozen=True)
class Traced:
    """Three TorchScript files.

    Attributes:
        encoder: The encoder's.
        decoder: The decoder's.
        joiner: The joiner's.
        log: What was printed while they were made, if they were.
    """

    encoder: Path
    decoder: Path
    joiner: Path
    log: Path | None = None

    @property
    def parts(self) -> dict[str, Path]:
        """The files by the name of the net."""
        return {"encoder": self.encoder, "decoder": self.decoder, "joiner": self.joiner}


def take_traced(paths: Mapping[str, str | os.PathLike[str]]) -> Traced:
    """Takes files that are there.

    Args:
        paths: TorchScript files of ``encoder``, ``decoder`` and ``joiner``.

    Raises:
        ConfigError: One of the three is missing.
        FileError: One is no TorchScript; the text says what it is.
    """
    lacking = [part for part in NETS if part not in paths]
    if lacking:
        raise ConfigError(f"no file is named for the {' and the '.join(lacking)}")
    return Traced(*(require_torchscript(paths[part]) for part in NETS))


def require_torchscript(path: str | os.PathLike[str]) -> Path:
    """A file, if it is what ``torch.jit.save`` writes: a zip archive with code.

    Raises:
        FileError: It is something else; the text says what.
    """
    file = Path(path)
    try:
        with file.open("rb") as reader:
            head = reader.read(_HEAD)
    except OSError as error:
        raise unreadable(file, error) from None
    if not zipfile.is_zipfile(file):
        if head.startswith(_ZIP):
            raise FileError(f"{file} is no TorchScript: it was cut off", hint="copy or fetch it once more")
        foreign = recognise_weights(head)
        if foreign is not None:
            raise FileError(f"{file} is no TorchScript: {foreign.message}", hint=foreign.hint)
        raise FileError(f"{file} is no TorchScript", hint=_EXPORT)
    with zipfile.ZipFile(file) as archive:
        entries = {name.partition("/")[2] for name in archive.namelist()}
    if any(entry.startswith("code/") for entry in entries):
        return file
    weights = "data.pkl" in entries
    what = "it holds weights, without the code of a module" if weights else "there is no code in it"
    raise FileError(f"{file} is no TorchScript: {what}", hint=_EXPORT)


_EXPORT = "give what torch.jit.trace made, such as encoder_jit_trace-pnnx.pt, which export-for-ncnn.py writes"


def trace_factory(
    factory: str,
    folder: str | os.PathLike[str],
    *,
    log: str | os.PathLike[str] | None = None,
    path: str | os.PathLike[str] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    trust: bool = False,
    timeout: float = TIMEOUT,
    memory: int | None = None,
    line: Line | None = None,
) -> Traced:
    """Traces what a function in Python makes, in a child process.

    The function gets what ``torch.load`` made of the checkpoint, or None, and returns for each net the module
    and an example: ``{"encoder": (module, (features, states)), "decoder": ..., "joiner": ...}``.

    Args:
        factory: ``package.module:function``.
        folder: Where the traced modules go.
        log: File for what is printed; by default ``trace.log`` there.
        path: Folder that the module is imported from.
        checkpoint: The weights. They are loaded with ``weights_only``: nothing in the file is run.
        trust: Load a checkpoint that holds more than weights; it may do what code can do.
        timeout: Seconds that it may take.
        memory: Bytes of address space that it may take; has no effect on Windows.
        line: Is told of each line that is printed.

    Raises:
        ConfigError: ``factory`` names nothing, or what it returns is not as it should be.
        FileError: The checkpoint cannot be read, or holds more than weights.
        NcnnParamError: Tracing failed, or took too long.
    """
    module, _, function = factory.partition(":")
    words = [*module.split("."), function]
    if not all(word.isidentifier() for word in words):
        raise ConfigError(f"'{factory}' is no factory", hint="write package.module:function")
    if find_spec("torch") is None:
        hint = 'pip install "ncnnparam[export]"'
        raise NcnnParamError("tracing needs PyTorch, which is not installed", hint=hint)
    if checkpoint is not None:
        require_checkpoint(checkpoint)
    target = Path(folder)
    kept = target / "trace.log" if log is None else Path(log)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".trace-", dir=target) as scratch:
            answer = Path(scratch) / "answer.json"
            order = {
                "module": module,
                "function": function,
                "path": None if path is None else os.path.abspath(path),
                "checkpoint": None if checkpoint is None else os.path.abspath(checkpoint),
                "trust": trust,
                "folder": os.path.abspath(scratch),
                "names": {part: FILE_NAME.format(part=part) for part in NETS},
                "answer": os.path.abspath(answer),
            }
            command = [sys.executable, "-m", "ncnnparam.export.trace_child"]
            ended = run(command, stdin=json.dumps(order), log=kept, timeout=timeout, memory=memory, line=line)
            if ended.status or not answer.is_file():
                said = "; ".join(ended.last[-_LAST:])
                hint = f"it said: {said} ({kept})"
                raise NcnnParamError(f"tracing with {factory} {ended.how}", hint=hint)
            _raise(json.loads(answer.read_text()), factory)
            for part in NETS:
                os.replace(Path(scratch, FILE_NAME.format(part=part)), target / FILE_NAME.format(part=part))
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}") from None
    encoder, decoder, joiner = (target / FILE_NAME.format(part=part) for part in NETS)
    return Traced(encoder, decoder, joiner, kept)


def require_checkpoint(path: str | os.PathLike[str]) -> Path:
    """A file that may be a checkpoint, by its first bytes.

    Raises:
        FileError: It cannot be read, or is none: a git-lfs pointer, a web page, or no pickle.
    """
    file = Path(path)
    try:
        with file.open("rb") as reader:
            head = reader.read(_HEAD)
    except OSError as error:
        raise unreadable(file, error) from None
    foreign = recognise_weights(head)
    if head.startswith((_ZIP, _PICKLE)):
        return file
    said = foreign.message if foreign is not None else "it does not begin as torch.save writes it"
    raise FileError(
        f"{file} is no checkpoint: {said if head else 'it is empty'}",
        hint=foreign.hint if foreign is not None else "copy or fetch it once more",
    )


def _raise(answer: Mapping[str, str], factory: str) -> None:
    """Raises what the child found out about its input, if it did."""
    if "refused" in answer:
        raise FileError(
            f"{answer['refused']} holds more than weights: {answer['why']}",
            hint="if you know who made it, trust it: its code is run then (trust = true); or save "
            "its state_dict alone",
        )
    if "problem" in answer:
        raise ConfigError(f"{factory}: {answer['problem']}")
