"""Rules about a ``.bin`` that does not fit its graph. It breaks one of them, the rest would be noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Place, Severity
from ncnnparam.checks.pairs import causes
from ncnnparam.checks.pairs.pair import Misfit, Pair, pair_rule
from ncnnparam.checks.pairs.reading import Odd
from ncnnparam.checks.place import at_word
from ncnnparam.checks.rule import Problem
from ncnnparam.weights.layout import describe

if TYPE_CHECKING:
    from ncnnparam.graph import Layer

_OTHER = "the .bin most likely belongs to another .param"


@pair_rule("NP601", "no-weights", Severity.ERROR)
def no_weights(pair: Pair) -> Iterator[Problem]:
    """The file given as weights is something else."""
    if pair.misfit is Misfit.FOREIGN and pair.foreign is not None:
        yield Problem(f"{pair.name}: {pair.foreign.message}", hint=pair.foreign.hint)


@pair_rule("NP602", "weight-size", Severity.ERROR)
def weight_size(pair: Pair) -> Iterator[Problem]:
    """The params of a layer ask for weights of an impossible size."""
    error = pair.senseless
    if error is not None and error.layer is not None:
        yield Problem(error.message, at_word(pair.graph.layer(error.layer)), error.hint)


@pair_rule("NP603", "weight-tag", Severity.ERROR)
def weight_tag(pair: Pair) -> Iterator[Problem]:
    """An array begins with a tag that makes no sense there."""
    if pair.misfit is Misfit.INT8:
        number = pair.reading.first_int8_in_float()
        assert number is not None
        layer, weight = pair.reading.arrays[number]
        yield Problem(
            f"{pair.name}: {describe(layer)} computes in float, but its {weight.name} at offset "
            f"{weight.offset} is stored as int8",
            _at(layer, weight.offset),
            causes.neighbour(pair)
            or "this is the .bin of an int8 model: use the .param that was written with it",
        )
    if pair.misfit is Misfit.TAG:
        odd = pair.reading.first_odd()
        assert odd is not None
        above = (
            f"what comes before it makes sense (arrays: {odd.number})" if odd.number else "it is the first"
        )
        yield Problem(
            f"{pair.name}: {describe(odd.layer)} wants a tag for its {odd.array.name} "
            f"at offset {odd.offset}, there is 0x{odd.tag:08X}, which stands for nothing; {above}",
            _at(odd.layer, odd.offset),
            _why_odd(pair, odd),
        )


@pair_rule("NP604", "short-bin", Severity.ERROR)
def short_bin(pair: Pair) -> Iterator[Problem]:
    """The file ends before all layers have their weights."""
    if pair.misfit is Misfit.SHORT:
        reading = pair.reading
        layer, array = reading.left[0]
        found = (
            f"{reading.size - reading.end} of its bytes" if reading.size > reading.end else "nothing of it"
        )
        lacking = causes.missing(pair)
        hint = causes.neighbour(pair)
        if hint is None and not reading.size:
            hint = "the file is empty: copy it again"
        elif hint is None:
            storage = reading.usual_storage()
            hint = f"this is a {storage} .bin that lacks its last {lacking} bytes: copy it again"
        yield Problem(
            f"{pair.name}: {describe(layer)} wants {array.count} elements of {array.name} at offset "
            f"{reading.end}, the file has {found}; it has {reading.size} bytes in all",
            _at(layer, reading.end),
            hint,
        )


@pair_rule("NP605", "long-bin", Severity.WARNING)
def long_bin(pair: Pair) -> Iterator[Problem]:
    """The file has more bytes than the layers read."""
    if pair.misfit is Misfit.LONG:
        reading = pair.reading
        left = reading.size - reading.end
        hint = causes.neighbour(pair) or (
            "the .bin is the one of a graph with more layers, or something was appended to it"
            if left % 4 == 0
            else "something was appended to the .bin: weights end at a multiple of 4"
        )
        yield Problem(
            f"{pair.name}: the layers read {reading.end} bytes, {left} more are left over; "
            "ncnn does not look at them",
            Place(offset=reading.end),
            hint,
        )


@pair_rule("NP606", "unknown-weights", Severity.INFO)
def unknown_weights(pair: Pair) -> Iterator[Problem]:
    """The weights of a layer type are not known."""
    if pair.unknown_types:
        fits = (
            "the rest fits the file"
            if pair.misfit is Misfit.NONE
            else "that may be why the file does not fit"
        )
        first = pair.graph.find(pair.unknown_types[0])[0]
        yield Problem(
            f"{', '.join(pair.unknown_types)}: taken to have no weights, as nobody has declared them; {fits}",
            at_word(first),
            "declare them in a TOML file and give that with --ops",
        )


FIT_RULES = (no_weights, weight_size, weight_tag, short_bin, long_bin, unknown_weights)


def _why_odd(pair: Pair, odd: Odd) -> str:
    found = causes.neighbour(pair)
    if found is not None:
        return found
    if causes.is_float_twin(pair):
        return (
            "this is the float .bin of the model before it was quantised: use the .param it was written with"
        )
    storage = causes.damaged_tag(pair, odd)
    if storage is not None:
        return f"the file is damaged here: if the array were {storage}, it and all that follows would fit"
    by = causes.shift(pair, odd)
    if by is not None:
        what = f"{by} bytes too many" if by > 0 else f"{-by} bytes too few"
        return f"there are {what} before offset {odd.offset}: the rest of the file fits"
    tag = causes.next_tag(pair, odd.offset)
    more = f"; the next tag, of {tag[1]}, was found at +{tag[0]}" if tag is not None else ""
    return f"{_OTHER}{more}"


def _at(layer: Layer, offset: int | None) -> Place:
    return replace(at_word(layer), offset=offset)
