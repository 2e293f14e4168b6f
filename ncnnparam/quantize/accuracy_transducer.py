"""Two streaming transducers side by side: the same chunk, then the same frame, through both.

Each has its own states and its own hypothesis, as in use. Decoder and joiner are compared as long as both
hypotheses of an utterance are the same; afterwards they would be asked different questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ncnnparam.errors import BadItemError, ConfigError
from ncnnparam.model import load
from ncnnparam.quantize.accuracy import Accuracy, Comparison, run_item
from ncnnparam.quantize.accuracy_text import Utterance
from ncnnparam.quantize.calibrate import prepare_transducer
from ncnnparam.quantize.data import Item
from ncnnparam.runtime.session import Run, Session
from ncnnparam.speech.features import fbank
from ncnnparam.speech.streaming import Streaming, streaming
from ncnnparam.speech.transducer import BLANK, CONTEXT, UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph
    from ncnnparam.quantize.runners import Pair


class Files(NamedTuple):
    """The files of a transducer."""

    encoder: Pair
    decoder: Pair
    joiner: Pair


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

    files: Files
    graphs: dict[str, Graph]
    types: tuple[str, ...]
    how: Streaming


def prepare(files: Files) -> PreparedTransducer:
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
            utterances.append(Utterance(item.name, one.text, two.text))
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
        files, self._how = prepared.files, prepared.how
        self.nets = {
            "encoder": Session(*files.encoder, prepared.types),
            "decoder": Session(*files.decoder),
            "joiner": Session(*files.joiner),
        }
        self.tokens: list[int] = []

    @property
    def text(self) -> tuple[int, ...]:
        return tuple(self.tokens[CONTEXT:])

    def begin(self) -> Run:
        """Forgets the last utterance."""
        self.tokens = [BLANK] * CONTEXT
        self._states = {name: np.zeros(shape, np.float32) for name, shape in self._how.states.items()}
        return self.decode()

    def encode(self, features: NDArray[np.float32]) -> Run:
        """Feeds a chunk to the encoder."""
        inputs: dict[str, NDArray[Any]] = {self._how.features: features, **self._states}
        if self._how.length is not None:
            inputs[self._how.length] = np.array([len(features)], np.float32)
        return self.nets["encoder"].start(inputs)

    def frames(self, run: Run) -> NDArray[np.float32]:
        """The encoder's frames of a chunk; keeps the states for the next one."""
        found = run.fetch([self._how.output, *self._how.feeds.values()])
        self._states = {
            name: found[self._how.feeds[name]].reshape(state.shape) for name, state in self._states.items()
        }
        output = found[self._how.output]
        return output.reshape(-1, output.shape[-1])

    def decode(self) -> Run:
        """Feeds the last tokens to the decoder."""
        run = self.nets["decoder"].start({"in0": np.array(self.tokens[-CONTEXT:], np.int32)})
        self._heard = run.fetch(["out0"])["out0"].reshape(-1)
        return run

    def join(self, frame: NDArray[np.float32]) -> Run:
        """Feeds a frame to the joiner."""
        return self.nets["joiner"].start({"in0": frame, "in1": self._heard})

    def choose(self, run: Run) -> bool:
        """Takes the likeliest token; returns whether it is one of the text."""
        token = int(np.argmax(run.fetch(["out0"])["out0"]))
        if token in (BLANK, UNKNOWN):
            return False
        self.tokens.append(token)
        return True

    def close(self) -> None:
        for net in self.nets.values():
            net.close()


def _listen(one: _Side, two: _Side, features: NDArray[np.float32], nets: dict[str, Comparison]) -> None:
    """Runs both on an utterance, chunk by chunk and frame by frame."""
    sides = (one, two)
    nets["decoder"].add(*(side.begin() for side in sides))
    how = one._how
    for start in range(0, len(features) - how.segment + 1, how.offset):
        runs = [side.encode(features[start : start + how.segment]) for side in sides]
        nets["encoder"].add(*runs)
        frames = [side.frames(run) for side, run in zip(sides, runs, strict=True)]
        for pair in zip(*frames, strict=True):
            together = one.tokens == two.tokens
            joined = [side.join(frame) for side, frame in zip(sides, pair, strict=True)]
            if together:
                nets["joiner"].add(*joined)
            heard = [side.choose(run) for side, run in zip(sides, joined, strict=True)]
            decoded = [side.decode() for side, new in zip(sides, heard, strict=True) if new]
            if together and len(decoded) == len(sides) and one.tokens == two.tokens:
                nets["decoder"].add(*decoded)
