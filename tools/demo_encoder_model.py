"""The torch module behind the demo encoder: a small streaming encoder in the shape of a ConvEmformer.

It keeps the contract that sherpa-ncnn has with an icefall ConvEmformer: one segment of features and four
states a layer go in, the encoder frames of one chunk and the new states come out. The weights are random; the
encoder shows tools at work, it recognises nothing.

The module is written in idioms that pnnx 20261020 converts rightly:

* Tensors have no batch axis (`(frames, dim)`), as sherpa-ncnn feeds them. A batch axis of 1 is there only
  around the convolutions and gone before a state is met: where the two mix, pnnx takes the first axis of a
  state for the batch, and concatenates, crops or reshapes along the wrong one.
* `reshape` gets plain numbers, so that no shape arithmetic enters the graph.
* The activation is `x * sigmoid(x - 1)`, icefall's own. SiLU would become `Swish`, a layer that sherpa-ncnn's
  build of ncnn leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FEATURE_DIM = 80
"""Mel bins of one feature frame."""

SUBSAMPLING = 4
"""Feature frames per encoder frame; two convolutions of stride 2."""

EMBED_CHANNELS = (4, 8, 8)
"""Output channels of the three convolutions in front of the encoder."""

EMBED_BINS = ((FEATURE_DIM - 1) // 2 - 1) // 2
"""Mel bins that are left after the two convolutions of stride 2, kernel 3, no padding."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the encoder under icefall's flag names.

    Context and chunk lengths count feature frames (10 ms), memory counts vectors, the rest counts channels.
    """

    num_encoder_layers: int = 2
    memory_size: int = 16
    cnn_module_kernel: int = 15
    left_context_length: int = 32
    chunk_length: int = 32
    right_context_length: int = 8
    encoder_dim: int = 48
    nhead: int = 4
    dim_feedforward: int = 64

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

    @property
    def input_shapes(self) -> list[tuple[int, int]]:
        """Shapes of in0, in1, ...: features, then each layer's memory, key, value and convolution cache."""
        state = [
            (self.memory_size, self.encoder_dim),
            (self.left, self.encoder_dim),
            (self.left, self.encoder_dim),
            (self.encoder_dim, self.cnn_module_kernel - 1),
        ]
        return [(self.segment, FEATURE_DIM), *state * self.num_encoder_layers]


def double_swish(x: Tensor) -> Tensor:
    """Return `x * sigmoid(x - 1)`, element by element."""
    return x * torch.sigmoid(x - 1.0)


def basic_norm(x: Tensor) -> Tensor:
    """Scale each frame of `x` (frames, dim) to a root mean square of about 1."""
    return x * (torch.mean(x * x, dim=1, keepdim=True) + 0.25) ** -0.5


