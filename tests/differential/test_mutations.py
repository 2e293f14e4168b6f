"""Damaged real files: ncnn and we must agree about each.

A text that ncnn refuses must be a parse error or have a finding that says so; one that it reads must be read,
with the same layers, blobs and values, and have no such finding; one that crashes it must have an error.
That holds for files that a layer refuses too (its own ``load_param``, ``one_blob_only``).
A failure is replayed by ``python -m tests.oracle SEED [--shrink]``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..oracle.compare import READS, REFUSES, compare
from ..oracle.mutate import make
from ..oracle.oracle import Oracle
from ..oracle.sources import corpus, demo

BLOCK = 50


def assert_agreement(first: int, sources: Mapping[str, bytes], oracle: Oracle, folder: Path) -> None:
    kinds: Counter[str] = Counter()
    faults = []
    for seed in range(first, first + BLOCK):
        mutant = make(seed, sources)
        comparison = compare(mutant.text, oracle)
        kinds[comparison.kind] += 1
        if comparison.fault:
            file = folder / f"{seed}.param"
            file.write_bytes(mutant.text)
            faults.append(f"{mutant}\n  saved as {file}\n  {comparison.fault}")
    print(dict(kinds))
    assert not faults, "\n".join(faults)
    assert kinds[READS] > BLOCK // 10, "too few of the files are sound to prove anything"
    assert kinds[REFUSES] > BLOCK // 10, "too few of the files are broken to prove anything"


@pytest.mark.parametrize("first", range(0, 300, BLOCK))
def test_corpus_mutants(first: int, shared: Path, oracle: Oracle, tmp_path: Path) -> None:
    assert_agreement(first, corpus(), oracle, tmp_path)


def test_demo_mutants(oracle: Oracle, tmp_path: Path) -> None:
    assert_agreement(0, demo(), oracle, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(10_000, 16_000, BLOCK))
def test_many_corpus_mutants(first: int, shared: Path, oracle: Oracle, tmp_path: Path) -> None:
    assert_agreement(first, corpus(), oracle, tmp_path)
