"""The training of one transducer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from demo_transducer.transducer import Transducer
from torch import Tensor

from demo_training.batches import Batch, batches, mask
from demo_training.corpus import Corpus
from demo_training.loss import transducer_loss
from demo_training.spread import spread


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn.

    Attributes:
        epochs: Times that the whole corpus is seen.
        frames: Feature frames of a batch, at most.
        rate: The highest learning rate; it rises over `warm_up` and falls to 0 at the end, linearly.
        warm_up: Steps.
        decay: Weight decay.
        by_frame: Weight of the losses that need no decoder.
        start: Steps over which the second of these, CTC, takes over from the first; see `spread`.
        seed: Of weights, order and masks.
    """

    epochs: int
    frames: int = 4000
    rate: float = 2e-3
    warm_up: int = 100
    decay: float = 0.01
    by_frame: float = 0.4
    start: int = 200
    seed: int = 1


def train(
    model: Transducer,
    corpus: Corpus,
    tokens: list[Tensor],
    plan: Plan,
    after_epoch: Callable[[int, float], None],
) -> None:
    """Train a model.

    Args:
        model: The model; it is changed.
        corpus: What it hears.
        tokens: What was said in each utterance, int64.
        plan: How.
        after_epoch: Is told the number of each epoch that is over, from 1, and its mean loss for a token.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    kept = [
        index
        for index, said in enumerate(tokens)
        if len(said) <= model.encoder.frames(torch.tensor(len(corpus.features[index])))
    ]
    features, tokens = [corpus.features[index] for index in kept], [tokens[index] for index in kept]
    steps = plan.epochs * sum(1 for _ in batches(features, tokens, plan.frames, generator))
    head = torch.nn.Linear(model.encoder.sizes.encoder_dim, model.joiner.output.out_features)
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, plan.rate, betas=(0.9, 0.98), weight_decay=plan.decay)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: max(1e-3, min((step + 1) / plan.warm_up, 1 - step / steps))
    )
    for epoch in range(1, plan.epochs + 1):
        model.train()
        total = count = 0.0
        # Single words first: what sounds like what is found much sooner in those than in sentences.
        for batch in batches(features, tokens, plan.frames, generator, shortest_first=epoch == 1):
            loss, by_frame, evenly = losses(model, head, mask(batch, generator))
            start = max(0.0, 1 - rates.last_epoch / plan.start)
            frame_loss = start * evenly + (1 - start) * by_frame
            optimizer.zero_grad()
            ((loss + plan.by_frame * frame_loss) / len(batch.lengths)).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 5.0)
            optimizer.step()
            rates.step()
            total, count = total + loss.item(), count + int(batch.lengths.sum())
        after_epoch(epoch, total / count)


def losses(model: Transducer, head: torch.nn.Linear, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The losses of a batch, summed.

    Returns:
        The transducer's; CTC on what `head` says of each encoder frame alone; the cross entropy of that and
        the tokens spread over the speech.
    """
    encoded = model.encoder.encode(batch.features)
    frames = model.encoder.frames(batch.frames)
    encoded = encoded[:, : int(frames.max())]
    loss = transducer_loss(model.join(encoded, batch.tokens), batch.tokens, frames, batch.lengths).sum()
    scores = head(encoded).log_softmax(2)
    by_frame = torch.nn.functional.ctc_loss(
        scores.transpose(0, 1), batch.tokens, frames, batch.lengths, reduction="sum", zero_infinity=True
    )
    evenly = torch.nn.functional.nll_loss(
        scores.transpose(1, 2), spread(batch, scores.shape[1]), reduction="sum"
    )
    return loss, by_frame, evenly
