"""How sherpa-ncnn feeds an encoder chunk by chunk: segment, step and states, from the metadata.

As in ``csrc/{conv-emformer,lstm,zipformer}-model.{h,cc}`` of k2-fsa/sherpa-ncnn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ncnnparam.errors import MetadataError
from ncnnparam.speech.flags import SUBSAMPLING
from ncnnparam.speech.inject import metadata_layers
from ncnnparam.speech.metadata import ConvEmformer, Lstm, Metadata, Zipformer, from_layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ncnnparam.graph import Graph

Shape: TypeAlias = tuple[int, ...]
States: TypeAlias = "dict[str, NDArray[np.float32]]"
"""What an encoder keeps from one run to the next, by input blob."""
_Value = TypeVar("_Value")

SAMPLE_RATE = 16_000
"""Samples a second of the audio that all these models read."""
FEATURES = 80
"""Mel bins of a feature frame."""
_CONV_EMFORMER_PAD = 11
"""Feature frames that a ConvEmformer's subsampling needs beyond the chunk and its right context."""


@dataclass(frozen=True)
class Streaming:
    """How an encoder is run over an utterance.

    Attributes:
        segment: Feature frames that a run takes.
        offset: Feature frames from one run to the next.
        states: Shape of each state by the name of its input blob, as numpy orders sizes. All begin as zeros.
        batch_axes: Where icefall's own module has a batch axis in each state; ncnn has none.
        feeds: Which output a state is fed from in the next run: input blob -> output blob.
        length: The input that takes the number of feature frames, or None.
        features: The input that takes the features, ``segment`` rows of 80.
        output: The output with the encoder's frames, a row each.
        behind: Feature frames that must be there behind a segment before it is run. sherpa-ncnn's recogniser
            wants one, which it does not look at; its generate-int8-scale-table wants none.
    """

    segment: int
    offset: int
    states: Mapping[str, Shape]
    batch_axes: Mapping[str, int]
    feeds: Mapping[str, str] = field(init=False)
    length: str | None = None
    features: str = "in0"
    output: str = "out0"
    behind: int = 1

    def __post_init__(self) -> None:
        feeds = {name: name.replace("in", "out") for name in self.states}
        object.__setattr__(self, "feeds", feeds)

    def zeros(self) -> States:
        """The states at the begin of an utterance."""
        return {name: np.zeros(shape, np.float32) for name, shape in self.states.items()}

    def ready(self, start: int, frames: int) -> bool:
        """Whether the segment from a feature frame on can be run when there are so many frames."""
        return start + self.segment + self.behind <= frames

    def inputs(self, features: NDArray[np.float32], states: States) -> dict[str, NDArray[Any]]:
        """What a run of the encoder is fed, by blob."""
        inputs: dict[str, NDArray[Any]] = {self.features: features, **states}
        if self.length is not None:
            inputs[self.length] = np.array([len(features)], np.float32)
        return inputs

    def following(self, outputs: Mapping[str, NDArray[Any]]) -> States:
        """The states for the next run, from the outputs of this one."""
        # some come out with an axis of 1 more than they go in
        return {name: outputs[self.feeds[name]].reshape(shape) for name, shape in self.states.items()}


def chunks(features: NDArray[np.float32], how: Streaming) -> Iterator[NDArray[np.float32]]:
    """The segments of a whole utterance; what is left behind the last one is not used."""
    start = 0
    while how.ready(start, len(features)):
        yield features[start : start + how.segment]
        start += how.offset


def shortest(how: Streaming) -> int:
    """The fewest samples that make an encoder run: a feature frame for every 10 ms."""
    return (how.segment + how.behind) * SAMPLE_RATE // 100


@singledispatch
def streaming(metadata: Metadata) -> Streaming:
    """How the encoder that has this metadata is run."""
    raise MetadataError(f"nobody knows how {metadata.kind.name} encoders are run")


@streaming.register
def _(metadata: ConvEmformer) -> Streaming:
    left = metadata.left_context_length // SUBSAMPLING
    layer = [
        (metadata.memory_size, metadata.encoder_dim),
        (left, metadata.encoder_dim),
        (left, metadata.encoder_dim),
        (metadata.encoder_dim, metadata.cnn_module_kernel - 1),
    ]
    return Streaming(
        segment=metadata.chunk_length + metadata.right_context_length + _CONV_EMFORMER_PAD,
        offset=metadata.chunk_length,
        states=_numbered(layer * metadata.num_encoder_layers),
        batch_axes=_numbered([1, 1, 1, 0] * metadata.num_encoder_layers),
    )


@streaming.register
def _(metadata: Lstm) -> Streaming:
    layers = metadata.num_encoder_layers
    return Streaming(
        segment=9,
        offset=4,
        states={"in2": (layers, metadata.encoder_dim), "in3": (layers, metadata.rnn_hidden_size)},
        batch_axes={"in2": 1, "in3": 1},
        length="in1",
    )


@streaming.register
def _(metadata: Zipformer) -> Streaming:
    left = metadata.decode_chunk_len // 2 * metadata.num_left_chunks
    stacks = list(
        zip(
            metadata.num_encoder_layers,
            metadata.encoder_dims,
            metadata.attention_dims,
            metadata.zipformer_downsampling_factors,
            metadata.cnn_module_kernels,
            strict=True,
        )
    )
    states: list[Shape] = [(layers,) for layers, *_ in stacks]
    states += [(layers, dim) for layers, dim, *_ in stacks]
    states += [(layers, left // factor, keys) for layers, _, keys, factor, _ in stacks]
    states += [(layers, left // factor, keys // 2) for layers, _, keys, factor, _ in stacks] * 2
    states += [(layers, dim, kernel - 1) for layers, dim, _, _, kernel in stacks] * 2
    return Streaming(
        segment=metadata.decode_chunk_len + metadata.pad_length,
        offset=metadata.decode_chunk_len,
        states=_numbered(states),
        batch_axes=_numbered([1] * 2 * len(stacks) + [2] * 3 * len(stacks) + [1] * 2 * len(stacks)),
    )


def fed_shapes(graph: Graph) -> dict[str, Shape]:
    """What sherpa-ncnn feeds an encoder that carries its metadata: the shape of each input, by blob name.

    Empty for any other graph, and for one whose metadata cannot be read.
    """
    layers = metadata_layers(graph)
    try:
        how = streaming(from_layer(layers[0])) if len(layers) == 1 else None
    except MetadataError:
        how = None
    if how is None:
        return {}
    shapes = {how.features: (how.segment, FEATURES), **how.states}
    if how.length is not None:
        shapes[how.length] = (1,)
    return {blob.name: shapes[blob.name] for blob in graph.inputs if blob.name in shapes}


def _numbered(values: Sequence[_Value]) -> dict[str, _Value]:
    """Something for each of the states' inputs: ``in1`` and so on."""
    return {f"in{number}": value for number, value in enumerate(values, 1)}
