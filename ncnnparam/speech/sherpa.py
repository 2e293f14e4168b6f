"""Decodes wavs with the real sherpa-ncnn, in a child process, because it crashes on models that are wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from ncnnparam.errors import NcnnParamError
from ncnnparam.speech.child import Limits, hear_in_child
from ncnnparam.speech.files import ModelFiles, read_words
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.methods import BEAM, GREEDY, require_method
from ncnnparam.speech.stream import TAIL

LIMITS = Limits(memory=8 << 30, timeout=600.0)
METHODS = {"greedy": "greedy_search", "modified-beam": "modified_beam_search"}
"""What sherpa-ncnn calls the methods."""


def decode(
    model: ModelFiles,
    wavs: Sequence[str | os.PathLike[str]],
    *,
    method: str = GREEDY,
    beam: int = BEAM,
    threads: int = 1,
    tail: int = TAIL,
    limits: Limits = LIMITS,
    advance: Callable[[Heard], object] | None = None,
) -> list[Heard]:
    """What ``sherpa_ncnn.Recognizer`` hears in wavs.

    Args:
        model: The model. Which numbers it computes with, the files say.
        wavs: The wavs, of which ``read_wav`` has nothing to say.
        method: ``greedy`` or ``modified-beam``.
        beam: Texts that the beam search follows.
        threads: Threads for each net.
        tail: Zeros to put behind the samples.
        limits: What the child process may take.
        advance: Is told of each wav that was heard.

    Raises:
        ConfigError: ``tokens.txt`` is not in order or of another model.
        FileError: A file of the model is not there.
        NcnnParamError: The sherpa-ncnn package is not installed, or died.
    """
    require_method(method)
    model.require()
    read_words(model)
    if find_spec("sherpa_ncnn") is None:
        raise NcnnParamError(
            "this needs sherpa_ncnn, which is not installed", hint='pip install "ncnnparam[speech]"'
        )
    nets = {
        f"{net}_{part}": os.fspath(file)
        for net, pair in model.nets._asdict().items()
        for part, file in zip(("param", "bin"), pair, strict=True)
    }
    arguments = {
        **nets,
        "tokens": model.tokens,
        "num_threads": threads,
        "decoding_method": METHODS[method],
        "num_active_paths": beam,
    }
    check = "ncnnparam check --target sherpa-ncnn-2.1.15 " + " ".join(model.nets.encoder)
    return hear_in_child(
        "ncnnparam.speech.sherpa_child",
        {"arguments": arguments, "tail": tail},
        wavs,
        limits,
        what="sherpa-ncnn",
        hint=f"it crashes on models that are wrong, and {check} may tell what is",
        advance=advance,
    )
