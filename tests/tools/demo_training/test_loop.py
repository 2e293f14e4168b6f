"""The training, on a language of four sounds: it learns to hear them, and in which order."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

SOUNDS = (3, 4, 5, 6)
VOCABULARY = 7


def utterance(said: list[int], silence: float) -> Any:
    """Features of sounds, each loud in 20 bins of its own, with silence around them."""
    features = torch.full((25 + 16 * len(said) + 40, 80), -12.0)
    features[-30:] = silence
    for place, sound in enumerate(said):
        start = 20 + 16 * place
        features[start : start + 14, 20 * (sound - 3) : 20 * (sound - 2)] = 2.0
        features[start : start + 14] += 2.0
    return features.half()


def model(kind: str) -> Any:
    torch.manual_seed(1)
    transducer = importlib.import_module("demo_transducer.transducer")
    if kind == "lstm":
        lstm = importlib.import_module("demo_transducer.lstm")
        encoder = lstm.LstmEncoder(lstm.LstmSizes(1, 32, 48, 32))
    else:
        emformer = importlib.import_module("demo_transducer.conv_emformer")
        encoder = emformer.ConvEmformer(emformer.ConvEmformerSizes(1, 2, 7, 16, 16, 8, 32, 2, 32))
    return transducer.Transducer(encoder, VOCABULARY)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["conv-emformer", "lstm"])
def test_learns_what_is_said(training: SimpleNamespace, kind: str) -> None:
    generator = torch.Generator().manual_seed(2)
    texts = [
        [SOUNDS[int(index)] for index in torch.randint(4, (int(count),), generator=generator)]
        for count in torch.randint(1, 5, (60,), generator=generator)
    ]
    features = [utterance(text, training.batches.SILENCE) for text in texts]
    corpus = importlib.import_module("demo_training.corpus")
    heard = corpus.Corpus([], [], features[:50])
    said = [torch.tensor(text) for text in texts[:50]]
    learner = model(kind)
    losses: list[float] = []
    plan = training.loop.Plan(epochs=25, frames=1500, rate=5e-3, warm_up=10, start=40)
    training.loop.train(learner, heard, said, plan, lambda epoch, loss: losses.append(loss))
    assert losses[-1] < 0.1 * losses[0]
    learner.eval()
    for text, spoken in zip(texts[50:], features[50:], strict=True):
        recognised = training.recognise.recognise(learner, spoken, lambda tokens: tokens)
        assert recognised == text
