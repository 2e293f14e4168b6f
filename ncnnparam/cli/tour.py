"""The tour of ``ncnnparam demo --tour``: everyday commands on an encoder that comes with the package."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncnnparam.cli.common import FOUND

if TYPE_CHECKING:
    from ncnnparam.runtime import Outcome

DATA = Path(__file__).resolve().parents[1] / "demo"
FILES = ("encoder.ncnn.param", "encoder.ncnn.bin", "ncnnparam.toml")
INJECTED = "with-meta.param"
STEPS = (
    ["check", "encoder.ncnn.param"],
    ["inject-meta", "encoder.ncnn.param", "--from-config", "-o", INJECTED],
    ["diff", "encoder.ncnn.param", INJECTED],
    ["check", INJECTED],
)
TOLERANCE = 1e-4
"""Largest difference from torch that counts as the same; the tool that made the encoder asks for it too."""


def tour(keep: str | None, as_json: bool) -> int:
    """Runs the commands and the encoder, and shows what they print.

    Args:
        keep: A folder to leave the files in; by default they are thrown away.
        as_json: Print the result as json only.

    Returns:
        The exit code.
    """
    with _folder(keep) as folder:
        for name in FILES:
            shutil.copyfile(DATA / name, folder / name)
        with _working_in(folder):
            steps = [_step(args, as_json) for args in STEPS]
        outcome = _run(folder)
        worst = _worst_difference(outcome) if outcome.ok else None
        good = (
            [step["exit_code"] for step in steps] == [0, 0, 1, 0] and worst is not None and worst < TOLERANCE
        )
        if as_json:
            result = {
                "steps": steps,
                "ncnn": outcome.version,
                "problem": outcome.problem,
                "difference": worst,
            }
            click.echo(json.dumps({"ok": good, **result}))
        else:
            _tell(outcome, worst, folder if keep else None)
    return 0 if good else FOUND


@contextlib.contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="ncnnparam-demo-") as name:
            yield Path(name)
    else:
        Path(keep).mkdir(parents=True, exist_ok=True)
        yield Path(keep)


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Changes the working folder, so that the commands and what they print have plain file names."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _step(args: list[str], quiet: bool) -> dict[str, Any]:
    """Runs one command as a user would, and shows it."""
    from ncnnparam.cli.main import cli

    line = " ".join(["ncnnparam", *args])
    if quiet:
        unseen = io.TextIOWrapper(io.BytesIO())
        with contextlib.redirect_stdout(unseen), contextlib.redirect_stderr(unseen):
            status = cli.main(args, prog_name="ncnnparam", standalone_mode=False)
    else:
        click.secho(f"$ {line}", bold=True)
        status = cli.main(args, prog_name="ncnnparam", standalone_mode=False)
        click.echo()
    return {"command": line, "exit_code": status or 0}


def _run(folder: Path) -> Outcome:
    """Feeds the encoder with metadata one chunk of random features and states."""
    import numpy as np

    from ncnnparam.runtime import run_net

    with np.load(DATA / "expected.npz", allow_pickle=False) as arrays:
        inputs = {name.split(".")[1]: arrays[name] for name in arrays if name.startswith("chunk0.in")}
        outputs = [name.split(".")[1] for name in arrays if name.startswith("chunk0.out")]
    return run_net(folder / INJECTED, folder / FILES[1], inputs, outputs, custom_types=["SherpaMetaData"])


def _worst_difference(outcome: Outcome) -> float:
    """Largest absolute difference of any output from what torch gave."""
    import numpy as np

    with np.load(DATA / "expected.npz", allow_pickle=False) as arrays:
        return max(
            float(np.abs(array - arrays[f"chunk0.{name}"]).max()) for name, array in outcome.outputs.items()
        )


def _tell(outcome: Outcome, worst: float | None, kept: Path | None) -> None:
    click.secho("the encoder in the real ncnn", bold=True)
    if worst is None:
        click.echo("\n".join([outcome.problem, *outcome.messages]))
    else:
        verdict = "the same numbers as torch" if worst < TOLERANCE else "not the numbers of torch"
        click.echo(
            f"ncnn {outcome.version} loads it with its metadata and computes {len(outcome.outputs)} blobs:"
        )
        click.echo(f"{verdict}, largest difference {worst:.1e}")
    if kept is not None:
        click.echo(f"the files are in {kept}")
