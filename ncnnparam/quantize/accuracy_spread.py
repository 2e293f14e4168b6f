"""The runs of a net that an item stands for: one, or one for each chunk or frame of a wav."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ncnnparam.quantize.data import Inputs
from ncnnparam.runtime.session import Run, Session
from ncnnparam.speech.features import fbank
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.stream import Stream
from ncnnparam.speech.streaming import Streaming, chunks
from ncnnparam.speech.transducer import Transducer

Spread: TypeAlias = Callable[[Session, Inputs], Iterator[Inputs]]
"""``spread(net, item)`` gives the inputs of each run of a net."""


def at_once(net: Session, item: Inputs) -> Iterator[Inputs]:
    """One run, with the item as it is."""
    yield item


def by_chunks(how: Streaming) -> Spread:
    """The runs of a streaming encoder over the samples of a wav, each with the states of the one before."""

    def spread(net: Session, item: Inputs) -> Iterator[Inputs]:
        states = how.zeros()
        for features in chunks(fbank(item["samples"]), how):
            inputs = how.inputs(features, states)
            yield inputs
            states = how.following(net.run(inputs, how.feeds.values()))

    return spread


def by_frames(encoder: Session, decoder: Session, how: Streaming) -> Spread:
    """The runs of a joiner over the samples of a wav: one for each frame of the encoder."""

    def spread(net: Session, item: Inputs) -> Iterator[Inputs]:
        fed: list[Inputs] = []

        def watch(name: str, run: Run) -> None:
            if name == "joiner":
                fed.append(run.fetch(("in0", "in1")))

        transducer = Transducer(encoder, decoder, net, how, watch)
        stream = Stream(transducer, Greedy(transducer))
        stream.accept(item["samples"])
        stream.finish()
        yield from fed

    return spread
