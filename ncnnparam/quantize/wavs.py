"""Items from wavs."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ncnnparam.optional import need
from ncnnparam.quantize.data import Inputs, Items, file_items, list_files
from ncnnparam.speech.audio import ENDINGS, read_wav


def wav_items(source: str | os.PathLike[str], shortest: int = 1) -> Items:
    """Items from audio files; each holds ``samples``.

    Args:
        source: A folder, a list or a file; see ``list_files``.
        shortest: The fewest samples that a model can use.

    Raises:
        FileError: There are no such files.
        NcnnParamError: The soundfile package is not installed.
    """
    need("soundfile", "speech")
    return file_items(list_files(source, ENDINGS), partial(_inputs, shortest=shortest))


def _inputs(path: Path, shortest: int) -> Inputs:
    return {"samples": read_wav(path, shortest)}
