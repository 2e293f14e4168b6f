"""Decodes wavs with TorchScript files, to know what PyTorch hears before ncnn is asked.

TorchScript is code: a file that is run may do what code can do. The child process that runs it guards against
crashes and endless loops, not against malice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ncnnparam.errors import FileError, NcnnParamError
from ncnnparam.runtime.torchscript import is_torchscript
from ncnnparam.speech.child import Limits, hear_in_child
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.metadata import Metadata
from ncnnparam.speech.methods import BEAM, GREEDY, require_method
from ncnnparam.speech.stream import TAIL
from ncnnparam.speech.tokens import read_tokens

LIMITS = Limits(memory=16 << 30, timeout=600.0)
"""PyTorch takes more address space than memory."""


class TorchFiles(NamedTuple):
    """The TorchScript files of a transducer, as icefall's ``export-for-ncnn.py`` writes them."""

    encoder: str
    decoder: str
    joiner: str


def decode(
    files: TorchFiles,
    metadata: Metadata,
    tokens: str | os.PathLike[str],
    wavs: Sequence[str | os.PathLike[str]],
    *,
    method: str = GREEDY,
    beam: int = BEAM,
    threads: int = 1,
    tail: int = TAIL,
    limits: Limits = LIMITS,
    advance: Callable[[Heard], object] | None = None,
) -> list[Heard]:
    """What a transducer hears in wavs while it is still PyTorch's.

    How the modules want to be called is found out: see ``script_nets``.

    Args:
        files: The modules.
        metadata: Of the encoder.
        tokens: The ``tokens.txt``.
        wavs: The wavs, of which ``read_wav`` has nothing to say.
        method: ``greedy`` or ``modified-beam``.
        beam: Texts that the beam search follows.
        threads: Threads for PyTorch.
        tail: Zeros to put behind the samples.
        limits: What the child process may take.
        advance: Is told of each wav that was heard.

    Raises:
        FileError: A file is no TorchScript.
        NcnnParamError: The files cannot be run as such a model; PyTorch is not installed, or died.
    """
    require_method(method)
    if find_spec("torch") is None:
        raise NcnnParamError(
            "TorchScript needs PyTorch, which is not installed", hint='pip install "ncnnparam[export]"'
        )
    for file in files:
        if not Path(file).is_file():
            raise FileError(f"there is no {file}", code="NP801")
        if not is_torchscript(file):
            raise FileError(f"{file} is no TorchScript", hint="torch.jit.trace(...).save(...) writes it")
    order = {
        "files": list(files),
        "metadata": list(metadata.params().items()),
        "words": list(read_tokens(tokens).items()),
        "method": method,
        "beam": beam,
        "threads": threads,
        "tail": tail,
    }
    return hear_in_child(
        "ncnnparam.speech.torchscript_child",
        order,
        wavs,
        limits,
        what="PyTorch",
        hint="were the files exported by this version of PyTorch, and do the metadata belong to them?",
        advance=advance,
    )
