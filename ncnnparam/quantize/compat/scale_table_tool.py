"""What sherpa-ncnn's generate-int8-scale-table does otherwise than its recogniser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.runtime.session import Session
from ncnnparam.speech.nets import BLANK
from ncnnparam.speech.streaming import Streaming
from ncnnparam.speech.transducer import Transducer, Watch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.speech.streaming import States

PASSED_OVER = frozenset((BLANK,))
"""Tokens that its search passes over; it keeps the unknown one."""


class ToolTransducer(Transducer):
    """A transducer as the tool runs it.

    It runs the last segment too if nothing is behind it, and has one run of the joiner for all frames of a
    segment: the joiner's inputs change from frame to frame, but its other blobs stay those of the first one.
    """

    def __init__(
        self, encoder: Session, decoder: Session, joiner: Session, how: Streaming, watch: Watch
    ) -> None:
        super().__init__(encoder, decoder, joiner, replace(how, behind=0), watch)
        self._joining = joiner.start({})

    def encode(self, features: NDArray[np.float32], states: States) -> tuple[NDArray[np.float32], States]:
        """The encoder's frames of a segment, and the states for the next one."""
        self._joining = self.joiner.start({})
        return super().encode(features, states)

    def join(self, frame: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        """The joiner's logits for the first frame of the segment."""
        return self._finish("joiner", self._joining.feed({"in0": frame, "in1": decoded}))

    def close(self) -> None:
        """Frees the nets."""
        del self._joining  # before its net goes
        super().close()
