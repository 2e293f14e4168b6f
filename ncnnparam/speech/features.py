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


def fbank(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of audio of 16 kHz: a row of 80 for every 10 ms.

    Args:
        samples: Between -1 and 1.

    Raises:
        NcnnParamError: The kaldi-native-fbank package is not installed.
    """
    native = need("kaldi_native_fbank", "speech")
    options = native.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.mel_opts.num_bins = FEATURES
    options.mel_opts.high_freq = HIGH_FREQUENCY
    computer = native.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, samples.tolist())
    computer.input_finished()
    frames = [computer.get_frame(number) for number in range(computer.num_frames_ready)]
    return np.array(frames, np.float32).reshape(-1, FEATURES)
