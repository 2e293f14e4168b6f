"""Modified beam search on a transducer that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnnparam.speech.greedy import Greedy
from ncnnparam.speech.modified_beam import ModifiedBeam
from ncnnparam.speech.nets import CONTEXT, PASSED_OVER

TOKENS = 5


class Table:
    """A transducer whose logits are those of the frame, plus some for the last token."""

    def __init__(self, bias: np.ndarray) -> None:
        self.bias = bias

    def decode(self, context: Sequence[int]) -> np.ndarray:
        assert len(context) == CONTEXT
        return self.bias[context[-1]]

    def join(self, frame: np.ndarray, decoded: np.ndarray) -> np.ndarray:
        return frame + decoded


def numbers(rows: int) -> st.SearchStrategy[np.ndarray]:
    row = st.lists(st.floats(-3, 3, width=16), min_size=TOKENS, max_size=TOKENS)
    return st.lists(row, min_size=rows, max_size=rows).map(lambda found: np.array(found, np.float32))


def run(search: Greedy | ModifiedBeam, frames: np.ndarray) -> tuple[int, ...]:
    for frame in frames:
        search.advance(frame)
    return tuple(search.tokens)


def probabilities(nets: Table, frames: np.ndarray) -> dict[tuple[int, ...], float]:
    """Of every text, by trying every path."""
    found: dict[tuple[int, ...], float] = {}
    for path in product(range(TOKENS), repeat=len(frames)):
        text, probability = (0,) * CONTEXT, 1.0
        for frame, token in zip(frames, path, strict=True):
            logits = nets.join(frame, nets.decode(text[-CONTEXT:])).astype(float)
            probability *= exp(logits[token]) / np.exp(logits).sum()
            text += () if token in PASSED_OVER else (token,)
        found[text[CONTEXT:]] = found.get(text[CONTEXT:], 0) + probability
    return found


@given(numbers(TOKENS), numbers(4))
def test_a_wide_beam_finds_the_best_text(bias: np.ndarray, frames: np.ndarray) -> None:
    nets = Table(bias)
    text = run(ModifiedBeam(nets, beam=1000), frames)
    scores = {
        text: log(probability) / (CONTEXT + len(text))
        for text, probability in probabilities(nets, frames).items()
    }
    assert scores[text] == pytest.approx(max(scores.values()), abs=1e-5)


@given(numbers(TOKENS), numbers(20))
def test_a_beam_of_one_is_greedy(bias: np.ndarray, frames: np.ndarray) -> None:
    bias += np.arange(TOKENS, dtype=np.float32) / 999  # no two alike
    one, other = Greedy(Table(bias)), ModifiedBeam(Table(bias), beam=1)
    assert run(one, frames) == run(other, frames)
    assert tuple(one.frames) == other.frames


def test_frames_are_where_tokens_were_found() -> None:
    frames = np.eye(TOKENS, dtype=np.float32)[[0, 3, 2, 4]] * 9
    nets = Table(np.zeros((TOKENS, TOKENS), np.float32))
    for search in (Greedy(nets), ModifiedBeam(nets)):
        assert run(search, frames) == (3, 4)
        assert tuple(search.frames) == (1, 3)


def test_paths_of_one_text_count_together() -> None:
    """Blank and unknown both lead to the empty text, which is the best only if they are added up."""
    frame = np.log(np.array([0.3, 1e-9, 0.3, 0.4, 1e-9], np.float32))
    nets = Table(np.zeros((TOKENS, TOKENS), np.float32))
    assert log(0.6) / CONTEXT > log(0.4) / (CONTEXT + 1) > log(0.3) / CONTEXT
    assert run(Greedy(nets), frame[None]) == (3,)
    assert run(ModifiedBeam(nets), frame[None]) == ()
