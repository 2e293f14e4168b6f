"""``ncnnparam view``: a model as a drawing."""

from __future__ import annotations

import contextlib
import shutil
from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from ncnnparam.cli.common import emit, max_size_option, model_argument, read_model, say

if TYPE_CHECKING:
    from ncnnparam.graph import Graph

TEXTS = (".dot", ".gv")
DRAWINGS = (".svg", ".png", ".pdf")
TIMEOUT = 300
"""Seconds that Graphviz may take; thousands of layers take it minutes."""


@click.command(name="view")
@model_argument
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Write a drawing: .dot, or .svg, .png or .pdf through Graphviz. - is standard output, as dot.",
)
@click.option("--no-open", is_flag=True, help="Write a drawing even if netron is installed.")
@max_size_option
def command(model: str, output: str | None, no_open: bool, max_size: int) -> None:
    """Draw a model: in netron if that is installed, else by Graphviz.

    Without netron, and without -o, the drawing is MODEL.svg, or MODEL.dot if Graphviz is missing too.
    Layers are boxes, Splits points, blobs edges with their names.

    \b
    ncnnparam view encoder.ncnn.param
    ncnnparam view encoder.ncnn.param -o encoder.svg
    ncnnparam extract encoder.ncnn.param --outputs 143 -o - | ncnnparam view - -o head.dot
    """
    loaded = read_model(model, max_size)
    if output is None and not no_open and loaded.path is not None and find_spec("netron") is not None:
        _open_in_netron(loaded.path)
        return
    if output is None:
        ending = ".svg" if shutil.which("dot") else ".dot"
        output = "-" if loaded.path is None else loaded.path + ending
    _draw(loaded.graph, output)


def _open_in_netron(path: str) -> None:
    """Shows a model in the browser until the user stops it."""
    import netron

    with contextlib.suppress(KeyboardInterrupt):  # the usual way to end it
        netron.start(path)
        say("press Ctrl-C to end")
        netron.wait()


def _draw(graph: Graph, output: str) -> None:
    from ncnnparam.syntax import write_atomic
    from ncnnparam.views.dot import dot

    ending = PurePath(output).suffix.lower()
    if output == "-":
        emit(dot(graph))
        return
    if ending not in (*TEXTS, *DRAWINGS):
        raise click.BadParameter(f"'{output}' must end in {', '.join((*TEXTS, *DRAWINGS))}", param_hint="-o")
    text = dot(graph)
    write_atomic(output, text if ending in TEXTS else _rendered(text, ending[1:]))
    say(f"wrote {output}")


def _rendered(text: str, form: str) -> bytes:
    """A drawing that Graphviz's dot program makes, as a child process.

    Raises:
        FileError: It is not installed, fails, or takes too long.
    """
    import subprocess

    from ncnnparam.errors import FileError

    hint = "write the drawing as text instead: -o OUT.dot"
    program = shutil.which("dot")
    if program is None:
        raise FileError(
            f"{form} needs Graphviz, and its program 'dot' is not here", hint=f"install it, or {hint}"
        )
    try:
        done = subprocess.run(
            [program, f"-T{form}"], input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise FileError(f"Graphviz has not drawn this in {TIMEOUT} seconds", hint=hint) from None
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace").strip()
        raise FileError(f"Graphviz failed with status {done.returncode}: {message}", hint=hint)
    return done.stdout
