"""``ncnnparam opt``: runs passes on a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import (
    FOUND,
    bin_argument,
    changed_lines,
    edit_options,
    emit_json,
    finish_edit,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
)

if TYPE_CHECKING:
    from ncnnparam.model import Model
    from ncnnparam.passes import Note, Report, Step
    from ncnnparam.passes.manager import Verifier

_SHAPE = re.compile(r"(.+)=(\d+(?:,\d+){0,3})")


def _shapes(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """Shapes by input from ``in0=39,80``."""
    found = {}
    for value in values:
        match = _SHAPE.fullmatch(value)
        if match is None:
            raise click.BadParameter(f"'{value}' is no shape: write in0=39,80, the width last")
        found[match[1]] = tuple(map(int, match[2].split(",")))
    return found


@click.command(
    name="opt",
    epilog="Exit codes: 0 done, 1 done, but something is left for --target, 2 trouble: nothing is written.",
)
@model_argument
@bin_argument
@click.option(
    "--passes",
    "pipeline",
    metavar="PIPELINE",
    default="optimize",
    show_default=True,
    help="Passes, families or globs, with commas between them: fuse-*,eliminate-dropout.",
)
@click.option(
    "--pass", "extra", metavar="MODULE:NAME", multiple=True, help="Then run a pass out of a Python module."
)
@click.option(
    "--target",
    "target_name",
    metavar="TARGET",
    help="Then lower the model to this runtime (the pass lower): sherpa-ncnn-2.1.15, ncnn-20250916.",
)
@click.option("--until-stable", is_flag=True, help="Run it all again until nothing changes.")
@click.option("--verify", is_flag=True, help="After each pass, refuse a model with new errors.")
@click.option(
    "--verify-numbers", is_flag=True, help="After each pass, run the model on ncnn and compare all outputs."
)
@click.option(
    "--shape",
    "shapes",
    metavar="NAME=SIZES",
    multiple=True,
    callback=_shapes,
    help="The shape of an input that the file does not state, width last, as in in0=39,80.",
)
@click.option("--why", is_flag=True, help="Tell what was declined too, and why.")
@click.option("--timing", is_flag=True, help="Tell how long each pass took.")
@click.option("--print-after-change", is_flag=True, help="Show the changed lines after each pass.")
@format_option
@edit_options
@ops_option
@max_size_option
def command(
    model: str,
    weights: str | None,
    pipeline: str,
    extra: tuple[str, ...],
    target_name: str | None,
    until_stable: bool,
    verify: bool,
    verify_numbers: bool,
    shapes: dict[str, tuple[int, ...]],
    why: bool,
    timing: bool,
    print_after_change: bool,
    form: str,
    output: str | None,
    backup: bool,
    dry_run: bool,
    max_size: int,
) -> int:
    """Make a model smaller and faster, or run any passes on it.

    Without --passes it does what ncnnoptimize does, and more; ncnnparam passes lists the passes. With BIN the
    weights are changed too, and written beside OUT under its name; without, passes that need weights decline.
    What the file does not say about the shapes of its inputs, --shape can; of an encoder with SherpaMetaData
    they are known.

    \b
    ncnnparam opt model.param model.bin -o opt.param
    ncnnparam opt model.param model.bin -o opt.param --verify-numbers --shape in0=3,224,224
    ncnnparam opt model.param --passes 'eliminate-*,fuse-binaryop-eltwise' --dry-run
    ncnnparam opt model.param model.bin -o out.param --passes '' --pass my_passes:RenameActivations
    ncnnparam opt model.param model.bin -o out.param --passes '' --target sherpa-ncnn-2.1.15
    """
    from ncnnparam.cli.faults import tell_of_errors
    from ncnnparam.model import dumps
    from ncnnparam.passes import PassManager, catalog, parse_pipeline
    from ncnnparam.speech.streaming import fed_shapes
    from ncnnparam.views.shapes import know_shapes

    if verify_numbers and weights is None:
        raise click.UsageError("--verify-numbers runs the model: name its .bin too")
    if form == "json" and (dry_run or output == "-" or (output is None and model == "-")):
        raise click.UsageError("standard output takes the model or the account: name a file with -o")
    passes = [*parse_pipeline(pipeline), *(catalog.make(catalog.load(place), {}) for place in extra)]
    if target_name is not None:
        passes += [catalog.make(one, {"target": target_name}) for one in catalog.find("lower")]
    target = read_model(model, max_size, weights)
    know_shapes(target.graph, fed_shapes(target.graph) | shapes)
    text = dumps(target)

    def observe(step: Step, now: Model) -> None:
        nonlocal text
        if form == "text":
            _tell(step, why=why, timing=timing)
        if print_after_change and step.result.modified:
            after = dumps(now)
            if after != text:
                say(changed_lines(text, after, step.name).rstrip("\n"))
            text = after

    manager = PassManager(
        passes, verify=_verifier(verify, verify_numbers), until_stable=until_stable, observe=observe
    )
    report = manager(target)
    if weights is None and not dry_run:
        _refuse_new_weights(report.model)
    finish_edit(report.model, output, backup, dry_run)
    if form == "json":
        emit_json(_record(report, target))
    else:
        counts = (target.graph, report.model.graph)
        before, after = ((graph.layer_count, graph.blob_count) for graph in counts)
        say(f"layers {before[0]} -> {after[0]}, blobs {before[1]} -> {after[1]}")
    tell_of_errors(report.model.graph)
    left = report.steps[-1].result.declined if target_name is not None else []
    for note in left if form == "text" and not why else []:
        say(f"left: {note}")
    return FOUND if left else 0


def _refuse_new_weights(model: Model) -> None:
    """Without a ``.bin`` there is no place for the weights of layers that the passes have made."""
    from ncnnparam.errors import PassError

    made = next((layer for layer in model.graph if layer.weights), None)
    if made is not None:
        raise PassError(
            f"a pass has made {made.type} '{made.name}', which has weights",
            hint="name the .bin too; for a model without weights an empty file will do",
        )


def _verifier(verify: bool, numbers: bool) -> bool | Verifier:
    if not numbers:
        return verify
    from ncnnparam.runtime.compare import same_numbers

    return same_numbers()


def _tell(step: Step, *, why: bool, timing: bool) -> None:
    """What a step did, on standard error; a step that did nothing is not worth a line."""
    took = f" ({step.seconds * 1000:.1f} ms)" if timing else ""
    if step.result.modified or timing:
        changes = len(step.result.changes)
        count = f"{changes or 'no'} change{'' if changes == 1 else 's'}"
        unsaid = step.result.modified and not changes  # a pass may keep no account
        say(f"{step.name}: {'changed the model' if unsaid else count}{took}")
        for note in step.result.changes:
            say(f"  {note}")
    if why:
        for note in step.result.declined:
            say(f"  {step.name} declined {note}")


def _record(report: Report, before: Model) -> dict[str, object]:
    def notes(found: list[Note]) -> list[dict[str, object]]:
        return [{"layers": list(note.layers), "message": note.message} for note in found]

    steps = [
        {
            "pass": step.name,
            "modified": step.result.modified,
            "seconds": step.seconds,
            "layers": list(step.layers),
            "changes": notes(step.result.changes),
            "declined": notes(step.result.declined),
        }
        for step in report.steps
    ]
    return {
        "modified": report.modified,
        "layers": [before.graph.layer_count, report.model.graph.layer_count],
        "blobs": [before.graph.blob_count, report.model.graph.blob_count],
        "steps": steps,
    }
