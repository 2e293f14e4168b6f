"""A streaming encoder in the shape of a ConvEmformer, with the contract that sherpa-ncnn has with icefall's.

One segment of features and four states a layer go in, the encoder frames of one chunk and the new states
come out. All states of a layer are queues: what the chunks before have added, the newest last, zeros before
the first. What a chunk adds depends on the layer's input alone. So a whole utterance can be encoded layer by
layer, all its chunks at once (`ConvEmformer.encode`), by the same functions and with the same result as chunk
by chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from demo_transducer.layers import FEATURE_DIM, FeedForward, Subsampling, basic_norm, double_swish

SUBSAMPLING = 4
"""Feature frames per encoder frame."""


@dataclass(frozen=True)
class ConvEmformerSizes:
    """Sizes of the encoder under icefall's flag names.

    Context and chunk lengths count feature frames (10 ms), memory counts vectors, the rest counts channels.
    """

    num_encoder_layers: int = 4
    memory_size: int = 4
    cnn_module_kernel: int = 15
    left_context_length: int = 32
    chunk_length: int = 16
    right_context_length: int = 8
    encoder_dim: int = 96
    nhead: int = 4
    dim_feedforward: int = 128

    @property
    def segment(self) -> int:
        """Feature frames of one call.

        The 11 are 3 that the convolutions consume, and 2 * 4 for the encoder frame dropped at either end.
        """
        return self.chunk_length + self.right_context_length + 3 + 2 * SUBSAMPLING

    @property
    def left(self) -> int:
        """Encoder frames of left context."""
        return self.left_context_length // SUBSAMPLING

    @property
    def chunk(self) -> int:
        """Encoder frames of one chunk."""
        return self.chunk_length // SUBSAMPLING

    @property
    def right(self) -> int:
        """Encoder frames of right context."""
        return self.right_context_length // SUBSAMPLING


class Attention(nn.Module):
    """Multi-head attention of right context and chunk to memory, right context, left context and chunk."""

    def __init__(self, sizes: ConvEmformerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.head_dim = sizes.encoder_dim // sizes.nhead
        self.ahead = sizes.memory_size + sizes.right  # frames that stand before the left context
        self.query = nn.Linear(sizes.encoder_dim, sizes.encoder_dim)
        self.key_value = nn.Linear(sizes.encoder_dim, 2 * sizes.encoder_dim)
        self.out = nn.Linear(sizes.encoder_dim, sizes.encoder_dim)

    def project(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Key and value (memory + right + chunk, encoder_dim) of memory, right context and chunk."""
        key, value = torch.chunk(self.key_value(torch.cat([memory, x])), 2, dim=1)
        return key, value

    def attend(self, x: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What is to be added to `x` (right + chunk, encoder_dim).

        Args:
            x: Right context and chunk.
            key: (memory + right + left + chunk, encoder_dim).
            value: Likewise.
        """
        sizes = self.sizes
        asking, asked = sizes.right + sizes.chunk, self.ahead + sizes.left + sizes.chunk
        scores = torch.matmul(
            self.heads(self.query(x), asking) * self.head_dim**-0.5,
            self.heads(key, asked).transpose(1, 2),
        )
        attended = torch.matmul(torch.softmax(scores, dim=2), self.heads(value, asked))
        attended = attended.permute(1, 0, 2).reshape(asking, sizes.encoder_dim)
        out: Tensor = self.out(attended)
        return out

    def insert(self, x: Tensor, left: Tensor) -> Tensor:
        """`x`, a key or a value, with the left context where it belongs."""
        return torch.cat([x[: self.ahead], left, x[self.ahead :]])

    def heads(self, x: Tensor, frames: int) -> Tensor:
        """`x` (frames, encoder_dim) as (nhead, frames, head_dim)."""
        return x.reshape(frames, self.sizes.nhead, self.head_dim).permute(1, 0, 2)


class Convolution(nn.Module):
    """Gated causal convolution along time, with the last frames of the chunk before as its padding."""

    def __init__(self, sizes: ConvEmformerSizes) -> None:
        super().__init__()
        dim = sizes.encoder_dim
        self.chunk = sizes.chunk
        self.right = sizes.right
        self.gate = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel_size=sizes.cnn_module_kernel, groups=dim)
        self.out = nn.Linear(dim, dim)

    def gated(self, x: Tensor) -> Tensor:
        """`x` (right + chunk, encoder_dim) as (encoder_dim, chunk + right), through the gate."""
        ordered = torch.cat([x[self.right :], x[: self.right]])
        return nn.functional.glu(self.gate(ordered), dim=1).transpose(0, 1)

    def convolve(self, padded: Tensor) -> Tensor:
        """What is to be added to right context and chunk.

        Args:
            padded: (encoder_dim, kernel - 1 + chunk + right): the cache, and what `gated` gave.
        """
        convolved = double_swish(self.depthwise(padded.unsqueeze(0)).squeeze(0).transpose(0, 1))
        return self.out(torch.cat([convolved[self.chunk :], convolved[: self.chunk]]))


class ConvEmformerLayer(nn.Module):
    """Feed-forward, attention, convolution, feed-forward, each added to what came in; then a norm."""

    def __init__(self, sizes: ConvEmformerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.macaron = FeedForward(sizes.encoder_dim, sizes.dim_feedforward)
        self.attention = Attention(sizes)
        self.convolution = Convolution(sizes)
        self.feed_forward = FeedForward(sizes.encoder_dim, sizes.dim_feedforward)

    def forward(
        self, x: Tensor, memory: Tensor, left_key: Tensor, left_value: Tensor, cache: Tensor
    ) -> tuple[Tensor, ...]:
        """The new `x` (right + chunk, encoder_dim) and the new states, in the order of the inputs."""
        sizes, attention, convolution = self.sizes, self.attention, self.convolution
        x = x + self.macaron(x)
        key, value = attention.project(x, memory)
        # The memory is a queue of what past chunks were like: each chunk adds its mean and drops the oldest.
        memory = torch.cat([memory, self.summary(x)])[1:]
        key, value = attention.insert(key, left_key), attention.insert(value, left_value)
        x = x + attention.attend(x, key, value)
        padded = torch.cat([cache, convolution.gated(x)], dim=1)
        # The right context comes again with the next chunk, so the cache ends where the chunk ends.
        cache = padded[:, -(sizes.cnn_module_kernel - 1 + sizes.right) : -sizes.right]
        x = x + convolution.convolve(padded)
        x = x + self.feed_forward(x)
        return basic_norm(x), memory, key[-sizes.left :], value[-sizes.left :], cache

    def encode(self, x: Tensor) -> Tensor:
        """All chunks of whole utterances (batch, chunks, right + chunk, encoder_dim) at once."""
        sizes, attention, convolution = self.sizes, self.attention, self.convolution
        x = x + self.macaron(x)
        memory = _queues(_each(self.summary)(x), sizes.memory_size)
        key, value = _each(attention.project)(x, memory)
        left_key, left_value = (_queues(each[:, :, -sizes.chunk :], sizes.left) for each in (key, value))
        insert = _each(attention.insert)
        x = x + _each(attention.attend)(x, insert(key, left_key), insert(value, left_value))
        gated = _each(convolution.gated)(x)
        cache = _queues(gated[..., : sizes.chunk].transpose(2, 3), sizes.cnn_module_kernel - 1)
        x = x + _each(convolution.convolve)(torch.cat([cache.transpose(2, 3), gated], dim=3))
        return basic_norm(x + self.feed_forward(x))

    def summary(self, x: Tensor) -> Tensor:
        """What a chunk adds to the memory, (1, encoder_dim)."""
        return torch.mean(x[self.sizes.right :], dim=0, keepdim=True)


class ConvEmformer(nn.Module):
    """The whole encoder; `forward` takes and returns tensors in the order of the ncnn blobs."""

    def __init__(self, sizes: ConvEmformerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed = Subsampling(sizes.encoder_dim, padding=1)
        self.layers = nn.ModuleList(ConvEmformerLayer(sizes) for _ in range(sizes.num_encoder_layers))

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Encode one segment.

        Args:
            features: in0, (segment, FEATURE_DIM).
            states: in1, in2, ...; shapes as in `example`.

        Returns:
            out0, the encoder frames (chunk, encoder_dim), and out1, out2, ..., the new states.
        """
        sizes = self.sizes
        # The first and the last embedding have seen the padding.
        embedded = self.embed(features)[1:-1]
        x = torch.cat([embedded[sizes.chunk :], embedded[: sizes.chunk]])
        new_states: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            x, *states_of_layer = layer(x, *states[4 * index : 4 * index + 4])
            new_states += states_of_layer
        return x[sizes.right :], *new_states

    def encode(self, features: Tensor) -> Tensor:
        """All frames (batch, frames, encoder_dim) of utterances (batch, feature frames, FEATURE_DIM)."""
        sizes = self.sizes
        embedded = torch.vmap(self.embed)(features)[:, 1:-1]
        chunks = embedded.unfold(1, sizes.chunk + sizes.right, sizes.chunk).transpose(2, 3)
        x = torch.cat([chunks[:, :, sizes.chunk :], chunks[:, :, : sizes.chunk]], dim=2)
        for layer in self.layers:
            x = layer.encode(x)
        return x[:, :, sizes.right :].flatten(1, 2)

    def frames(self, features: Tensor) -> Tensor:
        """How many frames `encode` gives for so many feature frames, as sherpa-ncnn counts segments."""
        sizes = self.sizes
        return (features - sizes.segment + sizes.chunk_length - 1) // sizes.chunk_length * sizes.chunk

    def example(self) -> tuple[Tensor, ...]:
        """Inputs of the shapes that sherpa-ncnn feeds."""
        sizes = self.sizes
        states = [
            torch.zeros(sizes.memory_size, sizes.encoder_dim),
            torch.zeros(sizes.left, sizes.encoder_dim),
            torch.zeros(sizes.left, sizes.encoder_dim),
            torch.zeros(sizes.encoder_dim, sizes.cnn_module_kernel - 1),
        ]
        return (torch.zeros(sizes.segment, FEATURE_DIM), *states * sizes.num_encoder_layers)


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of one chunk, for (batch, chunks, ...)."""
    return torch.vmap(torch.vmap(function))


def _queues(added: Tensor, size: int) -> Tensor:
    """The queue that each chunk finds, (batch, chunks, size, dim).

    Args:
        added: (batch, chunks, frames, dim): what each chunk adds.
        size: Frames in the queue; zeros at first.
    """
    chunks, frames = added.shape[1:3]
    line = nn.functional.pad(added.flatten(1, 2), (0, 0, size, 0))
    return line.unfold(1, size, frames)[:, :chunks].transpose(2, 3)
