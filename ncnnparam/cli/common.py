"""What several commands share: their options, and reading and writing models."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.model import Model

Command = TypeVar("Command", bound=Callable[..., Any])

FOUND = 1
"""Exit code for "differences found" and "problems found"."""
TROUBLE = 2
"""Exit code for what went wrong."""

OPS = "ncnnparam.ops"
"""Where click's context has the files of ``--ops``."""

_SIZE = re.compile(r"(\d+)([KMG]?)B?", re.IGNORECASE)
_ESCAPES = {
    code: f"\\x{code & 0xFF:02x}"
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0xDC80, 0xDD00))
}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _size(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """A number of bytes from ``800000``, ``64M`` or ``2G``."""
    match = _SIZE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"'{value}' is no size: write 800000, 64M or 2G")
    return int(match[1]) * _UNITS[match[2].upper()]


PATH = click.Path(readable=False)
"""A path on a command line. Whether it can be read shows when it is, and then the error has a code."""
PATH_OR_STREAM = click.Path(allow_dash=True, readable=False)
"""The same, or ``-`` for a standard stream."""

model_argument = click.argument("model", metavar="MODEL", type=PATH_OR_STREAM)
"""The model that a command reads; the shell completes it as a file."""

bin_argument = click.argument("weights", metavar="[BIN]", type=PATH, required=False)
"""The weights that go with a model, if they are to be read too; the command gets ``weights`` or None."""

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Text for people or json for programs.",
)
"""Adds ``--format``; the command gets ``form``."""


def max_size_option(command: Command) -> Command:
    """Adds ``--max-size``; the command gets ``max_size`` in bytes."""
    return click.option(
        "--max-size",
        callback=_size,
        metavar="SIZE",
        default="256M",
        show_default=True,
        help="The largest file to read.",
    )(command)


def ops_option(command: Command) -> Command:
    """Adds ``--ops``; the declared types are known before the command runs, which gets nothing."""
    return click.option(
        "--ops",
        metavar="FILE",
        multiple=True,
        expose_value=False,
        callback=_load_ops,
        type=PATH,
        help="A TOML file that declares layer types of your own; may be repeated.",
    )(command)


def _load_ops(ctx: click.Context, param: click.Parameter, files: tuple[str, ...]) -> None:
    from ncnnparam.ops.registry import load_ops

    for file in () if ctx.resilient_parsing else files:
        if file == "-":
            raise click.BadParameter("name a file; standard input is for models")
        load_ops(file)
    ctx.meta[OPS] = files


def require_use(needed: str, *names: str) -> None:
    """Refuses options that have no effect here, if they were given.

    Args:
        needed: What would give them one, such as ``--images``.
        names: The names of their parameters.

    Raises:
        click.UsageError: One was given.
    """
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} is for {needed}")


def output_options(command: Command) -> Command:
    """Adds ``-o`` and ``--backup``; the command gets ``output`` and ``backup``."""
    for option in (
        click.option("--backup", is_flag=True, help="Keep the old file as FILE.bak."),
        click.option(
            "-o",
            "--output",
            metavar="OUT",
            help="Where to write; by default the model is changed in place. - is standard output.",
        ),
    ):
        command = option(command)
    return command


def edit_options(command: Command) -> Command:
    """Adds ``-o``, ``--backup`` and ``--dry-run``: what ``finish_edit`` takes."""
    dry_run = click.option("-n", "--dry-run", is_flag=True, help="Show the changed lines and write nothing.")
    return output_options(dry_run(command))


def read_model(path: str, max_size: int, weights: str | None = None) -> Model:
    """Reads a model for a command that changes or shows it, with its ``.bin`` if that is named."""
    from ncnnparam.model import load

    return load(path, weights, max_size=max_size)


