"""What a search needs of a transducer, whatever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.speech.streaming import States, Streaming

NETS = ("encoder", "decoder", "joiner")
"""What a transducer is made of."""
BLANK, UNKNOWN = 0, 2
"""Tokens that sherpa-ncnn's searches pass over; the first is also what stands before an utterance."""
PASSED_OVER = frozenset((BLANK, UNKNOWN))
CONTEXT = 2
"""Tokens that the decoder looks back on; sherpa-ncnn knows no other number."""


class Nets(Protocol):
    """The three nets of a transducer. They remember nothing, so that one serves many utterances."""

    how: Streaming
    """How the encoder is run."""

    def encode(self, features: NDArray[np.float32], states: States) -> tuple[NDArray[np.float32], States]:
        """Runs the encoder on a segment.

        Returns:
            The encoder's frames, a row each, and the states for the next segment.
        """

    def decode(self, context: Sequence[int]) -> NDArray[np.float32]:
        """Runs the decoder on the last ``CONTEXT`` tokens; gives a vector."""

    def join(self, frame: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        """Runs the joiner on an encoder frame and the decoder's vector; gives a logit for each token."""


class Search(Protocol):
    """Finds the tokens of an utterance, from one encoder frame after the other."""

    @property
    def tokens(self) -> Sequence[int]:
        """What was found so far."""

    @property
    def frames(self) -> Sequence[int]:
        """The encoder frame of each token."""

    def advance(self, frame: NDArray[np.float32]) -> object:
        """Takes the next frame."""
