"""Rules about the numbers in a ``.bin``, which have to read all of it (``check --weights``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.pairs.pair import Pair, pair_rule
from ncnnparam.checks.place import at_word
from ncnnparam.checks.rule import Problem
from ncnnparam.weights.layout import describe

_MOST_NAMED = 6


@pair_rule("NP607", "not-finite", Severity.ERROR)
def not_finite(pair: Pair) -> Iterator[Problem]:
    """Weights are NaN or infinite."""
    for layer, weight, contents in pair.contents:
        counts = ((contents.nans, "NaN"), (contents.infinities, "infinite"))
        parts = [f"{count} {word}" for count, word in counts if count]
        if parts:
            yield Problem(
                f"{pair.name}: {weight.name} of {describe(layer)} has {' and '.join(parts)} "
                f"among its {weight.count} elements",
                replace(at_word(layer), offset=weight.offset),
                "the training diverged, float16 overflowed, or the file is damaged",
            )


@pair_rule("NP608", "zero-channel", Severity.INFO)
def zero_channel(pair: Pair) -> Iterator[Problem]:
    """All weights of a channel are zero."""
    for layer, weight, contents in pair.contents:
        zeros = contents.zero_channels
        if zeros:
            named = ", ".join(map(str, zeros[:_MOST_NAMED])) + (", ..." if len(zeros) > _MOST_NAMED else "")
            yield Problem(
                f"{pair.name}: {weight.name} of {describe(layer)} is all zero in {len(zeros)} of its "
                f"{weight.shape[0]} channels: {named}",
                replace(at_word(layer), offset=weight.offset),
                "ncnn2int8 makes the scale of such a channel infinite and its weights -127",
            )


CONTENT_RULES = (not_finite, zero_channel)
