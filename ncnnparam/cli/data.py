"""Options of the commands that run models on data, and what they say of data that cannot be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ncnnparam.cli.common import PATH, say

if TYPE_CHECKING:
    from ncnnparam.quantize.data import Items
    from ncnnparam.weights import WeightFile

Command = TypeVar("Command", bound=Callable[..., Any])


class Amount(click.FloatRange):
    """A number in a range, or at least a number: NaN is none, which click lets pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Reads a number."""
        number = super().convert(value, param, ctx)
        if isinstance(number, float) and math.isnan(number):
            self.fail(f"'{value}' is no number", param, ctx)
        return number


NETS = ("encoder", "decoder", "joiner")
FORMATS = ("text", "table", "json")

npy_option = click.option(
    "--npy",
    metavar="LIST|DIR",
    type=PATH,
    help="Inputs as .npy files, or .npz files with an array for each input: a folder, or a list of files.",
)
"""Adds ``--npy``."""

skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Go on without files that cannot be used, and list them."
)
"""Adds ``--skip-bad``."""

top_option = click.option(
    "--top", type=click.IntRange(min=0), default=20, show_default=True, help="Layers to print; 0: all."
)
"""Adds ``--top``."""

report_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to report; by default a table on a terminal and text elsewhere.",
)
"""Adds ``--format``; the command gets ``form``."""

tokens_option = click.option(
    "--tokens", metavar="FILE", type=PATH, help="The tokens.txt, to make words of tokens."
)
"""Adds ``--tokens``."""

transcripts_option = click.option(
    "--transcripts",
    metavar="FILE",
    type=PATH,
    help="What is said: on each line the name of a wav and the text. Needs --tokens.",
)
"""Adds ``--transcripts``."""


def wavs_option(whose: str) -> Callable[[Command], Command]:
    """Adds ``--wavs``.

    Args:
        whose: What they are for, for the help.
    """
    return click.option("--wavs", metavar="LIST|DIR", type=PATH, help=f"Speech of 16 kHz, mono, {whose}.")


def html_option(what: str) -> Callable[[Command], Command]:
    """Adds ``--html``.

    Args:
        what: What the page shows, for the help.
    """
    return click.option("--html", metavar="FILE", type=PATH, help=f"Also write a page: {what}.")


def nets_options(help: str, *, multiple: bool = False) -> Callable[[Command], Command]:
    """Adds ``--encoder``, ``--decoder`` and ``--joiner``, each with two files.

    Args:
        help: Of each, with ``{net}`` for its name.
        multiple: They may be repeated.
    """

    def add(command: Command) -> Command:
        for net in reversed(NETS):
            command = click.option(
                f"--{net}",
                nargs=2,
                multiple=multiple,
                type=PATH,
                metavar="P B",
                help=help.format(net=net),
            )(command)
        return command

    return add


def tell_skipped(bad: Mapping[str, str]) -> None:
    """Says which files were left out, and why."""
    for name, why in bad.items():
        say(f"skipped {name}: {why}")


def warn_of_leftovers(pairs: Iterable[tuple[str, str]]) -> None:
    """Tells of each ``.bin`` that is longer than its graph reads."""
    from ncnnparam.model import load

    for param, weights in pairs:
        warn_of_leftover(param, load(param, weights).file)


def warn_of_leftover(param: str, file: WeightFile | None) -> None:
    """Tells of a ``.bin`` that is longer than its graph reads, as that of another model may be."""
    if file is not None and file.leftover:
        say(
            f"warning: NP605 {file.path}: {len(file.leftover):,} bytes are left over behind the last array "
            f"of {param}; ncnnparam check tells why"
        )


def about_items(items: Items) -> dict[str, Any]:
    """How many items were run and which ones were not, for json."""
    return {
        "items": len(items.good),
        "skipped": [{"item": name, "why": why} for name, why in items.bad.items()],
    }


def write_page(path: str, text: str) -> None:
    """Writes a page of HTML, so that the file is the old one or the new one and never half."""
    from ncnnparam.syntax import write_atomic

    write_atomic(path, text)
