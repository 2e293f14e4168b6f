"""The transducer loss against a sum over all paths, and its gradient against differences."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")


def by_all_paths(logits: Any, tokens: list[int], frames: int) -> float:
    """Minus the log probability that the tokens are said, one at most in a frame, as a sum over all ways."""
    scores = logits.log_softmax(2)
    paths = []
    for speaking in combinations(range(frames), len(tokens)):
        said, total = 0, 0.0
        for frame in range(frames):
            speaks = frame in speaking
            total += float(scores[frame, said, tokens[said] if speaks else 0])
            said += speaks
        paths.append(total)
    return -float(torch.tensor(paths, dtype=torch.float64).logsumexp(0))


def batch(**kind: Any) -> tuple[Any, Any, Any, Any]:
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(4, 6, 4, 5, generator=generator, **kind)
    tokens = torch.randint(1, 5, (4, 3), generator=generator)
    return logits, tokens, torch.tensor([6, 3, 5, 4]), torch.tensor([3, 3, 1, 0])


def test_is_the_sum_over_all_paths(training: SimpleNamespace) -> None:
    logits, tokens, frames, lengths = batch(dtype=torch.float64)
    losses = training.loss.transducer_loss(logits, tokens, frames, lengths)
    for index, loss in enumerate(losses.tolist()):
        said = tokens[index, : lengths[index]].tolist()
        assert loss == pytest.approx(by_all_paths(logits[index], said, int(frames[index])), abs=1e-9)


def test_gradient(training: SimpleNamespace) -> None:
    logits, tokens, frames, lengths = batch(dtype=torch.float64)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda given: training.loss.transducer_loss(given, tokens, frames, lengths), (logits,)
    )


def test_what_is_padded_has_no_gradient(training: SimpleNamespace) -> None:
    logits, tokens, frames, lengths = batch()
    logits.requires_grad_()
    training.loss.transducer_loss(logits, tokens, frames, lengths).sum().backward()
    for gradient, frame, length in zip(logits.grad, frames, lengths, strict=True):
        assert gradient[:frame, : length + 1].abs().sum() > 0
        gradient[:frame, : length + 1] = 0
        assert not gradient.any()


def test_a_sentence_that_does_not_fit_is_refused(training: SimpleNamespace) -> None:
    logits, tokens, _, lengths = batch()
    with pytest.raises(ValueError, match="more tokens than frames"):
        training.loss.transducer_loss(logits, tokens, torch.tensor([6, 2, 5, 4]), lengths)
