"""A streaming encoder of LSTM layers, with the contract that sherpa-ncnn has with icefall's.

Nine frames of features give one frame of the encoder; any number of frames may be given at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from demo_transducer.layers import FEATURE_DIM, FeedForward, Subsampling, basic_norm

SEGMENT = 9
"""Feature frames of one call."""


@dataclass(frozen=True)
class LstmSizes:
    """Sizes of the encoder under icefall's flag names."""

    num_encoder_layers: int = 3
    encoder_dim: int = 96
    rnn_hidden_size: int = 144
    dim_feedforward: int = 128


class LstmLayer(nn.Module):
    """An LSTM with projection and a feed-forward module, each added to what came in; then a norm."""

    def __init__(self, sizes: LstmSizes) -> None:
        super().__init__()
        self.lstm = nn.LSTM(sizes.encoder_dim, sizes.rnn_hidden_size, proj_size=sizes.encoder_dim)
        self.feed_forward = FeedForward(sizes.encoder_dim, sizes.dim_feedforward)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The new `x`, hidden and cell state.

        Args:
            x: (frames, dim), or (frames, batch, dim).
            hidden: (1, dim), or (1, batch, dim).
            cell: (1, rnn_hidden_size), or (1, batch, rnn_hidden_size).
        """
        heard, (hidden, cell) = self.lstm(x, (hidden, cell))
        x = x + heard
        x = x + self.feed_forward(x)
        return basic_norm(x), hidden, cell


class LstmEncoder(nn.Module):
    """The whole encoder; `forward` takes and returns tensors in the order of the ncnn blobs."""

    def __init__(self, sizes: LstmSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed = Subsampling(sizes.encoder_dim, padding=0)
        self.layers = nn.ModuleList(LstmLayer(sizes) for _ in range(sizes.num_encoder_layers))

    def forward(
        self, features: Tensor, length: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode a segment.

        Args:
            features: in0, (frames, FEATURE_DIM).
            length: in1, (1,): the number of frames, as a float.
            hidden: in2, (layers, encoder_dim).
            cell: in3, (layers, rnn_hidden_size).

        Returns:
            out0, the encoder's frames (frames of them, encoder_dim); out1, their number; out2 and out3, the
            new states.
        """
        x = self.embed(features)
        encoded = torch.floor((length - 3.0) * 0.5)
        encoded = torch.floor((encoded - 1.0) * 0.5)
        hiddens: list[Tensor] = []
        cells: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            x, new_hidden, new_cell = layer(x, hidden[index : index + 1], cell[index : index + 1])
            hiddens.append(new_hidden)
            cells.append(new_cell)
        return x, encoded, torch.cat(hiddens), torch.cat(cells)

    def encode(self, features: Tensor) -> Tensor:
        """All frames (batch, frames, encoder_dim) of utterances (batch, feature frames, FEATURE_DIM).

        The convolutions look at nothing beyond a segment and the LSTM only back, so that this is what
        `forward` gives segment by segment from states of zero.
        """
        x = torch.vmap(self.embed)(features).transpose(0, 1)
        hidden = x.new_zeros(1, x.shape[1], self.sizes.encoder_dim)
        cell = x.new_zeros(1, x.shape[1], self.sizes.rnn_hidden_size)
        for layer in self.layers:
            x, _, _ = layer(x, hidden, cell)
        return x.transpose(0, 1)

    def frames(self, features: Tensor) -> Tensor:
        """How many frames `encode` gives for so many feature frames, as sherpa-ncnn counts segments."""
        return (features - SEGMENT + 3) // 4

    def example(self) -> tuple[Tensor, ...]:
        """Inputs of the shapes that sherpa-ncnn feeds."""
        sizes = self.sizes
        return (
            torch.zeros(SEGMENT, FEATURE_DIM),
            torch.full((1,), float(SEGMENT)),
            torch.zeros(sizes.num_encoder_layers, sizes.encoder_dim),
            torch.zeros(sizes.num_encoder_layers, sizes.rnn_hidden_size),
        )
