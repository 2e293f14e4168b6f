"""Speech by espeak-ng, as samples of 16 kHz."""

from __future__ import annotations

import subprocess

import numpy as np
import numpy.typing as npt

from demo_training.voices import Speaking

Samples = npt.NDArray[np.float32]

RATE = 16_000
"""Samples a second."""
_HEADER = 44
"""Bytes of the header before the samples that espeak-ng writes."""
_SILENT = 1e-3
_SECONDS = 60


def speak(text: str, how: Speaking, stretch: float = 1.0) -> Samples:
    """Speech between -1 and 1 of a peak of 0.5, without the silence before and after it.

    Args:
        text: What is spoken.
        how: How.
        stretch: By how much pitch and formants are lowered and time is stretched, as with a tape that runs
            too slowly: a larger or smaller speaker.

    Raises:
        subprocess.CalledProcessError: espeak-ng failed.
        FileNotFoundError: espeak-ng is not installed.
    """
    order = ["espeak-ng", "-v", how.voice, "-s", str(how.speed), "-p", str(how.pitch), "--stdout", text]
    wav = subprocess.run(order, check=True, capture_output=True, timeout=_SECONDS).stdout
    rate = int.from_bytes(wav[24:28], "little")
    samples = np.frombuffer(wav[_HEADER:], "<i2").astype(np.float32) / 32768
    samples = resample(samples, RATE / rate * stretch)
    loud = np.flatnonzero(np.abs(samples) > _SILENT)
    samples = samples[loud[0] : loud[-1] + 1]
    return samples * np.float32(0.5 / np.abs(samples).max())


def resample(samples: Samples, factor: float) -> Samples:
    """The same sound with `factor` times as many samples, by its Fourier transform."""
    wanted = round(len(samples) * factor)
    length = fast_length(wanted)
    spectrum = np.fft.rfft(samples, round(length / factor))
    kept = np.zeros(length // 2 + 1, spectrum.dtype)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    return (np.fft.irfft(kept, length) * factor).astype(np.float32)[:wanted]


def fast_length(length: int) -> int:
    """A length of at least this much for which the Fourier transform is fast."""
    return -(-length // 1024) * 1024
