"""Two streaming transducers side by side: the same chunk, then the same frame, through both.

Each has its own states and its own hypothesis, as in use. Decoder and joiner are compared as long as both
hypotheses of an utterance are the same; afterwards they would be asked different questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.model import load
from ncnnparam.quantize.accuracy import Accuracy, Comparison, run_item
from ncnnparam.quantize.calibrate import prepare_transducer
from ncnnparam.quantize.data import Item
from ncnnparam.runtime.session import Run, Session
from ncnnparam.speech.error_rate import ErrorRate, error_rate
from ncnnparam.speech.features import fbank
from ncnnparam.speech.files import NetFiles
from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.streaming import Streaming, chunks, streaming
from ncnnparam.speech.transducer import Transducer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph


@dataclass(frozen=True)
class Utterance:
    """What two models heard in a wav.

    Attributes:
        name: The wav.
        first: The first model's tokens.
        second: The second model's tokens.
    """

    name: str
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(frozen=True)
class TransducerAccuracy:
    """How far a transducer is from another one.

    Attributes:
        nets: Of ``encoder``, ``decoder`` and ``joiner``.
        utterances: What both heard.
    """

    nets: dict[str, Accuracy]
    utterances: tuple[Utterance, ...]

    @property
    def same_texts(self) -> bool:
        """Both heard the same in all utterances."""
        return all(one.first == one.second for one in self.utterances)

    @property
    def token_errors(self) -> ErrorRate:
        """How many of the first model's tokens the second one has otherwise."""
        return error_rate((one.first, one.second) for one in self.utterances)

    @property
    def sqnr(self) -> float:
        """The lowest SQNR of an output of the encoder, states among them, in dB."""
        return self.nets["encoder"].sqnr


@dataclass(frozen=True)
class PreparedTransducer:
    """A transducer that can be loaded.

    Attributes:
        files: Its files.
        graphs: Of ``encoder``, ``decoder`` and ``joiner``.
        types: Custom types of the encoder.
        how: How its encoder is run.
    """

    files: NetFiles
    graphs: dict[str, Graph]
    types: tuple[str, ...]
    how: Streaming


def prepare(files: NetFiles) -> PreparedTransducer:
    """Reads a transducer and makes sure that ncnn can load it.

    Raises:
        MetadataError: The encoder has no metadata.
        NcnnParamError: Some files do not fit each other, or ncnn cannot load them.
    """
    runner, encoder, joiner = prepare_transducer(*files, lower=False)
    graphs = {"encoder": encoder.graph, "decoder": load(*files.decoder).graph, "joiner": joiner.graph}
    return PreparedTransducer(files, graphs, runner.types, streaming(runner.metadata))


def compare_transducers(
    first: PreparedTransducer,
    second: PreparedTransducer,
    items: Iterable[Item],
    *,
    advance: Callable[[int], None] | None = None,
) -> TransducerAccuracy:
    """Runs two transducers on the same wavs and compares blobs and texts.

    Args:
        first: The one that is right.
        second: The other.
        items: Wavs; see ``wav_items``.
        advance: Is called after each item with 1.

    Raises:
        BadItemError: There is no item, or one cannot be run.
        ConfigError: The encoders take other chunks, or the nets have other inputs.
    """
    require_same_chunks(first.how, second.how)
    one, two = _Side(first), _Side(second)
    try:
        comparisons = {
            name: Comparison(first.graphs[name], second.graphs[name], two.nets[name]) for name in two.nets
        }
        utterances: list[Utterance] = []
        for item in items:
            run_item(item, lambda inputs: _listen(one, two, fbank(inputs["samples"]), comparisons))
            utterances.append(Utterance(item.name, one.tokens, two.tokens))
            if advance is not None:
                advance(1)
    finally:
        one.close()
        two.close()
    if not utterances:
        raise BadItemError("there is nothing to run the models on")
    nets = {name: comparison.result() for name, comparison in comparisons.items()}
    return TransducerAccuracy(nets, tuple(utterances))


def require_same_chunks(one: Streaming, two: Streaming) -> None:
    """Makes sure that two encoders can run side by side.

    Raises:
        ConfigError: They take chunks of other sizes.
    """
    if (one.segment, one.offset) != (two.segment, two.offset):
        raise ConfigError(
            f"the encoders take other chunks: {one.segment} frames every {one.offset}, and "
            f"{two.segment} every {two.offset}",
            hint="compare models that were exported with the same chunk length",
        )


class _Side:
    """One of the two transducers, at some place of an utterance."""

    def __init__(self, prepared: PreparedTransducer) -> None:
        files = prepared.files
        self.nets = {
            "encoder": Session(*files.encoder, prepared.types),
            "decoder": Session(*files.decoder),
            "joiner": Session(*files.joiner),
        }
        self.how = prepared.how
        self.seen: dict[str, Run] = {}
        self._transducer = Transducer(
            self.nets["encoder"], self.nets["decoder"], self.nets["joiner"], self.how, self.seen.__setitem__
        )

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._search.tokens)

    def begin(self) -> None:
        """Forgets the last utterance."""
        self._states = self.how.zeros()
        self._search = Greedy(self._transducer)

    def encode(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The encoder's frames of a segment."""
        frames, self._states = self._transducer.encode(features, self._states)
        return frames

    def advance(self, frame: NDArray[np.float32]) -> bool:
        """Looks for a token in a frame; returns whether there is one."""
        return self._search.advance(frame)

    def close(self) -> None:
        self.seen.clear()  # runs have to go before their nets
        self._transducer.close()


def _listen(one: _Side, two: _Side, features: NDArray[np.float32], nets: dict[str, Comparison]) -> None:
    """Runs both on an utterance, segment by segment and frame by frame."""
    sides = (one, two)

    def compare(net: str) -> None:
        nets[net].add(*(side.seen[net] for side in sides))

    for side in sides:
        side.begin()
    compare("decoder")
    for segment in chunks(features, one.how):
        frames = [side.encode(segment) for side in sides]
        compare("encoder")
        for pair in zip(*frames, strict=True):
            together = one.tokens == two.tokens
            heard = [side.advance(frame) for side, frame in zip(sides, pair, strict=True)]
            if together:
                compare("joiner")
            if together and all(heard) and one.tokens == two.tokens:
                compare("decoder")
