"""``ncnnparam quantize``: an int8 model from a float one and a calibration table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ncnnparam.cli.common import (
    PATH,
    TROUBLE,
    emit,
    emit_json,
    format_option,
    max_size_option,
    ops_option,
    require_use,
    say,
)
from ncnnparam.cli.data import (
    Amount,
    nets_options,
    npy_option,
    skip_bad_option,
    tokens_option,
    transcripts_option,
    warn_of_leftover,
    wavs_option,
)
from ncnnparam.cli.quantization import NO_BIN, as_json, as_text, finding_json, require_new_files, warnings

if TYPE_CHECKING:
    from ncnnparam.checks import Finding
    from ncnnparam.graph import Graph
    from ncnnparam.model import Model
    from ncnnparam.ops.versions import Target
    from ncnnparam.quantize.accuracy_sensitivity import LayerCost
    from ncnnparam.quantize.low_bit import Clip
    from ncnnparam.quantize.table import Table

NCNN2INT8 = "ncnn2int8"
STORAGES = ("fp16", "fp32", "bf16", "keep")


@click.command(name="quantize", epilog="Exit codes: 0 written, 2 trouble; then the old files are untouched.")
@click.argument("model", metavar="IN.param", type=PATH)
@click.argument("weights", metavar="IN.bin", type=PATH)
@click.argument("output", metavar="OUT.param", type=PATH)
@click.argument("new_weights", metavar="OUT.bin", type=PATH)
@click.option("--table", "table_path", metavar="TABLE", type=PATH, help="The calibration table.")
@click.option("--only", metavar="SELECTOR", help="Quantise nothing but these layers (docs/selectors.md).")
@click.option("--skip", metavar="SELECTOR", help="Leave these layers in float.")
@click.option(
    "--low-bit", type=click.Choice(("4", "6", "8")), help="Pack matrices of Gemm and attention instead."
)
@click.option(
    "--block",
    type=click.Choice(("32", "64", "128")),
    default="64",
    show_default=True,
    help="With --low-bit: how many numbers share a scale.",
)
@click.option(
    "--clip",
    type=click.Choice(("mse", "minmax")),
    default="mse",
    show_default=True,
    help="With --low-bit: clip large weights if the others gain more, or never.",
)
@click.option("--no-lower-gemm", is_flag=True, help="Leave Gemm layers Gemm: one scale for a whole matrix.")
@click.option(
    "--storage",
    type=click.Choice(STORAGES),
    default="fp16",
    show_default=True,
    help="How to store the weights that stay in float.",
)
@click.option(
    "--target",
    "target_name",
    metavar="TARGET",
    help="Quantise only what this runtime reads: ncnn-20250916, sherpa-ncnn-2.1.15, latest.",
)
@click.option(
    "--keep-worst",
    type=click.IntRange(min=1),
    metavar="N",
    help="Leave the N layers in float that hurt most on --npy or --wavs.",
)
@click.option(
    "--min-sqnr",
    type=Amount(-200, 200),
    metavar="DB",
    help="Leave so many layers in float that every output has this SQNR on --npy or --wavs.",
)
@click.option(
    "--max-wer-loss",
    type=Amount(min=0),
    metavar="WORDS",
    help="Leave so many layers in float that of 100 words no more than these are wrong in addition. "
    "Needs --wavs, --tokens, --transcripts and the two other nets.",
)
@npy_option
@wavs_option("if IN is an encoder")
@tokens_option
@transcripts_option
@nets_options("For --max-wer-loss, if IN is none: the .param and .bin of the {net}.")
@skip_bad_option
@click.option(
    "--compat",
    type=click.Choice((NCNN2INT8,)),
    help="Write what the C++ tool would, byte for byte, its faults included.",
)
@click.option("--backup", is_flag=True, help="Keep the old files with .bak added to their names.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would be done and write nothing.")
@format_option
@ops_option
@max_size_option
def command(
    model: str,
    weights: str,
    output: str,
    new_weights: str,
    table_path: str | None,
    only: str | None,
    skip: str | None,
    low_bit: str | None,
    block: str,
    clip: Clip,
    no_lower_gemm: bool,
    storage: str,
    target_name: str | None,
    compat: str | None,
    backup: bool,
    dry_run: bool,
    form: str,
    max_size: int,
    **goal: Any,
) -> int:
    """Make an int8 model of a float one.

    Convolutions and InnerProduct need a calibration table, which has the scales of their inputs; ncnnparam
    calibrate makes one. Other types take their scales from it too, or from their weights. What is wrong with
    the table is reported first, and if it is an error nothing is written.

    \b
    ncnnparam quantize enc.param enc.bin enc.int8.param enc.int8.bin --table enc.table
    ncnnparam quantize m.param m.bin q.param q.bin --table m.table --skip 'name=conv_0,fc'
    ncnnparam quantize m.param m.bin q.param q.bin --only 'LSTM,Embed'
    ncnnparam quantize m.param m.bin q.param q.bin --table m.table --target sherpa-ncnn-2.1.15
    ncnnparam quantize m.param m.bin q.param q.bin --low-bit 4 --block 32
    ncnnparam quantize m.param m.bin q.param q.bin --table m.table --npy inputs/ --min-sqnr 30
    ncnnparam quantize m.param m.bin q.param q.bin --table m.table --compat ncnn2int8
    """
    from ncnnparam.cli.mixed import mixed_options, require_goal
    from ncnnparam.model import load
    from ncnnparam.quantize.table import Table

    given = [name for name, value in (("--only", only), ("--skip", skip), ("--target", target_name)) if value]
    given += ["--no-lower-gemm"] if no_lower_gemm else []
    if not low_bit:
        require_use("--low-bit", "block", "clip")
    if low_bit and (table_path or compat or no_lower_gemm):
        raise click.UsageError(
            "--low-bit packs floats as they are: no table, --compat or --no-lower-gemm with it"
        )
    given += [f"--storage {storage}"] if storage != STORAGES[0] else []
    if compat and given:
        raise click.UsageError(f"--compat does what the C++ tool does, which has no {given[0]}")
    is_mixed = require_goal(goal)
    if is_mixed and (low_bit or compat):
        raise click.UsageError(f"{is_mixed} does not go with --low-bit or --compat")
    if "-" in (output, new_weights):
        raise click.UsageError("a pair of files cannot go to standard output: name OUT.param and OUT.bin")
    require_new_files()
    source = load(model, None if compat and weights == NO_BIN else weights, max_size=max_size)
    warn_of_leftover(model, source.file)
    table = None if table_path is None else Table.read(table_path, max_size=max_size)
    if compat:
        return _as_ncnn2int8(
            source, table, Files(output, new_weights, backup, dry_run), form, weights == NO_BIN
        )
    findings = _findings(table, source.graph, native=True)
    if _tell(findings, table_path):
        say("nothing is written: first mend the table; ncnnparam table edit helps")
        return TROUBLE
    from ncnnparam.quantize.int8 import Options, quantize
    from ncnnparam.quantize.low_bit import LowBit
    from ncnnparam.weights import Storage

    options = Options(
        only,
        skip,
        _target(target_name),
        not no_lower_gemm,
        None if low_bit is None else LowBit(int(low_bit), int(block), clip),
        None if storage == "keep" else Storage(storage),
    )
    kept: list[LayerCost] = []
    if is_mixed:
        options, kept = mixed_options((model, weights), table, options, goal)
    result = quantize(source.graph, table, options)
    nothing = not any(layer.int8 or layer.packed for layer in result.layers)
    if not dry_run and not nothing:
        source.save(output, new_weights, backup=backup)
    if form == "json":
        emit_json(as_json(result, findings, kept))
    else:
        emit(as_text(result, kept))
    for warning in warnings(result):
        say(f"warning: {warning}")
    if nothing:
        say("error: no layer can be quantised; nothing is written")
    return TROUBLE if nothing else 0


class Files(NamedTuple):
    """Where to write, and how."""

    output: str
    weights: str
    backup: bool
    dry_run: bool


def _as_ncnn2int8(model: Model, table: Table | None, files: Files, form: str, made_up: bool) -> int:
    """Writes what the C++ tool would, and says what that loses."""
    from ncnnparam.checks import check
    from ncnnparam.quantize.compat import ncnn2int8
    from ncnnparam.quantize.compat.rules import COMPAT_RULES

    losses = check(model.graph, rules=COMPAT_RULES)
    findings = _findings(table, model.graph, native=False)
    _tell(findings, table.name if table is not None else None)
    if _tell(losses, model.path):
        return TROUBLE
    converted = ncnn2int8(model, table, random=made_up)
    if not files.dry_run:
        converted.save(files.output, files.weights, backup=files.backup)
    names = [draft.layer.name for draft in converted.drafts if draft.is_quantized]
    if form == "json":
        emit_json({"int8": names, "findings": [finding_json(one) for one in (*findings, *losses)]})
    else:
        emit(f"int8 as ncnn2int8 makes it: {len(names)} layers\n")
    if not names:
        say("warning: ncnn2int8 leaves all layers in float, and says nothing: it has no scales for any")
    return 0


def _findings(table: Table | None, graph: Graph, *, native: bool) -> list[Finding]:
    from ncnnparam.quantize.table_rules import check_table

    return [] if table is None else check_table(table, graph, native=native)


def _tell(findings: list[Finding], file: str | None) -> bool:
    """Tells errors and warnings on standard error; returns whether there are errors."""
    from ncnnparam.checks import Severity
    from ncnnparam.checks.report import Checked, as_text

    serious = [one for one in findings if one.severity is not Severity.INFO]
    if serious:
        say(as_text([Checked(file or "<memory>", serious)]).rstrip("\n"))
    return any(one.severity is Severity.ERROR for one in serious)


def _target(name: str | None) -> Target | None:
    from ncnnparam.ops.versions import target

    return None if name is None else target(name)
