"""Greedy search: of each encoder frame the likeliest token."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.speech.nets import BLANK, CONTEXT, PASSED_OVER, Nets

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Greedy:
    """Greedy search over an utterance, as sherpa-ncnn's ``greedy-search-decoder.cc`` does it.

    Args:
        nets: The transducer.
        passed_over: Tokens that are no part of a text.

    Attributes:
        tokens: What was found so far.
        frames: The encoder frame of each token.
    """

    def __init__(self, nets: Nets, passed_over: Set[int] = PASSED_OVER) -> None:
        self.tokens: list[int] = []
        self.frames: list[int] = []
        self._nets, self._passed_over = nets, passed_over
        self._frame = 0
        self._decoded = self._decode()

    def advance(self, frame: NDArray[np.float32]) -> bool:
        """Takes the next frame; returns whether there is a new token."""
        token = int(np.argmax(self._nets.join(frame, self._decoded)))
        heard = token not in self._passed_over
        if heard:
            self.tokens.append(token)
            self.frames.append(self._frame)
            self._decoded = self._decode()
        self._frame += 1
        return heard

    def _decode(self) -> NDArray[np.float32]:
        return self._nets.decode(([BLANK] * CONTEXT + self.tokens)[-CONTEXT:])