def find_layers(graph: Graph, text: str, *, type: str | None = None) -> list[Layer]:
    """The layers that a text on the command line means, at least one, in the order of the graph.

    A layer of that very name wins, whatever the name looks like. A single word is next a glob of names, and
    if no name matches, a type or a glob of types; anything else is a selector (``docs/selectors.md``).

    Args:
        graph: The graph.
        text: A name, a glob or a selector.
        type: A glob that the layers' types must match too.

    Raises:
        NotFoundError: There is no such layer.
        ParseError: The text is no word and no selector either.
    """
    from ncnnparam.errors import NotFoundError, did_you_mean
    from ncnnparam.selectors import is_word, select

    allowed = graph.find(type)
    found = [layer for layer in allowed if layer.name == text]
    if found:
        return found
    word = is_word(text)
    meant = set(graph.find(name=text) or graph.find(text) if word else select(graph, text))
    found = [layer for layer in allowed if layer in meant]
    if found:
        return found
    if type is not None:
        raise NotFoundError(f"no layer is of a type '{type}' and matches '{text}'")
    if not word:
        raise NotFoundError(f"no layer matches '{text}'")
    names, types = [layer.name for layer in graph], [layer.type for layer in graph]
    hint = did_you_mean(text, names) or did_you_mean(text, types)
    raise NotFoundError(f"there is no layer '{text}'", hint=hint)


def write_model(model: Model, output: str | None, *, backup: bool = False) -> None:
    """Writes a model: to ``output``, else in place; what came from stdin goes to stdout.

    Weights that were read are written too, to the ``.bin`` that has the name of the ``.param``.
    """
    from ncnnparam.model import dump, save
    from ncnnparam.syntax.pairing import bin_of

    target = output if output is not None else model.path or "-"
    weights: str | os.PathLike[str] | None = None
    if model.file is not None:
        if target == "-":
            raise click.UsageError("a pair of files cannot go to standard output: name one with -o")
        weights = bin_of(target) if output is not None else model.file.path
    if target == "-":
        dump(model, "-")
    else:
        save(model, target, weights, backup=backup)


def finish_edit(model: Model, output: str | None, backup: bool, dry_run: bool) -> None:
    """Writes what a command has edited, with true counts, or only shows the changed lines.

    A file that would stay as it is is not written, so that it keeps its time stamp.
    """
    from ncnnparam.graph import correct_counts
    from ncnnparam.model import dumps
    from ncnnparam.syntax import unparse

    old = unparse(model.graph.syntax) if model.graph.syntax is not None else ""
    correct_counts(model.graph)
    if dry_run:
        emit(changed_lines(old, dumps(model), model.path or "-"))
    elif (
        output not in (None, model.path)
        or model.path is None
        or model.file is not None  # weights may have changed; the .bin is left alone if they have not
        or dumps(model) != old
    ):
        write_model(model, output, backup=backup)


def changed_lines(old: str, new: str, name: str, *, context: int = 0) -> str:
    """The lines that differ, as a unified diff, by default without context; empty if there are none."""
    from difflib import unified_diff

    # only \n ends a line here: a name may hold what str.splitlines takes for a line end
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (old, new))
    lines = unified_diff(before, after, name, name, n=context)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def emit(text: str) -> None:
    """Writes to standard output: byte for byte into a pipe or file, and nothing that steers a terminal."""
    from ncnnparam.syntax import write_stdout

    write_stdout(visible(text) if sys.stdout.isatty() else text)


def emit_json(value: object) -> None:
    """Writes a value as json to standard output; bytes that are no UTF-8 become U+FFFD."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    emit(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def visible(text: str) -> str:
    """Text from strangers, such as names, with control characters and bytes that are no UTF-8 as escapes."""
    return text.translate(_ESCAPES)


def say_names(what: str, names: Sequence[str], *, most: int = 8) -> None:
    """Tells the user something about layers, naming only the first ones."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    say(f"{what}: {', '.join(names[:most])}{more}")


def warn_of_weights(layers: Sequence[Layer], gone: Container[Layer]) -> None:
    """Tells the user that the ``.bin`` no longer fits, if it does not.

    Args:
        layers: The layers as they were, in their order.
        gone: Those that were removed.
    """
    from ncnnparam.views.layers import in_the_way

    names = [layer.name for layer in in_the_way(layers, gone)]
    if names:
        say_names("warning: the .bin no longer fits; it still has the weights of removed layers", names)


def say(message: str) -> None:
    """Tells the user something beside the output, which may be a file that is piped on."""
    click.echo(visible(message), err=True)
