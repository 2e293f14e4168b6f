"""The runs of a net that an item stands for: one, or one for each chunk of a wav."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ncnnparam.quantize.data import Inputs
from ncnnparam.runtime.session import Session
from ncnnparam.speech.features import fbank
from ncnnparam.speech.streaming import Streaming

if TYPE_CHECKING:
    from numpy.typing import NDArray

Spread: TypeAlias = Callable[[Session, Inputs], Iterator[Inputs]]
"""``spread(net, item)`` gives the inputs of each run of a net."""


def at_once(net: Session, item: Inputs) -> Iterator[Inputs]:
    """One run, with the item as it is."""
    yield item


def by_chunks(how: Streaming) -> Spread:
    """The runs of a streaming encoder over the samples of a wav, each with the states of the one before."""

    def spread(net: Session, item: Inputs) -> Iterator[Inputs]:
        features = fbank(item["samples"])
        states = {name: np.zeros(shape, np.float32) for name, shape in how.states.items()}
        for start in range(0, len(features) - how.segment + 1, how.offset):
            inputs: dict[str, NDArray[Any]] = {how.features: features[start : start + how.segment], **states}
            if how.length is not None:
                inputs[how.length] = np.array([how.segment], np.float32)
            yield inputs
            found = net.run(inputs, how.feeds.values())
            states = {name: found[how.feeds[name]].reshape(state.shape) for name, state in states.items()}

    return spread
