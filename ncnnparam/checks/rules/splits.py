"""Rules about Split layers that are there and copy for nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ncnnparam.checks.finding import Severity
from ncnnparam.checks.place import at_output, at_word
from ncnnparam.checks.rule import Problem, rule
from ncnnparam.checks.rules.links import names_stand_twice
from ncnnparam.graph.layer import INPUT, SPLIT, is_split

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

_COPY_NAME = re.compile(r"_splitncnn_[0-9]+\Z")


@rule("NP209", "unused-split-output", Severity.INFO, fixable=True)
def unused_split_output(graph: Graph) -> Iterator[Problem]:
    """Nobody reads an output of a Split."""
    twice = names_stand_twice(graph)
    for layer in graph.layers:
        if layer.type == SPLIT:
            for index in unused_outputs(layer):
                yield Problem(
                    f"no layer reads output '{layer.outputs[index].name}' of the Split '{layer.name}'",
                    at_output(layer, index),
                    "take it out of the Split",
                    fixable=is_split(layer) and not twice,
                )


def unused_outputs(split: Layer) -> list[int]:
    """Numbers of the outputs that nobody reads and that have the names a converter gives to copies.

    One with another name may be an output of the network. So is what a Split has that nobody reads at all.
    """
    unread = [index for index, blob in enumerate(split.outputs) if not blob.uses]
    if len(split.outputs) < 2 or len(unread) == len(split.outputs):
        return []
    return [index for index in unread if _COPY_NAME.search(split.outputs[index].name)]


@rule("NP210", "single-output-split", Severity.INFO, fixable=True)
def single_output_split(graph: Graph) -> Iterator[Problem]:
    """A Split with one output copies nothing."""
    twice = names_stand_twice(graph)
    for layer in graph.layers:
        if layer.type == SPLIT and len(layer.outputs) == 1:
            yield Problem(
                f"the Split '{layer.name}' has one output and copies nothing",
                at_word(layer),
                "remove it, and let its reader read its input",
                fixable=is_removable(layer) and not twice,
            )


def is_removable(split: Layer) -> bool:
    """Whether a Split has one output and can go without the name of an input or output of the network."""
    if not is_split(split) or len(split.outputs) != 1:
        return False
    (source,), (out,) = split.inputs, split.outputs
    made = source.producer is not None and source.producer.type != INPUT
    return bool(out.uses) or (made and len(source.uses) == 1)
