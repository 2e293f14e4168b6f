"""A small transducer that can be traced: the demo encoder with one layer, a decoder and a joiner.

``make`` is a factory for ``trace_factory``; ``listed`` and the other ones give the same encoder with other
signatures.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ncnnparam.speech import ConvEmformer
from tools.demo_encoder_model import Sizes, make_encoder

VOCABULARY = 12
CONTEXT = 2
WIDTH = 16
SIZES = Sizes(num_encoder_layers=1, memory_size=4, encoder_dim=WIDTH, dim_feedforward=24, cnn_module_kernel=5)
METADATA = ConvEmformer(
    num_encoder_layers=SIZES.num_encoder_layers,
    memory_size=SIZES.memory_size,
    cnn_module_kernel=SIZES.cnn_module_kernel,
    left_context_length=SIZES.left_context_length,
    chunk_length=SIZES.chunk_length,
    right_context_length=SIZES.right_context_length,
    encoder_dim=SIZES.encoder_dim,
)
BATCH_AXES = (0, 1, 1, 1, 0)
"""Where icefall's ConvEmformer has a batch in its features and in the states of a layer."""


class Decoder(nn.Module):
    """The last tokens to a vector; ``need_pad`` is traced as False."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.conv = nn.Conv1d(WIDTH, WIDTH, CONTEXT, groups=WIDTH)

    def forward(self, tokens: Tensor, need_pad: Tensor) -> Tensor:
        embedded = self.embedding(tokens).permute(0, 2, 1)
        return torch.relu(self.conv(embedded).permute(0, 2, 1))


class Joiner(nn.Module):
    """A frame of the encoder and a vector of the decoder to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, frame: Tensor, decoded: Tensor) -> Tensor:
        return self.output(torch.tanh(frame + decoded))


class Listed(nn.Module):
    """An encoder with batch axes, which takes and gives its states in a list."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, features: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        given = [x.squeeze(axis) for x, axis in zip([features, *states], BATCH_AXES, strict=True)]
        frames, *after = self.encoder(*given)
        batched = [x.unsqueeze(axis) for x, axis in zip(after, BATCH_AXES[1:], strict=True)]
        return frames.unsqueeze(0), batched


class Tupled(nn.Module):
    """An encoder that is told the number of frames and takes its states in a tuple, as LSTM recipes do."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(80, 4)

    def forward(
        self, features: Tensor, length: Tensor, states: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        frames = self.linear(features) + states[0][0]
        return frames, length // 2, (states[0] + frames[:, -1], states[1] * 2)


def transducer(checkpoint: Any = None) -> dict[str, tuple[nn.Module, tuple[Tensor, ...]]]:
    """The modules and examples."""
    torch.manual_seed(0)
    nets = {"encoder": make_encoder(SIZES, 0), "decoder": Decoder(), "joiner": Joiner()}
    if checkpoint is not None:
        for part, weights in checkpoint["model"].items():
            nets[part].load_state_dict(weights)
    examples: dict[str, tuple[Tensor, ...]] = {
        "encoder": tuple(torch.zeros(shape) for shape in SIZES.input_shapes),
        "decoder": (torch.zeros(3, CONTEXT, dtype=torch.int64), torch.tensor([False])),
        "joiner": (torch.zeros(1, WIDTH), torch.zeros(1, WIDTH)),
    }
    return {part: (net, examples[part]) for part, net in nets.items()}


def make(checkpoint: Any) -> dict[str, tuple[nn.Module, tuple[Tensor, ...]]]:
    """The factory."""
    print("building")
    return transducer(checkpoint)


def listed() -> tuple[nn.Module, tuple[Any, ...]]:
    """The same encoder, its states in a list, and an example."""
    features, *states = (
        torch.zeros(shape).unsqueeze(axis) for shape, axis in zip(SIZES.input_shapes, BATCH_AXES, strict=True)
    )
    return Listed(make_encoder(SIZES, 0)), (features, states)
