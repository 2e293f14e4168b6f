"""``ncnnparam demo``: the whole pipeline on a recogniser that comes with the package."""

from __future__ import annotations

import click

from ncnnparam.cli.common import PATH

KINDS = ("conv-emformer", "lstm")


@click.command(
    name="demo", epilog="Exit codes: 0 it recognises as it should, 1 it does not, 2 it could not be run."
)
@click.option(
    "--kind",
    type=click.Choice((*KINDS, "both")),
    default=KINDS[0],
    show_default=True,
    help="Which recogniser.",
)
@click.option("--tour", is_flag=True, help="Show everyday commands on a small encoder instead.")
@click.option(
    "--keep",
    metavar="FOLDER",
    type=PATH,
    help="Keep all files there, and go on from there; by default only the report is kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON only.")
def command(kind: str, tour: bool, keep: str | None, as_json: bool) -> int:
    """Make an int8 model of a trained recogniser, and see that it still recognises.

    The way is that of the pipeline: the checkpoint is traced with torch, converted by pnnx, mended, proved,
    calibrated on speech and quantised, and the real sherpa-ncnn decodes spoken commands with it. That takes a
    minute or two. It needs all packages of ncnnparam[pipeline].

    --tour needs only ncnn: it checks an encoder, adds metadata, compares, and runs the result.

    \b
    ncnnparam demo
    ncnnparam demo --kind both --keep my-demo
    ncnnparam demo --tour
    """
    if tour:
        from ncnnparam.cli.tour import tour as run_tour

        return run_tour(keep, as_json)
    from ncnnparam.cli.recogniser import show

    return show(KINDS if kind == "both" else (kind,), keep, as_json)
