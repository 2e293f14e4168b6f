"""Repairs of what has one right answer.

Each repair belongs to a rule, takes a graph and says in words what it did. They run in an order in which none
undoes another: params, lines, order of the layers, Splits, shape hints, and last the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ncnnparam.checks.loader import written_counts
from ncnnparam.checks.rule import Rule
from ncnnparam.checks.rules import counts, layers, links, numbers, params, splits, text
from ncnnparam.checks.rules.all import RULES
from ncnnparam.checks.rules.shape_hint import SHAPE_HINTS, fault_of_hint
from ncnnparam.errors import GraphError
from ncnnparam.graph import Graph, Layer, correct_counts, drop_trailing, reprint
from ncnnparam.graph.fanout import tidy
from ncnnparam.graph.layer import is_split
from ncnnparam.syntax import Param

Repair = Callable[[Graph], Iterator[str]]


def fix(graph: Graph, *, unsafe: bool = False, rules: Sequence[Rule] = RULES) -> list[str]:
    """Repairs a graph in place, as far as there is one right answer.

    Running it again changes nothing more.

    Args:
        graph: What to repair.
        unsafe: Also delete the text behind the last layer.
        rules: Repair what these rules find.

    Returns:
        What was done, a sentence each; empty if nothing was.
    """
    table = REPAIRS + UNSAFE_REPAIRS if unsafe else REPAIRS
    done: list[str] = []
    while more := [line for rule, repair in table if rule in rules for line in repair(graph)]:
        done += more  # and again: in a graph with a circle, a Split that goes may make another one sound
    return done


def _delete_repeats(graph: Graph) -> Iterator[str]:
    for layer in graph.layers:
        stated = layer.params.raw
        counting = tuple(param for param in stated if layer.params.find(param.id) is param)
        if len(counting) < len(stated):
            dropped = " ".join(param.text for param in stated if param not in counting)
            layer.params.respell(counting)
            yield f"'{layer.name}': deleted {dropped}, which had no effect"


def _delete_hints(graph: Graph) -> Iterator[str]:
    for layer in graph.layers:
        if fault_of_hint(layer) is not None:
            del layer.params[SHAPE_HINTS]
            yield f"'{layer.name}': deleted the wrong shape hint"


def _respell(at_fault: Callable[[Layer, Param], object]) -> Repair:
    """The repair of a spelling."""

    def repair(graph: Graph) -> Iterator[str]:
        for layer in graph.layers:
            old = layer.params.raw
            new = tuple(numbers.respelled(layer, param) if at_fault(layer, param) else param for param in old)
            if new != old:
                layer.params.respell(new)
                changes = [f"{a.text} is now {b.text}" for a, b in zip(old, new, strict=True) if a != b]
                yield f"'{layer.name}': {', '.join(changes)}"

    return repair


def _rewrite_line(at_fault: Callable[[Layer], int | None], done: str) -> Repair:
    """The repair of a line that only has to be written anew."""

    def repair(graph: Graph) -> Iterator[str]:
        for layer in graph.layers:
            if at_fault(layer) is not None:
                reprint(graph, layer)
                yield f"'{layer.name}': {done}"

    return repair


def _narrow_splits(graph: Graph) -> Iterator[str]:
    if links.names_stand_twice(graph):
        return
    for layer in graph.layers:
        if is_split(layer):
            name = layer.name
            for blob in [layer.outputs[index] for index in splits.unused_outputs(layer)]:
                yield f"'{name}': took out the output '{blob.name}', which nobody reads"
                tidy(graph, blob)


def _remove_single_splits(graph: Graph) -> Iterator[str]:
    if links.names_stand_twice(graph):
        return
    for layer in graph.layers:
        if splits.is_removable(layer):
            yield f"removed the Split '{layer.name}', which had one output"
            graph.remove(layer)


def _insert_splits(graph: Graph) -> Iterator[str]:
    if links.names_stand_twice(graph):
        return
    for split in graph.split_fanout():
        yield f"put the Split '{split.name}' behind '{split.inputs[0].name}'"


def _sort(graph: Graph) -> Iterator[str]:
    if links.names_stand_twice(graph):
        return
    try:
        if graph.sort():
            yield "put the layers into an order in which each stands below those it reads from"
    except GraphError:
        return  # a circle has no right order


def _correct_counts(graph: Graph) -> Iterator[str]:
    if any(
        finding.fixable for rule in (counts.layer_count, counts.blob_count) for finding in rule.check(graph)
    ):
        old = written_counts(graph)
        correct_counts(graph)
        new = written_counts(graph)
        yield f"the header declares {new[0]} layers and {new[1]} blobs, and no longer {old[0]} and {old[1]}"


def _delete_trailing(graph: Graph) -> Iterator[str]:
    if graph.syntax is not None and graph.syntax.trailing.strip():
        drop_trailing(graph)
        yield "deleted the text behind the last layer"


REPAIRS: tuple[tuple[Rule, Repair], ...] = (
    (params.repeated_param, _delete_repeats),
    (numbers.junk_number, _respell(lambda _, param: numbers.junk(param))),
    (numbers.long_number, _respell(lambda _, param: numbers.too_long(param))),
    (numbers.new_style_array, _respell(lambda _, param: numbers.is_new_style(param))),
    (numbers.mixed_array, _respell(lambda _, param: numbers.mixes_kinds(param))),
    (numbers.int_for_float_key, _respell(numbers.int_for_float)),
    (text.continued_params, _rewrite_line(text.first_continued, "put all params on one line")),
    (text.tab_separator, _rewrite_line(text.first_after_tab, "put spaces between the params")),
    (links.input_order, _sort),
    (links.missing_split, _insert_splits),
    (splits.unused_split_output, _narrow_splits),
    (splits.single_output_split, _remove_single_splits),
    (layers.shape_hint, _delete_hints),
    (counts.layer_count, _correct_counts),
    (counts.blob_count, _correct_counts),
)
"""Rules and the repairs of what they find, in the order in which they run."""

UNSAFE_REPAIRS: tuple[tuple[Rule, Repair], ...] = ((text.trailing_content, _delete_trailing),)
"""Repairs that may take away something that is wanted."""
