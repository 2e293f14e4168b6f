"""``ncnnparam pipeline``: the whole way from a checkpoint to a verified int8 model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import FOUND, PATH, emit, emit_json, format_option, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ncnnparam.pipeline.config import Model

config_argument = click.argument("config", metavar="[CONFIG]", required=False, type=PATH)
only_option = click.option("--only", metavar="MODEL", multiple=True, help="Only this model. May be repeated.")


@click.group(name="pipeline")
def command() -> None:
    """Turn a PyTorch checkpoint into an int8 model that sherpa-ncnn runs, and prove that it works.

    A config says what there is; stages do the rest: source, trace, tokens, convert, repair, prove, inject,
    calibrate, quantize, assemble, check, verify, report. What is up to date is not done again.

    \b
    ncnnparam pipeline init
    ncnnparam pipeline run
    ncnnparam pipeline status
    """


@command.command(name="init", epilog="Exit codes: 0 written, 2 trouble.")
@click.argument("folder", metavar="[FOLDER]", default=".", type=PATH)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PATH,
    help="The config, or - for stdout; ncnnparam.toml in FOLDER by default.",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take what is found.")
@click.option("--force", is_flag=True, help="Write over a config that is there.")
def init(folder: str, output: str | None, yes: bool, force: bool) -> int:
    """Write a commented config, from what lies in a folder.

    Looks for TorchScript or checkpoints, bpe.model or tokens.txt, wavs, and the script or the log of
    icefall's export, and asks about what it does not find.

    \b
    ncnnparam pipeline init
    ncnnparam pipeline init exp -o lstm.toml --yes
    """
    import sys

    from ncnnparam.errors import FileError
    from ncnnparam.optional import need

    need("msgspec", "pipeline")
    from ncnnparam.pipeline.init import QUESTIONS, render, search
    from ncnnparam.syntax import write_atomic

    place = Path(output) if output is not None else Path(folder) / "ncnnparam.toml"
    if place.is_dir():
        raise FileError(f"{place} is a folder", hint="-o names the config in it, such as ncnnparam.toml")
    if output != "-" and place.exists() and not force:
        raise FileError(f"{place} exists", hint="--force writes over it")
    found = search(Path(folder), place.parent)
    if not yes and sys.stdin.isatty():
        for name, question in QUESTIONS.items():
            if name not in found.answers:
                answer = click.prompt(question, default="", show_default=False, prompt_suffix=" ", err=True)
                found.answers.update({name: answer} if answer else {})
    for line in found.notes:
        say(line)
    if output == "-":
        emit(render(found))
        return 0
    write_atomic(place, render(found))
    say(f"wrote {place}: look it over, then ncnnparam pipeline run {place}")
    return 0


@command.command(
    name="run",
    epilog="Exit codes: 0 all went well, 1 there is something to look at, 2 trouble; run again to go on.",
)
@config_argument
@click.option(
    "--from", "begin", metavar="STAGE", default="", help="Begin here; take what is before as it is."
)
@click.option("--until", "end", metavar="STAGE", default="", help="End behind this stage.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would be done, and why, and do nothing.")
@click.option("--force", is_flag=True, help="Do it all again.")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes of a stage."
)
@only_option
@format_option
def run(
    config: str | None,
    begin: str,
    end: str,
    dry_run: bool,
    force: bool,
    jobs: int,
    only: tuple[str, ...],
    form: str,
) -> int:
    """Run the stages that are not up to date.

    CONFIG is ncnnparam.toml, .yaml or .json in the working folder by default. A run that was interrupted or
    killed goes on where it was. With --format json there is one object at the end.

    \b
    ncnnparam pipeline run
    ncnnparam pipeline run lstm.toml -j 2
    ncnnparam pipeline run --until repair
    ncnnparam pipeline run --from quantize --force
    ncnnparam pipeline run --dry-run
    """
    models = _models(config, only)  # first: it tells if the package is missing that the others need
    from ncnnparam.cli.interrupt import terminable
    from ncnnparam.cli.pipeline_view import view
    from ncnnparam.pipeline.runner import Options, plan
    from ncnnparam.pipeline.runner import run as run_stages

    options = Options(begin, end, force, jobs)
    with view(form, several=len(models) > 1) as shown, terminable():
        (plan if dry_run else run_stages)(models, options, shown)
    if form == "json":
        emit_json({"models": shown.as_json({model.name: model.output.folder for model in models})})
    elif not dry_run:
        for model in models:
            emit(f"{model.name}: {model.output.folder}\n")
    return FOUND if shown.problems else 0


@command.command(
    name="status", epilog="Exit codes: 0 all is up to date, 1 something is to be done, 2 trouble."
)
@config_argument
@only_option
@format_option
def status(config: str | None, only: tuple[str, ...], form: str) -> int:
    """Tell how each stage stands: done, stale or missing, when it ran, how long it took, and why it is stale.

    \b
    ncnnparam pipeline status
    ncnnparam pipeline status lstm.toml --format json
    """
    models = _models(config, only)
    from ncnnparam.cli.table import print_table
    from ncnnparam.pipeline.runner import stand

    rows = [(model.name, stage, found) for model in models for stage, found in stand(model)]
    if form == "json":
        emit_json(
            [
                {
                    "model": model,
                    "stage": stage,
                    "state": found.state.value,
                    "why": found.why,
                    "seconds": found.record.seconds if found.record is not None else None,
                    "finished": found.record.finished if found.record is not None else None,
                }
                for model, stage, found in rows
            ]
        )
    else:
        several = len(models) > 1
        header = (*(("model",) if several else ()), "stage", "state", "seconds", "finished", "why")
        print_table(
            header,
            [
                (
                    *((model,) if several else ()),
                    stage,
                    found.state.value,
                    f"{found.record.seconds:.1f}" if found.record is not None else None,
                    found.record.finished if found.record is not None else None,
                    found.why,
                )
                for model, stage, found in rows
            ],
            right=("seconds",),
        )
    return FOUND if any(found.is_open for _, _, found in rows) else 0


def _models(config: str | None, only: Sequence[str]) -> list[Model]:
    """The models of a config that are asked for."""
    from ncnnparam.errors import NotFoundError, did_you_mean
    from ncnnparam.optional import need
    from ncnnparam.speech.config import find_config

    need("msgspec", "pipeline")
    from ncnnparam.pipeline.config_read import read_models

    models = read_models(config if config is not None else find_config())
    names = [model.name for model in models]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise NotFoundError(f"there is no model '{name}'", hint=hint)
    return [model for model in models if not only or model.name in only]
