"""The word pieces, by sentencepiece, numbered as icefall numbers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sentencepiece

from demo_training.sentences import sentence

VOCABULARY = 120
"""Word pieces, the three that stand for no text among them."""
_SENTENCES = 5000


def train(path: Path, seed: int) -> None:
    """Train word pieces on random sentences; 0 is the blank, 1 ends a sentence, 2 is unknown."""
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([sentence(random) for _ in range(_SENTENCES)]),
            model_writer=file,
            model_type="bpe",
            vocab_size=VOCABULARY,
            user_defined_symbols=["<blk>", "<sos/eos>"],
            unk_id=2,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            character_coverage=1.0,
            normalization_rule_name="identity",  # the texts are lower case letters; other rules take 240 kB
            minloglevel=2,
        )


def load(path: Path) -> sentencepiece.SentencePieceProcessor:
    """The word pieces of a file."""
    return sentencepiece.SentencePieceProcessor(model_file=str(path))
