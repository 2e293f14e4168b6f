"""The child process of ``speech.sherpa``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.speech.child import Hear, serve
from ncnnparam.speech.heard import Heard
from ncnnparam.speech.streaming import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prepare(order: Mapping[str, Any]) -> Hear:
    """Loads the model that an order asks for."""
    import sherpa_ncnn

    recognizer = sherpa_ncnn.Recognizer(**order["arguments"]).recognizer
    tail = np.zeros(order["tail"], np.float32)

    def hear(name: str, samples: NDArray[np.float32]) -> Heard:
        begin = time.perf_counter()
        stream = recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE, np.concatenate([samples, tail]))
        stream.input_finished()
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        result = recognizer.get_result(stream)
        return Heard(
            name,
            tuple(result.tokens),
            result.text.strip(),
            tuple(round(stamp, 2) for stamp in result.timestamps),
            time.perf_counter() - begin,
            len(samples) / SAMPLE_RATE,
        )

    return hear


if __name__ == "__main__":
    serve(prepare)
