"""``ncnnparam repair``: mends what pnnx wrote."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import (
    FOUND,
    PATH,
    emit,
    emit_json,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    say,
    visible,
)

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes.base import Note
    from ncnnparam.passes.pnnx import Account, PnnxGraph
    from ncnnparam.runtime.expected import Call, Verdict


@click.command(
    name="repair",
    epilog="Exit codes: 0 all is repaired, 1 something is left or a number is wrong, 2 trouble.",
)
@model_argument
@click.argument("weights", metavar="[BIN]", required=False, type=PATH)
@click.option("-o", "--output", metavar="OUT.param", type=PATH, help="Where to write the repaired model.")
@click.option(
    "--pnnx-param",
    "pnnx_param",
    metavar="FILE",
    type=PATH,
    help="The .pnnx.param that pnnx wrote too; by default the one beside the model.",
)
@click.option(
    "--target",
    "target_name",
    metavar="TARGET",
    default="ncnn",
    show_default=True,
    help="What shall run it: ncnn, sherpa-ncnn, or a release such as ncnn-20250916.",
)
@click.option(
    "--expect",
    metavar="FILE",
    type=PATH,
    help="Numbers to prove the repaired model with, or the TorchScript.",
)
@click.option("--tolerance", type=float, metavar="X", help="How far a number may be off.")
@click.option(
    "--dynamic",
    metavar="SIZE",
    multiple=True,
    type=click.IntRange(min=2),
    help="A size in Reshapes that changes with the input: leave it open. May be repeated.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every place.")
@format_option
@ops_option
@max_size_option
def command(
    model: str,
    weights: str | None,
    output: str | None,
    pnnx_param: str | None,
    target_name: str,
    expect: str | None,
    tolerance: float | None,
    dynamic: tuple[int, ...],
    verbose: bool,
    form: str,
    max_size: int,
) -> int:
    """Repair what pnnx wrote: layers that ncnn does not have, and axes that it counted wrongly.

    The .pnnx.param and the .bin beside the model are read as well. Without -o nothing is written. OUT.bin is
    written beside OUT.param if the weights change; if they do not, the old .bin goes with OUT.param.

    \b
    ncnnparam repair encoder.ncnn.param
    ncnnparam repair encoder.ncnn.param -o repaired.param
    ncnnparam repair encoder.ncnn.param --target sherpa-ncnn -o repaired.param
    ncnnparam repair encoder.ncnn.param -o repaired.param --expect expected.npz
    ncnnparam repair encoder.ncnn.param -o repaired.param --expect encoder.pt
    """
    from ncnnparam.model import load
    from ncnnparam.passes.pnnx import named_target, repair

    runtime = named_target(target_name)
    if output == "-":
        raise click.UsageError("the repaired model may be two files: name the .param")
    weights = weights or _weights_beside(model)
    if expect is not None and (output is None or weights is None):
        missing = "-o OUT.param" if output is None else "the .bin"
        raise click.UsageError(f"--expect runs the repaired model: name {missing} too")
    pnnx = _read_pnnx(model, pnnx_param)
    account = repair(load(model, weights, max_size=max_size), pnnx, runtime, dynamic=dynamic)
    calls = _calls(expect, account.model, pnnx) if expect is not None else []
    new_weights = _write(account, output, weights)
    verdicts: list[Verdict] = []
    if calls and output is not None and new_weights is not None:
        from ncnnparam.runtime.expected import prove

        verdicts = prove(output, new_weights, account.model.graph, calls)
    limit = tolerance if tolerance is not None else _tolerance(account.model)
    wrong = [verdict for verdict in verdicts if not verdict.is_within(limit)]
    if form == "json":
        emit_json(_as_json(account, str(runtime), output, new_weights, verdicts, limit))
    else:
        _print_account(account, verbose)
        _tell_files(account, output, new_weights)
        if verdicts:
            emit(_proof(verdicts, wrong, limit))
    return FOUND if account.left or wrong else 0


def _weights_beside(model: str) -> str | None:
    from ncnnparam.syntax.pairing import bin_of

    path = bin_of(model) if model != "-" else None
    return str(path) if path is not None and path.is_file() else None


def _read_pnnx(model: str, given: str | None) -> PnnxGraph | None:
    from ncnnparam.passes.pnnx import beside, read_pnnx

    path = given or beside(model)
    if path is None:
        say(f"note: there is no .pnnx.param beside {model}; without it little can be repaired (--pnnx-param)")
    return read_pnnx(path) if path is not None else None


def _write(account: Account, output: str | None, weights: str | None) -> str | None:
    """Writes the model; returns the weights that go with it."""
    from ncnnparam.model import dump, save

    if output is None:
        return weights
    if not account.weights_changed:
        dump(account.model, output)
        return weights
    from ncnnparam.syntax.pairing import bin_of

    new = str(bin_of(output))
    save(account.model, output, new)
    return new


def _calls(expect: str, model: Model, pnnx: PnnxGraph | None) -> list[Call]:
    """What to feed and to expect: from numbers, or from TorchScript run on random inputs."""
    from ncnnparam.runtime.expected import read_calls
    from ncnnparam.runtime.torchscript import is_torchscript, torch_call

    if is_torchscript(expect):
        return [torch_call(expect, pnnx, model.graph)]
    calls, others = read_calls(expect, model.graph)
    if others:
        names = ", ".join(sorted(name or "(no name)" for name in others))
        say(f"note: not for this net in {expect}: {names}")
    return calls


def _tolerance(model: Model) -> float:
    """What is right for the coarsest storage of the weights."""
    from ncnnparam.runtime.expected import FLOAT_TOLERANCE, HALF_TOLERANCE

    coarse = any(array.dtype.itemsize < 4 for layer in model.graph for array in layer.weights.values())
    return HALF_TOLERANCE if coarse else FLOAT_TOLERANCE


def _print_account(account: Account, verbose: bool) -> None:
    from ncnnparam.cli.table import print_table

    if account.changes and verbose:
        rows = [(name, ", ".join(note.layers), note.message) for name, note in account.changes]
        print_table(("repair", "layer", "what was done"), rows)
    elif account.changes:
        counts = Counter(name for name, _ in account.changes)
        first = dict(reversed(account.changes))
        summary = [(name, count, first[name]) for name, count in counts.items()]
        print_table(("repair", "places", "first place"), summary, right=("places",))
    lines = [f"kept: {note}" for note in account.kept] + [f"left: {note}" for note in account.left]
    places = len(account.changes)
    lines.append(f"{places} {'place' if places == 1 else 'places'} repaired, {len(account.left)} left")
    emit("".join(f"{visible(line)}\n" for line in lines))


def _tell_files(account: Account, output: str | None, weights: str | None) -> None:
    if output is None:
        if account.changes:
            say("nothing is written: name a file with -o")
        return
    graph = account.model.graph
    say(f"wrote {output}: {graph.layer_count} layers, {graph.blob_count} blobs")
    if account.weights_changed:
        say(f"wrote {weights}: some weights are others now")
    else:
        say(f"the weights are as they were: {weights or 'the old .bin'} goes with {Path(output).name}")


def _proof(verdicts: list[Verdict], wrong: list[Verdict], limit: float) -> str:
    lines = [_wrong(verdict) for verdict in wrong]
    calls = list(dict.fromkeys(verdict.call for verdict in verdicts))
    for call in calls:
        errors = [verdict.error for verdict in verdicts if verdict.call == call]
        where = f"{call}: " if call else ""
        lines.append(f"{where}{len(errors)} outputs, off by {max(errors):.2g} at most (limit {limit:g})")
    return "".join(f"{visible(line)}\n" for line in lines)


def _wrong(verdict: Verdict) -> str:
    name = f"{verdict.call}.{verdict.blob}" if verdict.call else verdict.blob
    wanted, got = ("x".join(map(str, shape)) for shape in verdict.shapes)
    why = f"off by {verdict.error:.2g}" if verdict.error < float("inf") else f"{got} instead of {wanted}"
    return f"wrong: {name} is {why}"


def _note(note: Note) -> dict[str, Any]:
    return {"layers": list(note.layers), "message": note.message}


def _as_json(
    account: Account,
    target: str,
    output: str | None,
    weights: str | None,
    verdicts: list[Verdict],
    limit: float,
) -> dict[str, Any]:
    graph = account.model.graph
    return {
        "target": target,
        "repaired": [{"repair": name, **_note(note)} for name, note in account.changes],
        "left": [_note(note) for note in account.left],
        "kept": [_note(note) for note in account.kept],
        "layers": graph.layer_count,
        "blobs": graph.blob_count,
        "param": output,
        "bin": None if weights is None else os.fspath(weights),
        "weights_changed": account.weights_changed,
        "outputs": [
            {
                "call": verdict.call,
                "blob": verdict.blob,
                "error": verdict.error if verdict.error < float("inf") else None,
                "within": verdict.is_within(limit),
                "shape": list(verdict.shapes[1]),
            }
            for verdict in verdicts
        ],
    }
