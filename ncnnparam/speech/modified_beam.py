"""Modified beam search: several texts side by side, each at most one token longer with every frame.

It gives what sherpa-ncnn's ``modified-beam-search-decoder.cc`` gives without hotwords, so it computes as that
does: log probabilities of a frame in float32, sums over an utterance in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.speech.nets import BLANK, CONTEXT, PASSED_OVER, Nets

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEAM = 4
"""Texts that are followed; sherpa-ncnn's default."""


@dataclass(frozen=True)
class Hypothesis:
    """A text that may be the right one.

    Attributes:
        tokens: Its tokens.
        frames: The encoder frame of each token.
        log_prob: The logarithm of its probability.
        decoded: What the decoder makes of its last tokens.
    """

    tokens: tuple[int, ...]
    frames: tuple[int, ...]
    log_prob: float
    decoded: NDArray[np.float32]

    @property
    def score(self) -> float:
        """The logarithm for each token, those counted that stand before the utterance."""
        return self.log_prob / (CONTEXT + len(self.tokens))


class ModifiedBeam:
    """Modified beam search over an utterance.

    Args:
        nets: The transducer.
        beam: How many texts are followed.
    """

    def __init__(self, nets: Nets, beam: int = BEAM) -> None:
        self._nets, self._beam = nets, beam
        self._frame = 0
        self._hypotheses = [Hypothesis((), (), 0.0, self._decode(()))]

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens of the best text so far."""
        return self._best.tokens

    @property
    def frames(self) -> tuple[int, ...]:
        """The encoder frame of each of them."""
        return self._best.frames

    def advance(self, frame: NDArray[np.float32]) -> None:
        """Takes the next frame."""
        log_probs = np.stack(
            [
                _log_softmax(self._nets.join(frame, one.decoded)) + np.float32(one.log_prob)
                for one in self._hypotheses
            ]
        )
        found: dict[tuple[int, ...], Hypothesis] = {}
        for place in np.argsort(-log_probs, axis=None, kind="stable")[: self._beam]:
            row, token = divmod(int(place), log_probs.shape[1])
            one = self._extend(self._hypotheses[row], token, float(log_probs[row, token]))
            if (same := found.get(one.tokens)) is not None:
                one = replace(same, log_prob=float(np.logaddexp(same.log_prob, one.log_prob)))
            found[one.tokens] = one
        self._hypotheses = list(found.values())
        self._frame += 1

    @property
    def _best(self) -> Hypothesis:
        return max(self._hypotheses, key=lambda one: one.score)

    def _extend(self, one: Hypothesis, token: int, log_prob: float) -> Hypothesis:
        if token in PASSED_OVER:
            return replace(one, log_prob=log_prob)
        tokens = (*one.tokens, token)
        return Hypothesis(tokens, (*one.frames, self._frame), log_prob, self._decode(tokens))

    def _decode(self, tokens: tuple[int, ...]) -> NDArray[np.float32]:
        return self._nets.decode(((BLANK,) * CONTEXT + tokens)[-CONTEXT:])


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logarithms of probabilities, in float32."""
    highest = logits.max()
    shifted: NDArray[np.float32] = logits - (highest + np.log(np.exp(logits - highest).sum()))
    return shifted
