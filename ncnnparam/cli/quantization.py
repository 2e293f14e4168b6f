"""What ``ncnnparam quantize`` has to tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.paths import require_apart
from ncnnparam.views.units import decibel

if TYPE_CHECKING:
    from ncnnparam.checks import Finding
    from ncnnparam.quantize.accuracy_sensitivity import LayerCost
    from ncnnparam.quantize.int8 import Outcome, Quantized

NO_BIN = "null"
"""What ncnn2int8 takes for a ``.bin`` that it has to make up."""
_MOST_NAMED = 8


def require_new_files(items: Iterable[str] = ()) -> None:
    """Refuses outputs that would leave a pair of two halves, or write over something else that is read.

    Args:
        items: The data that the model is run on.

    Raises:
        click.UsageError: An output is named a second time.
    """
    named = click.get_current_context().params
    in_place = all(
        os.path.realpath(named[old]) == os.path.realpath(named[new])
        for old, new in (("model", "output"), ("weights", "new_weights"))
    )
    but = ("model", "weights") if in_place else ("weights",) if named["weights"] == NO_BIN else ()
    require_apart("output", "new_weights", but=but, items=items)


def as_text(result: Quantized, kept: Sequence[LayerCost] = ()) -> str:
    """How many layers of each type became int8, and why the others did not.

    Args:
        result: What was done.
        kept: The layers that stay in float because they would hurt most.
    """
    lines = [_of_type(type, result.layers) for type in dict.fromkeys(one.type for one in result.layers)]
    if kept:
        hurt = ", ".join(f"{one.layer} ({decibel(one.sqnr)} dB alone)" for one in kept[:_MOST_NAMED])
        more = f" and {len(kept) - _MOST_NAMED} more" if len(kept) > _MOST_NAMED else ""
        lines.append(f"in float, because they hurt most: {hurt}{more}")
    names_kept = {one.layer for one in kept}
    noted = [one for one in result.layers if one.note and one.layer not in names_kept]
    for note in dict.fromkeys(one.note for one in noted):
        layers = [one for one in noted if one.note == note]
        names = ", ".join(one.layer for one in layers[:_MOST_NAMED])
        more = f" and {len(layers) - _MOST_NAMED} more" if len(layers) > _MOST_NAMED else ""
        lines.append(f"{'int8' if layers[0].int8 else 'in float'}, {note}: {names}{more}")
    share = f" ({result.bytes_after / result.bytes_before:.1%})" if result.bytes_before else ""
    lines.append(f"weights: {result.bytes_before:,} -> {result.bytes_after:,} bytes{share}")
    return "".join(f"{line}\n" for line in lines)


def as_json(result: Quantized, findings: Sequence[Finding], kept: Sequence[LayerCost] = ()) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "layers": [asdict(one) for one in result.layers],
        "kept": [one.to_json() for one in kept],
        "bytes_before": result.bytes_before,
        "bytes_after": result.bytes_after,
        "overflowed": [
            {"layer": one.layer, "array": one.array, "count": one.overflowed}
            for one in result.converted
            if one.overflowed
        ],
        "findings": [finding_json(one) for one in findings],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as an object of json."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "line": finding.line or None,
        "layer": finding.layer,
        "message": finding.message,
        "hint": finding.hint,
    }


def warnings(result: Quantized) -> Iterator[str]:
    """What went wrong on the way to smaller floats, once the model was saved."""
    for one in result.converted:
        if one.overflowed:
            yield (
                f"{one.layer}: {one.overflowed:,} numbers of {one.array} are too large for {one.after} and "
                "became infinite; --storage fp32 keeps them"
            )


def _of_type(type: str, outcomes: Sequence[Outcome]) -> str:
    layers = [one for one in outcomes if one.type == type]
    int8 = [one for one in layers if one.int8 or one.packed]
    what = next((one.packed for one in outcomes if one.packed), "int8")
    extras = [
        f"{count} {what}"
        for what, count in (
            ("with int8 output", sum(one.int8_output for one in int8)),
            ("that were Gemm", sum(one.was_gemm for one in int8)),
        )
        if count
    ]
    told = f" ({', '.join(extras)})" if extras else ""
    return f"{type}: {len(int8)} of {len(layers)} {what}{told}"
