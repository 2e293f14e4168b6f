"""The features that sherpa-ncnn computes of audio: log mel filter banks by kaldi-native-fbank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.optional import need
from ncnnparam.speech.streaming import FEATURES, SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIGH_FREQUENCY = -400.0
"""Where the highest mel bin ends, in Hz from half the sample rate; from sherpa-ncnn's ``features.cc``."""


class Fbank:
    """Features of audio of 16 kHz that comes bit by bit: a row of 80 for every 10 ms.

    Raises:
        NcnnParamError: The kaldi-native-fbank package is not installed.
    """

    def __init__(self) -> None:
        native = need("kaldi_native_fbank", "speech")
        options = native.FbankOptions()
        options.frame_opts.dither = 0
        options.frame_opts.snip_edges = False
        options.frame_opts.samp_freq = SAMPLE_RATE
        options.mel_opts.num_bins = FEATURES
        options.mel_opts.high_freq = HIGH_FREQUENCY
        self._computer = native.OnlineFbank(options)
        self._dropped = 0

    def __len__(self) -> int:
        """How many frames are there so far, the dropped ones counted."""
        return int(self._computer.num_frames_ready)

    def accept(self, samples: NDArray[np.float32]) -> None:
        """Takes more audio, between -1 and 1."""
        self._computer.accept_waveform(SAMPLE_RATE, samples.tolist())

    def finish(self) -> None:
        """Says that no more audio comes, so that the last frames are there too."""
        self._computer.input_finished()

    def frames(self, start: int, stop: int) -> NDArray[np.float32]:
        """Some frames; those before them are dropped, and cannot be had any more."""
        self._computer.pop(start - self._dropped)
        self._dropped = start
        rows = [self._computer.get_frame(number) for number in range(start, stop)]
        return np.array(rows, np.float32).reshape(-1, FEATURES)


def fbank(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of a whole utterance, between -1 and 1.

    Raises:
        NcnnParamError: The kaldi-native-fbank package is not installed.
    """
    features = Fbank()
    features.accept(samples)
    features.finish()
    return features.frames(0, len(features))
