"""What ``ncnnparam compare`` and ``ncnnparam sensitivity`` print about errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

from ncnnparam.cli.common import emit
from ncnnparam.cli.table import plain_table, print_table
from ncnnparam.views.units import decibel

if TYPE_CHECKING:
    from ncnnparam.diff.measure import Distance
    from ncnnparam.quantize.accuracy import Accuracy, LayerError
    from ncnnparam.quantize.accuracy_transducer import Utterance
    from ncnnparam.speech.error_rate import ErrorRate

COLUMNS = ("layer", "type", "A", "B", "reads", "own", "SQNR", "cosine", "max error")
RIGHT = ("reads", "own", "SQNR", "cosine", "max error")
_MOST_NAMED = 5


def print_layers(accuracy: Accuracy, *, top: int, worst_first: bool, form: str) -> None:
    """Prints a table of layers.

    Args:
        accuracy: What is known of them.
        top: How many to print, 0 for all.
        worst_first: The worst ones, else the first ones of the graph.
        form: ``table`` or ``text``.
    """
    if all(layer.sqnr == inf for layer in accuracy.layers):
        emit(f"all {len(accuracy.layers)} layers are equal\n")
        return
    layers = accuracy.worst() if worst_first else list(accuracy.layers)
    shown = layers[:top] if top else layers
    show(COLUMNS, [_row(layer) for layer in shown], form)
    if len(layers) > len(shown):
        emit(f"and {len(layers) - len(shown)} more layers\n")


def print_summary(accuracy: Accuracy) -> None:
    """Prints where the error comes from, and how large it is at the outputs."""
    entering = [f"{layer.layer} ({decibel(layer.own)} dB)" for layer in accuracy.entering()]
    growing = [
        f"{layer.layer} ({decibel(layer.read)} -> {decibel(layer.sqnr)} dB)" for layer in accuracy.growing()
    ]
    for what, names in (("error enters at", entering), ("error grows at", growing)):
        if names:
            emit(f"{what} {_first(names)}\n")
    for which, only in zip("AB", accuracy.only, strict=True):
        if only:
            emit(f"only {which} has {_first(only)}\n")
    for name, distance in accuracy.outputs.items():
        emit(f"output {name}: {_told(distance)}\n")


def print_texts(
    utterances: Sequence[Utterance], tokens: ErrorRate, words: dict[str, ErrorRate], texts: dict[str, str]
) -> None:
    """Prints which utterances the models heard differently, and how many errors there are.

    Args:
        utterances: What was heard.
        tokens: Errors of the second model, by what the first one heard.
        words: Errors of ``A`` and ``B`` by what was said; empty if that is not known.
        texts: What to print of an utterance that differs, by its name.
    """
    different = [one for one in utterances if one.first != one.second]
    for one in different:
        emit(f"{one.name}\n{texts[one.name]}")
    emit(f"texts: {len(utterances) - len(different)} of {len(utterances)} are the same\n")
    emit(f"token error rate: {rate(tokens)}\n")
    for which, errors in words.items():
        emit(f"word error rate of {which}: {rate(errors)}\n")


def rate(errors: ErrorRate) -> str:
    """Errors in percent, and how many of how many."""
    share = f"{100 * errors.rate:.2f} %" if errors.rate < inf else "no tokens to count by"
    return f"{share} ({errors.errors} of {errors.length})"


def show(header: Sequence[str], rows: Sequence[Sequence[str]], form: str) -> None:
    """Prints a table, or the same as plain text."""
    if form == "table":
        print_table(header, rows, right=RIGHT)
    else:
        emit(plain_table(header, rows, right=RIGHT))


def form_or_default(form: str | None) -> str:
    """What ``--format`` says, else a table on a terminal and text elsewhere."""
    return form or ("table" if sys.stdout.isatty() else "text")


def _row(layer: LayerError) -> list[str]:
    front = [layer.layer, layer.type, layer.old, layer.new, decibel(layer.read), decibel(layer.own)]
    if layer.distance is None:
        return [*front, layer.note, "", ""]
    distance = layer.distance
    return [*front, decibel(layer.sqnr), f"{distance.cosine:.6f}", f"{distance.max_abs:.4g}"]


def _told(distance: Distance | None) -> str:
    if distance is None:
        return "of another shape, not compared"
    lost = distance.not_finite
    not_finite = f", NaN or infinite: {lost[0]} in A, {lost[1]} in B" if any(lost) else ""
    sqnr = "equal" if distance.sqnr == inf else f"{decibel(distance.sqnr)} dB"
    return f"{sqnr}, cosine {distance.cosine:.6f}, max error {distance.max_abs:.4g}{not_finite}"


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
