"""The transducer loss, for search that takes at most one token of a frame.

A path through the lattice (frames x tokens said so far) goes on by one frame with each step: with a blank, or
with the next token. That is what sherpa-ncnn's search does, and it makes all of a frame one step: the loop is
over frames, everything else is vectorised. The loss is minus the logarithm of the probability of all paths.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLANK = 0


def transducer_loss(logits: Tensor, tokens: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
    """The loss of each utterance of a batch.

    Args:
        logits: (batch, T, U + 1, vocabulary): what the joiner says in each frame after each number of tokens.
        tokens: (batch, U): what was said, padded with anything that is a token.
        frames: (batch,): how many of the T frames count.
        lengths: (batch,): how many of the U tokens count.

    Returns:
        (batch,).

    Raises:
        ValueError: An utterance has more tokens than frames.
    """
    if bool((lengths > frames).any()):
        raise ValueError("an utterance has more tokens than frames: no path leads through it")
    total = logits.logsumexp(dim=3)
    blank = logits[..., BLANK] - total
    index = tokens[:, None, :, None].expand(-1, logits.shape[1], -1, -1)
    label = logits[:, :, :-1].gather(3, index).squeeze(3) - total[:, :, :-1]
    loss: Tensor = Lattice.apply(blank, label, frames, lengths)
    return loss


class Lattice(torch.autograd.Function):
    """Minus the log probability of all paths; the gradient is the share of the paths over each step."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        blank: Tensor,
        label: Tensor,
        frames: Tensor,
        lengths: Tensor,
    ) -> Tensor:
        """Sum over the paths.

        Args:
            ctx: Keeps what `backward` needs.
            blank: (batch, T, U + 1), log probabilities of the blank.
            label: (batch, T, U), of the next token.
            frames: (batch,), as for `transducer_loss`.
            lengths: (batch,), likewise.
        """
        # Behind the last frame of an utterance a blank is free and nothing else is possible.
        over = torch.arange(blank.shape[1]) >= frames[:, None]
        blank = blank.masked_fill(over[..., None], 0.0)
        label = label.masked_fill(over[..., None], -torch.inf)
        ahead = _forwards(blank, label)
        log_probability = ahead[:, -1].gather(1, lengths[:, None])
        ctx.save_for_backward(blank, label, over, ahead, log_probability, lengths)
        return -log_probability.squeeze(1)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        """Gradients of `blank` and `label`."""
        blank, label, over, ahead, log_probability, lengths = ctx.saved_tensors
        behind = _backwards(blank, label, lengths)
        here = ahead[:, :-1] - log_probability[..., None]
        scale = -gradients[0][:, None, None]
        by_blank = (here + blank + behind[:, 1:]).exp().masked_fill(over[..., None], 0.0)
        by_label = (here[..., :-1] + label + behind[:, 1:, 1:]).exp()
        return scale * by_blank, scale * by_label, None, None


def _forwards(blank: Tensor, label: Tensor) -> Tensor:
    """(batch, T + 1, U + 1): log probability of all ways from the start to each place."""
    batch, steps, width = blank.shape
    ways = blank.new_full((batch, steps + 1, width), -torch.inf)
    ways[:, 0, 0] = 0.0
    for step in range(steps):
        ways[:, step + 1] = ways[:, step] + blank[:, step]
        said = ways[:, step, :-1] + label[:, step]
        ways[:, step + 1, 1:] = torch.logaddexp(ways[:, step + 1, 1:], said)
    return ways


def _backwards(blank: Tensor, label: Tensor, lengths: Tensor) -> Tensor:
    """(batch, T + 1, U + 1): log probability of all ways from each place to the end."""
    batch, steps, width = blank.shape
    ways = blank.new_full((batch, steps + 1, width), -torch.inf)
    ways[:, -1].scatter_(1, lengths[:, None], 0.0)
    for step in range(steps - 1, -1, -1):
        ways[:, step] = ways[:, step + 1] + blank[:, step]
        said = ways[:, step + 1, 1:] + label[:, step]
        ways[:, step, :-1] = torch.logaddexp(ways[:, step, :-1], said)
    return ways
