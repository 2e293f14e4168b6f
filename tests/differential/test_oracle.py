"""The judge is judged by texts whose fate is known, the comparison by opinions that are wrong on purpose."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from ncnnparam.syntax import Dialect, parse

from ..oracle import compare as comparison
from ..oracle.compare import CRASHES, LAYER_REFUSES, READS, REFUSES, compare, difference
from ..oracle.mutate import MUTATIONS, make
from ..oracle.oracle import Oracle
from ..oracle.ours import Opinion
from ..oracle.shrink import shrink
from ..oracle.sources import demo

SOUND = b"7767517\n2 2\nInput data 0 1 data\nReLU relu 1 1 data out 0=0.5 1=3 -23302=2,7,8 3=word\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (SOUND, READS),
        (SOUND.replace(b"ReLU", b"Unheard.of"), READS),
        (SOUND.replace(b"2 2", b"3 2"), REFUSES),
        (SOUND.replace(b"0=0.5", b"0=0.5f"), REFUSES),
        (SOUND.replace(b"1 1 data", b"1 0 data").replace(b" out", b""), LAYER_REFUSES),
        (SOUND.replace(b"ReLU", b"Softmax").replace(b"0=0.5 1=3", b"0=1 1=0"), LAYER_REFUSES),
    ],
)
def test_kind_and_agreement(text: bytes, kind: str, oracle: Oracle) -> None:
    assert compare(text, oracle) == comparison.Comparison(kind, None)


def test_what_ncnn_reads(oracle: Oracle) -> None:
    layers = oracle.load(SOUND, blank=True).layers
    assert layers == [
        ["Input", "data", [], ["data"], {}],
        [
            "ReLU",
            "relu",
            ["data"],
            ["out"],
            {"0": ["float", 0.5], "1": ["int", 3], "2": ["array", "0700000008000000"], "3": ["string", None]},
        ],
    ]


def test_messages_of_one_load_only(oracle: Oracle) -> None:
    assert "too old" in oracle.load(b"1\n").messages[0]
    assert oracle.load(SOUND).messages == ()


def test_a_load_that_hangs_counts_as_a_crash(oracle: Oracle, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless")
    verdict = oracle.load_file(tmp_path / "endless", seconds=1)
    assert verdict.crashes
    assert verdict.signal == signal.SIGALRM
    assert oracle.load(SOUND).reads


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        (SOUND, Opinion("no reason", ("no reason",), None)),
        (SOUND.replace(b"2 2", b"3 2"), Opinion(None, (), None)),
        (SOUND.replace(b"7,8", b"7,9"), Opinion(None, (), parse(SOUND.decode(), dialect=Dialect.STRICT))),
    ],
)
def test_wrong_opinions_are_faults(
    text: bytes, opinion: Opinion, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "opinion", lambda text: opinion)
    assert compare(text, oracle).fault


def test_a_crash_needs_an_error(oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = replace(oracle.load(SOUND), rc=None, signal=signal.SIGSEGV, layers=None)
    monkeypatch.setattr(oracle, "load", lambda text, blank=False: crash)
    assert compare(SOUND, oracle) == comparison.Comparison(
        CRASHES, "ncnn crashes (signal 11, None), we find no error"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"0=0.5", b"0=0.51"),
        (b"1=3", b"1=3.0"),
        (b"3=word", b"4=word"),
        (b"7,8", b"7,8.0"),
        (b"relu", b"rely"),
    ],
)
def test_differences_are_seen(old: bytes, new: bytes, oracle: Oracle) -> None:
    theirs = oracle.load(SOUND, blank=True).layers
    assert theirs
    assert difference(parse(SOUND.decode()).layers, theirs) is None
    assert difference(parse(SOUND.replace(old, new).decode()).layers, theirs)


def test_mutants_are_reproducible_and_use_every_mutation() -> None:
    mutants = [make(seed, demo()) for seed in range(500)]
    assert mutants == [make(seed, demo()) for seed in range(500)]
    assert {mutation.__name__ for mutation in MUTATIONS} <= {
        step for mutant in mutants for step in mutant.steps
    }
    assert not any(b"\0" in mutant.text for mutant in mutants)


def test_shrink_keeps_what_fails() -> None:
    text = b"one two three\nfour five six\nseven eight\n"
    assert shrink(text, lambda part: b"five" in part and b"eight" in part) == b" five eight"
