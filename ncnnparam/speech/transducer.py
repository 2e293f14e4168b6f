"""A streaming transducer on ncnn: the encoder chunk by chunk, greedy search driving decoder and joiner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ncnnparam.runtime.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.speech.streaming import Streaming

BLANK, UNKNOWN = 0, 2
"""Tokens that greedy search passes over, as in sherpa-ncnn."""
CONTEXT = 2
"""Tokens that the decoder looks back on."""

See = Callable[[str, str, "NDArray[Any]"], None]
"""``see(net, blob, numbers)`` is told of every blob that was asked for."""


@dataclass(frozen=True)
class Wanted:
    """Blobs to look at.

    Attributes:
        encoder: Of the encoder, after every chunk.
        joiner: Of the joiner, after every encoder frame.
    """

    encoder: tuple[str, ...] = ()
    joiner: tuple[str, ...] = ()


class Transducer:
    """A transducer's three nets.

    Args:
        encoder: The encoder, loaded.
        decoder: The decoder: ``CONTEXT`` tokens as int32 to ``in0``, a vector from ``out0``.
        joiner: The joiner: an encoder frame to ``in0``, the decoder's vector to ``in1``; logits from
            ``out0``.
        streaming: How the encoder is run.
        compat: Do as sherpa-ncnn's generate-int8-scale-table: it keeps the joiner's blobs for all frames of
            a chunk, only its inputs change, and it keeps the token ``UNKNOWN``.
    """

    def __init__(
        self,
        encoder: Session,
        decoder: Session,
        joiner: Session,
        streaming: Streaming,
        *,
        compat: bool = False,
    ) -> None:
        self.encoder, self.decoder, self.joiner = encoder, decoder, joiner
        self.streaming = streaming
        self.compat = compat
        self._passed_over = {BLANK} if compat else {BLANK, UNKNOWN}

    def search(
        self, features: NDArray[np.float32], wanted: Wanted | None = None, see: See | None = None
    ) -> list[int]:
        """Greedy search over an utterance.

        Args:
            features: The frames, a row each. What is left behind the last whole segment is not used.
            wanted: Blobs to look at.
            see: Is told of them.

        Returns:
            The tokens that were found.
        """
        wanted = wanted or Wanted()
        tokens = [BLANK] * CONTEXT
        heard = self._decode(tokens)
        states = {name: np.zeros(shape, np.float32) for name, shape in self.streaming.states.items()}
        for start in range(0, len(features) - self.streaming.segment + 1, self.streaming.offset):
            frames, states = self._encode(
                features[start : start + self.streaming.segment], states, wanted, see
            )
            joining = self.joiner.start({})
            for frame in frames:
                if not self.compat:
                    joining = self.joiner.start({})
                joining.feed({"in0": frame, "in1": heard})
                logits = joining.fetch(["out0"])["out0"]
                _tell(see, "joiner", joining.fetch(wanted.joiner))
                token = int(np.argmax(logits))
                if token not in self._passed_over:
                    tokens.append(token)
                    heard = self._decode(tokens)
        return tokens[CONTEXT:]

    def close(self) -> None:
        """Frees the nets."""
        for net in (self.encoder, self.decoder, self.joiner):
            net.close()

    def _encode(
        self,
        features: NDArray[np.float32],
        states: dict[str, NDArray[np.float32]],
        wanted: Wanted,
        see: See | None,
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """The encoder's frames of a chunk, and the states for the next one."""
        how = self.streaming
        inputs = {how.features: features, **states}
        if how.length is not None:
            inputs[how.length] = np.array([len(features)], np.float32)
        running = self.encoder.start(inputs)
        found = running.fetch([how.output, *how.feeds.values()])
        _tell(see, "encoder", running.fetch(wanted.encoder))
        output = found[how.output]
        # some states come out with an axis of 1 more than they go in
        following = {name: found[how.feeds[name]].reshape(state.shape) for name, state in states.items()}
        return output.reshape(-1, output.shape[-1]), following

    def _decode(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        context = np.array(tokens[-CONTEXT:], np.int32)
        return self.decoder.run({"in0": context}, ["out0"])["out0"].reshape(-1)


def _tell(see: See | None, net: str, found: dict[str, NDArray[Any]]) -> None:
    if see is not None:
        for name, numbers in found.items():
            see(net, name, numbers)
