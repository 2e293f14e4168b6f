"""Our opinion of a text beside the verdict of ncnn."""

from __future__ import annotations

import signal
import struct
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ncnnparam.errors import ParseError
from ncnnparam.syntax import Dialect, LayerLine, Param, parse, unparse

from .oracle import Oracle, Verdict
from .ours import Opinion, decode, opinion

READS = "ncnn reads it"
REFUSES = "ncnn refuses its text"
LAYER_REFUSES = "a layer refuses its params or its number of blobs"
CRASHES = "ncnn crashes"

OUR_SECONDS = 20
"""Time for our parse and checks of one text; they take milliseconds."""


@dataclass(frozen=True)
class Comparison:
    """How ncnn and we judge one text.

    Attributes:
        kind: What ncnn does with it.
        fault: Where we are wrong, or None.
    """

    kind: str
    fault: str | None


def compare(text: bytes, oracle: Oracle) -> Comparison:
    """Judge a text twice.

    ncnn loads it as it is, and again with every layer type replaced by an empty layer: the second verdict
    is about the text alone. A text that only the first refuses is refused by a layer, for the values of its
    params or the number of its blobs: what a layer wants of them, the registry knows.
    """
    full, blank = oracle.load(text), oracle.load(text, blank=True)
    try:
        with _time_limit(OUR_SECONDS):
            ours = opinion(text)
            fault = _fault(full, blank, ours) or _round_trip_fault(decode(text), ours)
    except Exception:
        fault = f"we crash: {traceback.format_exc()}"
    return Comparison(_kind(full, blank), fault)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _kind(full: Verdict, blank: Verdict) -> str:
    if full.crashes or blank.crashes:
        return CRASHES
    if not blank.reads:
        return REFUSES
    return READS if full.reads else LAYER_REFUSES


def _fault(full: Verdict, blank: Verdict, ours: Opinion) -> str | None:
    if full.crashes and not ours.wrong:
        return f"ncnn crashes (signal {full.signal}, {full.error}), we find no error"
    for verdict in (blank, full):
        if verdict.rc == -1 and ours.refused is None:
            return f"ncnn refuses it ({' | '.join(verdict.messages)}), we do not"
    if full.reads and blank.reads and ours.refused is not None:
        return f"ncnn reads it, we refuse it: {ours.refused}"
    if blank.layers is not None and ours.tree is not None:
        return difference(ours.tree.layers, blank.layers)
    return None


def _round_trip_fault(text: str, ours: Opinion) -> str | None:
    try:
        compat = unparse(parse(text, dialect=Dialect.COMPAT))
    except ParseError as error:
        return f"strict reads it, compat does not: {error}" if ours.tree else None
    if compat != text or (ours.tree and unparse(ours.tree) != text):
        return "the text does not come back byte for byte"
    return None


def difference(ours: list[LayerLine], theirs: list[Any]) -> str | None:
    """The first layer that we read otherwise than ncnn did, or None."""
    if len(ours) != len(theirs):
        return f"we read {len(ours)} layers, ncnn {len(theirs)}"
    for line, (type, name, inputs, outputs, params) in zip(ours, theirs, strict=True):
        head = [line.type, line.name, list(line.inputs), list(line.outputs)]
        if head != [type, name, inputs, outputs]:
            return f"we read {head}, ncnn {[type, name, inputs, outputs]}"
        last = {str(param.id): param for param in line.params}
        if last.keys() != params.keys():
            return f"in {name} we read the ids {sorted(last)}, ncnn {sorted(params)}"
        for id, (kind, value) in params.items():
            if not _same(last[id], kind, value):
                return f"in {name} we read {last[id]!r}, ncnn {kind} {value}"
    return None


def _same(param: Param, kind: str, value: Any) -> bool:
    if kind == "string":
        return isinstance(param.value, str)
    if kind == "array":
        words = struct.unpack(f"<{len(value) // 8}i", bytes.fromhex(value))
        ours = param.value
        return (
            isinstance(ours, tuple)
            and len(ours) == len(words)
            and all(_same_word(mine, word) for mine, word in zip(ours, words, strict=True))
        )
    if kind == "float":
        return isinstance(param.value, float) and _same_word(param.value, _float_bits(value))
    return isinstance(param.value, int) and param.value == value


def _same_word(mine: int | float, word: int) -> bool:
    """Whether ncnn's 32 bits are our number; ncnn adds up digits, which may cost a float its last bit."""
    if isinstance(mine, int):
        return mine == word
    return abs(_float_bits(mine) - word) <= 1


def _float_bits(number: float) -> int:
    return int(struct.unpack("<i", struct.pack("<f", number))[0])
