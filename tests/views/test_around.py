"""Neighbourhoods, also of broken files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ncnnparam as nnp
from ncnnparam.errors import NotFoundError
from ncnnparam.views.around import around


def steps(text: str, name: str, depth: int = 1) -> dict[str, int]:
    graph = nnp.loads(text).graph
    return {near.layer.name: near.step for near in around(graph, name, depth)}


def test_the_nearest_way_counts() -> None:
    layers = "Input i 0 1 x\nSplit s 1 2 x a b\nReLU r 1 1 a c\nBinaryOp add 2 1 b c d\nReLU e 1 1 d o\n"
    text = f"7767517\n5 6\n{layers}"
    assert steps(text, "add", 9) == {"i": -1, "r": -1, "add": 0, "e": 1}
    assert steps(text, "s") == {"i": -1, "s": 0, "r": 1, "add": 1}
    assert steps(text, "b") == {"i": -1, "add": 1}
    assert steps(text, "x") == {"i": -1, "r": 1, "add": 1}


def test_circles_of_broken_files_end() -> None:
    layers = "Split a 1 1 y x\nSplit b 1 1 x y\nReLU r 1 1 q p\nReLU s 1 1 p q\n"
    text = f"7767517\n4 4\n{layers}"
    assert steps(text, "r", 50) == {"r": 0, "s": -1}
    assert steps(text, "a", 50) == {"a": 0}  # what it reads is, past the Split, its own output


def test_unknown_name() -> None:
    with pytest.raises(NotFoundError, match="no layer or blob 'relo'") as caught:
        steps("7767517\n1 1\nInput rel0 0 1 x\n", "relo")
    assert caught.value.hint == "did you mean rel0?"


@given(st.integers(min_value=1, max_value=30), st.integers(min_value=0, max_value=29), st.integers(1, 5))
def test_chain(length: int, middle: int, depth: int) -> None:
    lines = ["Input l0 0 1 b0", *(f"ReLU l{n} 1 1 b{n - 1} b{n}" for n in range(1, length))]
    middle %= length
    found = steps(f"7767517\n{length} {length}\n" + "\n".join(lines) + "\n", f"l{middle}", depth)
    low, high = max(0, middle - depth), min(length - 1, middle + depth)
    assert found == {f"l{n}": n - middle for n in range(low, high + 1)}
