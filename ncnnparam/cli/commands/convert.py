"""``ncnnparam convert``: another storage of the weights, the binary form of the graph, C++ headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ncnnparam.cli.common import (
    FOUND,
    PATH,
    PATH_OR_STREAM,
    emit_json,
    format_option,
    max_size_option,
    ops_option,
)
from ncnnparam.cli.conversion import Outcome
from ncnnparam.cli.forms import Files, check_outputs, is_binary, sort_files
from ncnnparam.cli.progress import progress_bar

if TYPE_CHECKING:
    from ncnnparam.binparam import Guess, Reading
    from ncnnparam.model import Model
    from ncnnparam.weights.convert import Change


@click.command(
    name="convert",
    epilog="Exit codes: 0 converted, 1 converted and some numbers became infinite, 2 trouble.",
)
@click.argument(
    "files",
    metavar="IN.param [IN.bin] [OUT.param] [OUT.bin]",
    nargs=-1,
    required=True,
    type=PATH_OR_STREAM,
)
@click.option("--storage", type=click.Choice(("fp32", "fp16", "bf16")), help="How to store the weights.")
@click.option("--names", metavar="FILE", type=PATH, help="The .id.h with the names of a .param.bin.")
@click.option("--id-h", metavar="OUT", type=PATH, help="Write the names as a C++ header.")
@click.option("--mem-h", metavar="OUT", type=PATH, help="Write graph and weights as arrays of C++.")
@click.option("-i", "--in-place", is_flag=True, help="Replace the .bin by one with the new storage.")
@click.option("--backup", is_flag=True, help="Keep the old files with .bak added to their names.")
@format_option
@ops_option
@max_size_option
def command(
    files: tuple[str, ...],
    storage: str | None,
    names: str | None,
    id_h: str | None,
    mem_h: str | None,
    in_place: bool,
    backup: bool,
    form: str,
    max_size: int,
) -> int:
    """Convert a model: its weights to another storage, its graph to or from the binary form.

    The names of the files say what is what: .bin is weights, .param.bin the binary form of a graph, and
    anything else its text, with - for standard input and output. Headers are those that ncnn2mem writes.

    \b
    ncnnparam convert model.param model.bin half.param half.bin --storage fp16
    ncnnparam convert model.param model.bin half.bin --storage fp16
    ncnnparam convert model.param model.bin --storage bf16 --in-place --backup
    ncnnparam convert model.param model.param.bin --id-h model.id.h
    ncnnparam convert model.param.bin --names model.id.h model.param
    ncnnparam convert model.param model.bin --mem-h model.mem.h
    """
    job = sort_files(files)
    _check_sense(job, storage, in_place=in_place, headers=bool(id_h or mem_h), json=form == "json")
    check_outputs(
        [job.graph, names] if in_place else [job.graph, job.weights, names],
        [job.new_graph, job.weights if in_place else job.new_weights, id_h, mem_h],
    )
    source = _read(job, names, max_size)
    same_form = job.new_graph is None or is_binary(job.new_graph) == source.is_binary
    if same_form and not (storage or id_h or mem_h):
        raise click.UsageError("nothing would change: give --storage, or write the other form of the graph")
    if in_place:
        job = replace(job, new_weights=job.weights)
    outcome = Outcome(source.guesses, source.left_out, before=_size(source.model))
    outcome.changes = _write(source.model, job, storage, id_h, mem_h, backup)
    if id_h is not None:
        outcome.clashes = _clashes(source.model)
    if form == "json":
        emit_json(outcome.as_json(storage, [job.new_graph, job.new_weights, id_h, mem_h]))
    else:
        outcome.tell(storage, made_up_names=source.is_binary and names is None)
    return FOUND if any(change.overflowed for change in outcome.changes) else 0


class Source(NamedTuple):
    """The model to convert.

    Attributes:
        model: The model.
        is_binary: Whether its graph was read in the binary form.
        guesses: Params of a binary form whose kind was guessed.
        left_out: Bytes of a binary form that nobody reads.
    """

    model: Model
    is_binary: bool = False
    guesses: Sequence[Guess] = ()
    left_out: int = 0


def _check_sense(job: Files, storage: str | None, *, in_place: bool, headers: bool, json: bool) -> None:
    """Refuses what leaves open what to do."""
    if storage is not None and job.weights is None:
        raise click.UsageError(f"--storage is about weights: name the .bin behind {job.graph}")
    if in_place:
        if storage is None or job.new_graph is not None or job.new_weights is not None:
            raise click.UsageError("--in-place takes a .param, its .bin and --storage, and no other files")
        return
    if job.new_graph is None and job.new_weights is None and not headers:
        raise click.UsageError("say what to write: name new files behind the model, or --id-h or --mem-h")
    if storage is not None and job.new_weights is None and not headers:
        raise click.UsageError("--storage needs a new .bin: name it last, or take --in-place")
    if json and job.new_graph == "-":
        raise click.UsageError("the model and --format json cannot both go to standard output")


def _read(job: Files, names: str | None, max_size: int) -> Source:
    from ncnnparam.model import Model, loads
    from ncnnparam.syntax import finish_pair, read_text, source_name

    path, name = (None if job.graph == "-" else job.graph), source_name(job.graph)
    if path is not None:
        finish_pair(path)
    text = read_text(job.graph, max_size=max_size)
    data = text.encode("utf-8", "surrogateescape")  # as it is in the file
    if is_binary(job.graph) or _looks_binary(data):
        graph, guesses, left_out = _read_binary(data, names, name, max_size)
        source = Source(Model(graph, path), True, guesses, left_out)
    elif names is not None:
        raise click.UsageError(f"--names is for the binary form; {job.graph} has its names")
    else:
        source = Source(loads(text, name=name, path=path))
    if job.weights is not None:
        from ncnnparam.weights import WeightFile

        source.model.file = WeightFile.open(job.weights)
        source.model.file.attach(source.model.graph)
    return source


def _looks_binary(data: bytes) -> bool:
    from ncnnparam.binparam import MAGIC

    return data.startswith(MAGIC.to_bytes(4, "little"))


def _read_binary(data: bytes, names: str | None, name: str | None, max_size: int) -> Reading:
    from ncnnparam.binparam import read, read_id_header
    from ncnnparam.syntax import read_text

    known = read_id_header(read_text(names, max_size=max_size), name=names) if names is not None else None
    return read(data, known, name=name)


def _write(
    model: Model, job: Files, storage: str | None, id_h: str | None, mem_h: str | None, backup: bool
) -> list[Change]:
    """Writes all that was asked for; returns what becomes of the weights."""
    from ncnnparam.binparam import dumps, id_header
    from ncnnparam.syntax import write_atomic
    from ncnnparam.weights import Storage
    from ncnnparam.weights.convert import convert, convertible

    if mem_h is not None:
        _check_weights(model, mem_h)
    # made before anything is written, for not every graph can be said in these forms
    wants_binary = mem_h is not None or (job.new_graph is not None and is_binary(job.new_graph))
    binary = dumps(model.graph) if wants_binary else b""
    header = id_header(model.graph, _prefix(id_h, ".id.h")) if id_h is not None else ""
    target = Storage(storage) if storage is not None else None
    total = sum(weight.count for _, weight in convertible(model.graph, target)) if target is not None else 0
    with progress_bar("converting", total) as advance:
        changes = convert(model.graph, target, tell=advance) if target is not None else []
        _write_model(model, binary, job.new_graph, job.new_weights, backup)
        if id_h is not None:
            write_atomic(id_h, header, backup=backup)
        if mem_h is not None:
            _write_mem_header(model, binary, mem_h, backup)
    return changes


def _write_model(model: Model, binary: bytes, graph: str | None, weights: str | None, backup: bool) -> None:
    from ncnnparam.model import dump, dumps, save
    from ncnnparam.syntax import write_atomic, write_pair

    new_form = graph is not None and is_binary(graph)
    if graph is not None and weights is not None and graph != "-":
        if new_form:
            # a pair is written from text; these bytes taken for text are the same bytes again in the file
            text = binary.decode("utf-8", "surrogateescape")
            write_pair(graph, text, weights, _weights(model), backup=backup)
        else:
            save(model, graph, weights, backup=backup)
        return
    if weights is not None:
        _replace(weights, _weights(model), backup)
    if graph == "-":
        dump(model, "-")
    elif graph is not None:
        write_atomic(graph, binary if new_form else dumps(model), backup=backup)


def _check_weights(model: Model, path: str) -> None:
    from ncnnparam.errors import FileError

    if model.file is None and _has_weights(model):
        raise FileError(f"{path} is to hold the weights too", hint="name the .bin behind the .param")


def _has_weights(model: Model) -> bool:
    from ncnnparam.weights import wanted

    return any(wanted(layer) for layer in model.graph)


def _write_mem_header(model: Model, binary: bytes, path: str, backup: bool) -> None:
    from ncnnparam.binparam import mem_header

    weights = _weights(model) if _has_weights(model) else None
    _replace(path, mem_header(_prefix(path, ".mem.h"), binary, weights), backup)


def _replace(path: str, content: Iterable[bytes | memoryview], backup: bool) -> None:
    """Replaces a file that may be large, or makes it."""
    from ncnnparam.errors import FileError
    from ncnnparam.syntax.files import Replacement

    if Path(path).exists() and not Path(path).is_file():
        raise FileError(f"cannot write {path}: it is no regular file")
    replacement = Replacement(path, content)
    try:
        if backup:
            replacement.keep_old()
        replacement.put()
    finally:
        replacement.discard()


def _weights(model: Model) -> Iterable[bytes | memoryview]:
    from ncnnparam.weights import in_order, pieces

    return pieces(in_order(model.graph), model.file)


def _size(model: Model) -> int:
    return sum(weight.nbytes for layer in model.graph for weight in layer._weights)


def _clashes(model: Model) -> list[str]:
    from ncnnparam.binparam import clashes

    return clashes(model.graph)


def _prefix(path: str, ending: str) -> str:
    """The name of a model from that of its header: ``encoder`` for ``out/encoder.id.h``."""
    return Path(path).name.removesuffix(ending).removesuffix(".h")
