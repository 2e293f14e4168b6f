"""Every border of the language, one at a time, in a file of two layers: ncnn and we must agree about each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from ..oracle import spellings
from ..oracle.compare import compare
from ..oracle.oracle import Oracle

FILE = b"7767517\n2 2\nInput data 0 1 data\nNoop n 1 1 data out"
FULL = FILE + b' 0=1 1=2.5 -23303=2,1,2 4=a 5="b c"\n'


def values() -> Iterator[bytes]:
    for value in spellings.VALUES:
        yield FILE + b" 5=" + value
        yield FILE + b" -23305=" + value + b" 1=2\n"
        yield FILE + b" -23305=2,1," + value + b"\r\n"
        yield FILE + b" 5=1," + value + b"\n"
        yield FILE + b" 5=1.5," + value + b",2\n"


def ids() -> Iterator[bytes]:
    for id in spellings.IDS:
        for value in (b"1", b"1.5", b"2,1,2", b"abc", b"1,2", b""):
            yield FILE + b" " + id + b"=" + value + b"\n"


def hints() -> Iterator[bytes]:
    for hint in spellings.HINTS:
        for outputs in (b"0 ", b"1 data one ", b"2 data one two "):
            yield b"7767517\n2 3\nInput data 0 1 data\nNoop n 1 " + outputs + hint + b"\n"


def names() -> Iterator[bytes]:
    for name in spellings.NAMES:
        yield FILE.replace(b"data", name) + b"\n"
        yield FILE.replace(b"Noop n", b"Noop " + name) + b"\n"
        yield FILE.replace(b"Noop", name) + b"\n"
        yield FILE.replace(b"out", name) + b" 0=1\n"


def counts() -> Iterator[bytes]:
    for count in spellings.COUNTS:
        yield FILE.replace(b"2 2", count + b" 2")
        yield FILE.replace(b"2 2", b"2 " + count)
        yield FILE.replace(b"1 1", count + b" 1")
        yield FILE.replace(b"1 1", b"1 " + count)


def magics() -> Iterator[bytes]:
    for magic in spellings.MAGICS:
        yield FILE.replace(b"7767517", magic)


def gaps() -> Iterator[bytes]:
    for gap in spellings.GAPS:
        for place, byte in enumerate(FULL):
            if byte in b" \n":
                yield FULL[:place] + gap + FULL[place + 1 :]


def params() -> Iterator[bytes]:
    for param in spellings.PARAMS:
        yield FILE + b"\t0=1 " + param + b" \r"


def bytes_anywhere() -> Iterator[bytes]:
    for byte in spellings.BYTES:
        for place in range(len(FULL) + 1):
            yield FULL[:place] + byte + FULL[place:]


def ends() -> Iterator[bytes]:
    for place in range(len(FULL)):
        yield FULL[:place]


def _assert_agreement(texts: Iterable[bytes], oracle: Oracle) -> None:
    faults = [f"{text!r}\n  {fault}" for text in texts if (fault := compare(text, oracle).fault)]
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:10])


@pytest.mark.parametrize("texts", [values, ids, hints, names, counts, magics, gaps, ends])
def test_border(texts: Callable[[], Iterator[bytes]], oracle: Oracle) -> None:
    _assert_agreement(texts(), oracle)


@pytest.mark.nightly
@pytest.mark.parametrize("texts", [params, bytes_anywhere])
def test_more_borders(texts: Callable[[], Iterator[bytes]], oracle: Oracle) -> None:
    _assert_agreement(texts(), oracle)
