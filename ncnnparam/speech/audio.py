"""Audio files, and a reason for each that a speech model should not be given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.errors import BadItemError
from ncnnparam.optional import need
from ncnnparam.speech.streaming import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDINGS = (".wav", ".flac")
LARGEST = 1 << 30
"""The most bytes that the samples of a file may take in memory."""
SILENCE = 1e-3
"""A wav in which no sample is larger holds no speech; full scale is 1."""


def read_wav(path: Path, shortest: int = 1) -> NDArray[np.float32]:
    """The samples of an audio file, between -1 and 1.

    Raises:
        BadItemError: It is no audio, not mono, not of 16 kHz, cut off, too long, too short, silent, or not
            made of numbers.
    """
    soundfile = need("soundfile", "speech")
    if not path.exists():
        raise BadItemError("does not exist")
    try:
        about = soundfile.info(str(path))
        _check(about, shortest)
        samples: NDArray[np.float32] = soundfile.read(str(path), dtype="float32")[0]
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise BadItemError(f"cannot be read as audio: {error}") from None
    missing = about.frames - len(samples) or _bytes_cut_off(path)
    if missing > 0:
        raise BadItemError("is cut off: there is less in it than its head says")
    if not np.isfinite(samples).all():
        raise BadItemError("has samples that are NaN or infinite")
    if np.abs(samples).max() < SILENCE:
        raise BadItemError("is silent")
    return samples


def _check(about: object, shortest: int) -> None:
    rate, channels, frames = (getattr(about, name) for name in ("samplerate", "channels", "frames"))
    if rate != SAMPLE_RATE:
        raise BadItemError(f"has {rate} samples a second, not {SAMPLE_RATE}")
    if channels != 1:
        raise BadItemError(f"has {channels} channels, not 1")
    if 4 * frames > LARGEST:
        raise BadItemError(f"is too long: {frames:,} samples")
    if frames < shortest:
        raise BadItemError(f"is too short: {frames} samples, and the model needs {shortest}")


def _bytes_cut_off(path: Path) -> int:
    """How many bytes the data of a RIFF file lacks; the library takes what there is and says nothing."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(4) != b"RIFF":
            return 0
        file.seek(12)
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return 0 if length == 0xFFFFFFFF else file.tell() + length - size  # a stream's length is open
            file.seek(length + length % 2, os.SEEK_CUR)
    return 0
