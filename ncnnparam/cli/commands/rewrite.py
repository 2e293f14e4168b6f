"""``ncnnparam rewrite``: changes a graph by rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from ncnnparam.cli.common import (
    bin_argument,
    edit_options,
    emit_json,
    finish_edit,
    format_option,
    max_size_option,
    model_argument,
    ops_option,
    read_model,
    say,
    say_names,
)

if TYPE_CHECKING:
    from ncnnparam.graph import Graph
    from ncnnparam.passes.base import Note, PassResult
    from ncnnparam.patterns import Rule


class Done(NamedTuple):
    """What became of a rule."""

    rule: str
    result: PassResult


@click.command(name="rewrite")
@model_argument
@bin_argument
@click.option(
    "--rule", "files", metavar="FILE", multiple=True, required=True, help="A file of rules; may be repeated."
)
@click.option("--explain", is_flag=True, help="Tell of each place where a rule was not applied, and why.")
@edit_options
@format_option
@ops_option
@max_size_option
def command(
    model: str,
    weights: str | None,
    files: tuple[str, ...],
    explain: bool,
    output: str | None,
    backup: bool,
    dry_run: bool,
    form: str,
    max_size: int,
) -> None:
    """Rewrite a model by rules.

    A rule is a pattern and a replacement, written like the layers of a .param file with => between them;
    docs/patterns.md tells more. The rules are applied one after the other, each wherever it fits. A layer
    that goes on under its name keeps its weights; with BIN, the .bin is written too.

    \b
    ncnnparam rewrite encoder.ncnn.param --rule swish.txt --dry-run
    ncnnparam rewrite encoder.ncnn.param encoder.ncnn.bin --rule fuse.txt -o fused.param
    ncnnparam rewrite encoder.ncnn.param --rule fuse.txt --dry-run --explain

    \b
    a rule, which lets each Convolution do what a ReLU behind it does:
      Convolution  conv  1 1  x y  activation_type=none
      ReLU         relu  1 1  y z  slope=0
      =>
      Convolution  conv  1 1  x z  **conv activation_type=relu
    """
    from ncnnparam.cli.faults import tell_of_errors

    if form == "json" and (output == "-" or (model == "-" and output is None and not dry_run)):
        raise click.UsageError("the model and --format json cannot both go to standard output")
    if [model, *files].count("-") > 1:
        raise click.UsageError("only one file can come from standard input")
    rules = [rule for file in files for rule in _read_rules(file, max_size)]
    target = read_model(model, max_size, weights)
    graph = target.graph
    counts, arrays = _counts(graph), _arrays(graph) if weights is None else None
    done = [Done(rule.name, _apply(rule, graph, explain)) for rule in rules]
    if form == "text" or not dry_run:
        finish_edit(target, output, backup, dry_run)
    if form == "json":
        emit_json(_as_json(done, counts, _counts(graph)))
    else:
        _tell(done, explain)
        say(_summary(counts, _counts(graph)))
    tell_of_errors(graph)
    if arrays is not None and arrays != _arrays(graph):
        say("warning: the .bin no longer fits; name it behind the model to write one that does")


def _read_rules(file: str, max_size: int) -> list[Rule]:
    from ncnnparam.patterns import parse_rules
    from ncnnparam.syntax import read_text, source_name

    return parse_rules(read_text(file, max_size=max_size), name=source_name(file))


def _apply(rule: Rule, graph: Graph, explain: bool) -> PassResult:
    from ncnnparam.patterns import RuleRewrite

    return RuleRewrite(rule).apply(graph, explain=explain)


def _counts(graph: Graph) -> tuple[int, int]:
    return graph.layer_count, graph.blob_count


def _arrays(graph: Graph) -> list[tuple[str, int]]:
    """The arrays that a ``.bin`` for this graph holds, as far as its types are known: names and sizes."""
    from ncnnparam.errors import NcnnParamError
    from ncnnparam.weights import wanted

    arrays: list[tuple[str, int]] = []
    for layer in graph:
        try:
            arrays += [(array.name, array.count) for array in wanted(layer)]
        except NcnnParamError:
            arrays.append((layer.name, 0))
    return arrays


def _tell(done: list[Done], explain: bool) -> None:
    """Tells rule by rule what was done, and on request what was not."""
    for rule, result in done:
        if not result.changes:
            say(f"{rule}: found nowhere")
        places: dict[str, list[str]] = {}
        for note in result.changes:
            places.setdefault(note.message, []).append("+".join(note.layers))
        for message, names in places.items():
            say_names(f"{rule}: {message}", names)
        if explain:
            for note in result.declined:
                say(f"{rule}: not at {note}")
        elif result.declined:
            number = len(result.declined)
            where = "1 place" if number == 1 else f"{number} places"
            say(f"{rule}: not applied in {where} where it nearly fits; --explain tells why")


def _summary(before: tuple[int, int], after: tuple[int, int]) -> str:
    return f"layers {before[0]} -> {after[0]}, blobs {before[1]} -> {after[1]}"


def _as_json(done: list[Done], before: tuple[int, int], after: tuple[int, int]) -> dict[str, object]:
    def notes(found: list[Note]) -> list[dict[str, object]]:
        return [{"layers": list(note.layers), "message": note.message} for note in found]

    return {
        "rules": [
            {"name": rule, "changes": notes(result.changes), "declined": notes(result.declined)}
            for rule, result in done
        ],
        "layers": {"before": before[0], "after": after[0]},
        "blobs": {"before": before[1], "after": after[1]},
    }
