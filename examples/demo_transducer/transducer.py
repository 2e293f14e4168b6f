"""A transducer: an encoder, a decoder that looks at the last two tokens, and a joiner."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from demo_transducer.conv_emformer import ConvEmformer
from demo_transducer.lstm import LstmEncoder

BLANK, UNKNOWN = 0, 2
"""Tokens that search passes over."""

CONTEXT = 2
"""Tokens that the decoder looks back on."""


class Decoder(nn.Module):
    """The last tokens to a vector: an embedding of each, and a convolution over them."""

    def __init__(self, vocabulary: int, dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dim)
        self.convolution = nn.Conv1d(dim, dim, kernel_size=CONTEXT, groups=dim, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, n - CONTEXT + 1, dim) for tokens (batch, n)."""
        x = self.embedding(tokens).permute(0, 2, 1)
        return torch.relu(self.convolution(x).permute(0, 2, 1))


class Joiner(nn.Module):
    """An encoder's and a decoder's vector to a logit for each token."""

    def __init__(self, dim: int, vocabulary: int) -> None:
        super().__init__()
        self.encoder_projection = nn.Linear(dim, dim)
        self.decoder_projection = nn.Linear(dim, dim)
        self.output = nn.Linear(dim, vocabulary)

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """(..., vocabulary) for vectors (..., dim), broadcast to each other."""
        joined = self.encoder_projection(encoded) + self.decoder_projection(decoded)
        logits: Tensor = self.output(torch.tanh(joined))
        return logits


class Transducer(nn.Module):
    """All three."""

    def __init__(self, encoder: ConvEmformer | LstmEncoder, vocabulary: int) -> None:
        super().__init__()
        dim = encoder.sizes.encoder_dim
        self.encoder = encoder
        self.decoder = Decoder(vocabulary, dim)
        self.joiner = Joiner(dim, vocabulary)

    def join(self, encoded: Tensor, tokens: Tensor) -> Tensor:
        """Logits (batch, frames, U + 1, vocabulary) after each number of tokens.

        Args:
            encoded: (batch, frames, dim), from the encoder.
            tokens: (batch, U): what was said.
        """
        decoded = self.decoder(nn.functional.pad(tokens, (CONTEXT, 0), value=BLANK))
        logits: Tensor = self.joiner(encoded[:, :, None], decoded[:, None])
        return logits

    @torch.no_grad()
    def search(self, encoded: Tensor) -> list[int]:
        """Tokens by greedy search over an utterance's frames (frames, dim), at most one token a frame."""
        tokens = [BLANK] * CONTEXT
        decoded = self.decoder(torch.tensor([tokens]))[0, 0]
        for frame in encoded:
            token = int(self.joiner(frame, decoded).argmax())
            if token not in (BLANK, UNKNOWN):
                tokens.append(token)
                decoded = self.decoder(torch.tensor([tokens[-CONTEXT:]]))[0, 0]
        return tokens[CONTEXT:]