class Subsampling(nn.Module):
    """Features (segment, FEATURE_DIM) to embeddings (chunk + right context + 2, encoder_dim)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, second, third = EMBED_CHANNELS
        self.frames = sizes.chunk + sizes.right + 2
        self.conv1 = nn.Conv2d(1, first, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(first, second, kernel_size=3, stride=2)
        self.conv3 = nn.Conv2d(second, third, kernel_size=3, stride=2)
        self.out = nn.Linear(third * EMBED_BINS, sizes.encoder_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Return the embeddings of one segment."""
        x = features.unsqueeze(0).unsqueeze(0)
        x = double_swish(self.conv1(x))
        x = double_swish(self.conv2(x))
        x = double_swish(self.conv3(x))
        x = x.permute(0, 2, 1, 3).reshape(self.frames, EMBED_CHANNELS[-1] * EMBED_BINS)
        return basic_norm(self.out(x))


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, on (frames, encoder_dim)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.expand = nn.Linear(sizes.encoder_dim, sizes.dim_feedforward)
        self.contract = nn.Linear(sizes.dim_feedforward, sizes.encoder_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is to be added to `x`."""
        contracted: Tensor = self.contract(double_swish(self.expand(x)))
        return contracted


class Attention(nn.Module):
    """Multi-head attention of right context and chunk to memory, right context, left context and chunk."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.head_dim = sizes.encoder_dim // sizes.nhead
        self.query = nn.Linear(sizes.encoder_dim, sizes.encoder_dim)
        self.key_value = nn.Linear(sizes.encoder_dim, 2 * sizes.encoder_dim)
        self.out = nn.Linear(sizes.encoder_dim, sizes.encoder_dim)

    def heads(self, x: Tensor, frames: int) -> Tensor:
        """Return `x` (frames, encoder_dim) as (nhead, frames, head_dim)."""
        return x.reshape(frames, self.sizes.nhead, self.head_dim).permute(1, 0, 2)

    def forward(
        self, x: Tensor, memory: Tensor, left_key: Tensor, left_value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from `x` (right + chunk, encoder_dim), its right context first.

        Returns:
            What is to be added to `x`, and the key and value of the new left context.
        """
        sizes = self.sizes
        ahead = sizes.memory_size + sizes.right  # frames that stand before the left context
        key, value = torch.chunk(self.key_value(torch.cat([memory, x])), 2, dim=1)
        key = torch.cat([key[:ahead], left_key, key[ahead:]])
        value = torch.cat([value[:ahead], left_value, value[ahead:]])

        asking = sizes.right + sizes.chunk
        asked = ahead + sizes.left + sizes.chunk
        scores = torch.matmul(
            self.heads(self.query(x), asking) * self.head_dim**-0.5,
            self.heads(key, asked).transpose(1, 2),
        )
        attended = torch.matmul(torch.softmax(scores, dim=2), self.heads(value, asked))
        attended = attended.permute(1, 0, 2).reshape(asking, sizes.encoder_dim)
        return self.out(attended), key[-sizes.left :], value[-sizes.left :]


class Convolution(nn.Module):
    """Gated causal convolution along time, with the last frames of the chunk before as its padding."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.encoder_dim
        self.chunk = sizes.chunk
        self.right = sizes.right
        self.kernel = sizes.cnn_module_kernel
        self.gate = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel_size=self.kernel, groups=dim)
        self.pointwise = nn.Conv1d(dim, dim, kernel_size=1)

    def forward(self, x: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve `x` (right + chunk, encoder_dim), its right context first.

        Returns:
            What is to be added to `x`, and the new cache.
        """
        ordered = torch.cat([x[self.right :], x[: self.right]])
        gated = nn.functional.glu(self.gate(ordered), dim=1).transpose(0, 1)
        padded = torch.cat([cache, gated], dim=1)
        # The right context comes again with the next chunk, so the cache ends where the chunk ends.
        new_cache = padded[:, -(self.kernel - 1 + self.right) : -self.right]
        convolved = self.pointwise(double_swish(self.depthwise(padded.unsqueeze(0))))
        convolved = convolved.squeeze(0).transpose(0, 1)
        return torch.cat([convolved[self.chunk :], convolved[: self.chunk]]), new_cache


class Layer(nn.Module):
    """Feed-forward, attention, convolution, feed-forward, each added to what came in; then a norm."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.right = sizes.right
        self.macaron = FeedForward(sizes)
        self.attention = Attention(sizes)
        self.convolution = Convolution(sizes)
        self.feed_forward = FeedForward(sizes)

    def forward(
        self, x: Tensor, memory: Tensor, key: Tensor, value: Tensor, cache: Tensor
    ) -> tuple[Tensor, ...]:
        """Return the new `x` (right + chunk, encoder_dim) and the new states, in the order of the inputs."""
        x = x + self.macaron(x)
        # The memory is a queue of what past chunks were like: each chunk adds its mean and drops the oldest.
        summary = torch.mean(x[self.right :], dim=0, keepdim=True)
        new_memory = torch.cat([memory, summary])[1:]
        attended, key, value = self.attention(x, memory, key, value)
        x = x + attended
        convolved, cache = self.convolution(x, cache)
        x = x + convolved
        x = x + self.feed_forward(x)
        return basic_norm(x), new_memory, key, value, cache


class DemoEncoder(nn.Module):
    """The whole encoder; `forward` takes and returns tensors in the order of the ncnn blobs."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.chunk = sizes.chunk
        self.right = sizes.right
        self.embed = Subsampling(sizes)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.num_encoder_layers))

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Encode one segment.

        Args:
            features: in0, (segment, FEATURE_DIM).
            states: in1, in2, ...; shapes as in `Sizes.input_shapes`.

        Returns:
            out0, the encoder frames (chunk, encoder_dim), and out1, out2, ..., the new states.
        """
        embedded = self.embed(features)[1:-1]
        x = torch.cat([embedded[self.chunk :], embedded[: self.chunk]])
        new_states: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            x, *states_of_layer = layer(x, *states[4 * index : 4 * index + 4])
            new_states += states_of_layer
        return x[self.right :], *new_states


def make_encoder(sizes: Sizes, seed: int) -> DemoEncoder:
    """Return an encoder with random weights, the same for the same seed.

    Weights are drawn so that every branch has about the variance of its input, then rounded to float16
    numbers, subnormal ones to 0, as pnnx does: so torch computes with the very weights that ncnn reads.
    """
    encoder = DemoEncoder(sizes).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in encoder.parameters():
            # A bias has one axis; a weight's first axis is the output, the others feed one output value.
            deviation = 0.1 if parameter.dim() == 1 else parameter[0].numel() ** -0.5
            drawn = torch.randn(parameter.shape, generator=generator) * deviation
            drawn[drawn.abs() < torch.finfo(torch.float16).smallest_normal] = 0.0
            parameter.copy_(drawn.half().float())
    return encoder
