"""What both encoders are made of.

The modules are written in idioms that pnnx 20261020 converts rightly: no batch axis but the one that a
convolution needs, and no shape arithmetic.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURE_DIM = 80
"""Mel bins of a feature frame."""

EMBED_CHANNELS = (4, 16, 16)
"""Output channels of the convolutions in front of an encoder."""

EMBED_BINS = ((FEATURE_DIM - 1) // 2 - 1) // 2
"""Mel bins that are left after two convolutions of stride 2, kernel 3, no padding."""

FEATURE_MEAN, FEATURE_DEVIATION = -8.0, 5.0
"""About the mean and the standard deviation of log mel features of speech between -1 and 1."""


def double_swish(x: Tensor) -> Tensor:
    """`x * sigmoid(x - 1)`, element by element.

    It is icefall's activation; SiLU would become `Swish`, which sherpa-ncnn's build of ncnn leaves out.
    """
    return x * torch.sigmoid(x - 1.0)


def basic_norm(x: Tensor) -> Tensor:
    """`x` (..., dim) with each frame scaled to a root mean square of about 1."""
    return x * (torch.mean(x * x, dim=-1, keepdim=True) + 0.25) ** -0.5


class Subsampling(nn.Module):
    """Features to embeddings, one for every four frames.

    Args:
        dim: Size of an embedding.
        padding: Frames of zeros that the first convolution adds at the start and at the end.
    """

    def __init__(self, dim: int, padding: int) -> None:
        super().__init__()
        first, second, third = EMBED_CHANNELS
        self.conv1 = nn.Conv2d(1, first, kernel_size=3, padding=(padding, 1))
        self.conv2 = nn.Conv2d(first, second, kernel_size=3, stride=2)
        self.conv3 = nn.Conv2d(second, third, kernel_size=3, stride=2)
        self.out = nn.Linear(third * EMBED_BINS, dim)
        for module in (self.conv1, self.conv2, self.conv3, self.out):
            # PyTorch's default would shrink the features at each step, to next to nothing.
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings (frames of them, dim) of features (frames, FEATURE_DIM)."""
        x = (features - FEATURE_MEAN) * (1 / FEATURE_DEVIATION)
        x = x.unsqueeze(0).unsqueeze(0)
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.conv3(x))
        x = x.permute(0, 2, 1, 3).reshape(-1, EMBED_CHANNELS[-1] * EMBED_BINS)
        return basic_norm(self.out(x))


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, on (..., dim)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(dim, hidden)
        self.contract = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """What is to be added to `x`."""
        contracted: Tensor = self.contract(double_swish(self.expand(x)))
        return contracted
