"""A float model made int8."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ncnnparam.quantize.int8_form import INPUT_SCALES, INT8_OUTPUT, OUTPUT_SCALES
from ncnnparam.quantize.int8_weights import is_scale
from ncnnparam.quantize.low_bit import LowBit, pack_weights
from ncnnparam.quantize.lower_gemm import lower_gemm, obstacles
from ncnnparam.quantize.plan import Choice, plan
from ncnnparam.quantize.requantize import direct_links, split_links
from ncnnparam.weights import Storage, encode
from ncnnparam.weights.convert import Change, convert
from ncnnparam.weights.layout import wanted

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer
    from ncnnparam.ops.versions import Target
    from ncnnparam.quantize.table import Table


@dataclass(frozen=True)
class Options:
    """What to quantise, and for whom.

    Attributes:
        only: A selector: nothing but these layers.
        skip: A selector: not these layers.
        target: The runtime that has to understand the result, or None for the newest.
        lower_gemm: Make InnerProduct layers of Gemm layers for which the table has a row.
        low_bit: Pack matrices in 4, 6 or 8 bits by blocks, and make nothing int8.
        storage: What the other arrays with a tag are stored as; None leaves them as they are.
    """

    only: str | None = None
    skip: str | None = None
    target: Target | None = None
    lower_gemm: bool = True
    low_bit: LowBit | None = None
    storage: Storage | None = Storage.FLOAT16


@dataclass
class Outcome:
    """What became of a layer.

    Attributes:
        layer: Name of the layer.
        type: Its type, as it is now.
        int8: It computes in int8 now.
        int8_output: Its output stays int8, because only int8 layers read it.
        was_gemm: It was a Gemm before.
        packed: Bits and blocks of its weights, if they are packed now, or empty.
        note: Why it stays in float, or what else there is to know; empty if there is nothing.
    """

    layer: str
    type: str
    int8: bool
    int8_output: bool = False
    was_gemm: bool = False
    packed: str = ""
    note: str = ""


@dataclass
class Quantized:
    """What quantising did to a model.

    Attributes:
        layers: The layers that have weights or can compute in int8, in the order of the graph.
        bytes_before: Bytes of all arrays before.
        bytes_after: The same now.
        converted: Arrays that got another float storage; saving fills in what is lost by that.
    """

    layers: list[Outcome]
    bytes_before: int
    bytes_after: int
    converted: list[Change] = field(default_factory=list)


def quantize(graph: Graph, table: Table | None = None, options: Options | None = None) -> Quantized:
    """Makes a graph int8, as far as the table and ncnn allow.

    Int8 numbers are made when the model is saved, and never more than one array of them at a time.

    Args:
        graph: A float graph with its weights; it is changed.
        table: The calibration table. ``table_rules`` tells what is wrong with one; here what is missing in it
            leaves a layer in float, or is computed from the weights where that is possible.
        options: What to do; by default everything.

    Raises:
        ConfigError: A table is needed and there is none.
        NotFoundError: A selector names a layer that does not exist.
        ParseError: A selector is none.
    """
    options = options or Options()
    before = _size(graph)
    is_wanted = _selection(graph, options)
    make = _pack if options.low_bit is not None else _make_int8
    outcomes = make(graph, table, options, is_wanted)
    converted = convert(graph, options.storage) if options.storage is not None else []
    return Quantized(outcomes, before, _size(graph), converted)


def _pack(
    graph: Graph, table: Table | None, options: Options, is_wanted: Callable[[Layer], bool]
) -> list[Outcome]:
    assert options.low_bit is not None
    found = pack_weights(graph, options.low_bit, wanted=is_wanted, target=options.target)
    return [
        Outcome(layer.name, layer.type, False, packed="" if note else str(options.low_bit), note=note)
        for layer, note in found.items()
    ]


def _make_int8(
    graph: Graph, table: Table | None, options: Options, is_wanted: Callable[[Layer], bool]
) -> list[Outcome]:
    lowered: set[Layer] = set()
    if options.lower_gemm:
        lowered = set(lower_gemm(graph, lambda layer: is_wanted(layer) and _input_is_scaled(layer, table)))
    choices = plan(graph, table, wanted=is_wanted, target=options.target)
    notes = _gemm_notes(graph) if options.lower_gemm else {}
    chosen = {choice.layer: choice for choice in choices if choice.form is not None}
    for choice in chosen.values():
        _apply(choice)
    kept = _keep_outputs(graph, chosen)
    return [
        Outcome(
            choice.layer.name,
            choice.layer.type,
            choice.layer in chosen,
            choice.layer in kept,
            choice.layer in lowered,
            note=choice.reason or notes.get(choice.layer, ""),
        )
        for choice in choices
    ]


def _selection(graph: Graph, options: Options) -> Callable[[Layer], bool]:
    if options.only is None and options.skip is None:
        return lambda layer: True
    from ncnnparam.selectors import select  # with the language of patterns, which takes a while

    chosen = set(graph if options.only is None else select(graph, options.only))
    chosen -= set() if options.skip is None else set(select(graph, options.skip))
    return chosen.__contains__


def _input_is_scaled(layer: Layer, table: Table | None) -> bool:
    scale = None if table is None else table.input_scale(layer.name)
    return scale is not None and len(scale) == 1 and bool(is_scale(scale)[0])


def _gemm_notes(graph: Graph) -> dict[Layer, str]:
    """Why layers stay Gemm and so get one scale for all of B."""
    return {
        layer: f"one scale for all of B: {reason or 'the table has no scale of its input'}"
        for layer, reason in obstacles(graph).items()
        if layer["constantB"] and not layer["constantA"]
    }


def _apply(choice: Choice) -> None:
    """Gives a layer its int8 form."""
    layer, form = choice.layer, choice.form
    assert form is not None
    layer.params[form.param] = form.value
    made = {one.scaled.weights.name: one.weights() for one in choice.weights}
    made |= {one.scaled.scales.name: one.scale_array() for one in choice.weights}
    have = {weight.name: weight for weight in layer._weights} | made
    if choice.input_scale is not None:
        array = next(array for array in form.arrays if array.name == INPUT_SCALES)
        have[INPUT_SCALES] = encode(array, choice.input_scale, Storage.RAW)
    layer._weights = tuple(have[array.name] for array in form.arrays)


def _keep_outputs(graph: Graph, chosen: dict[Layer, Choice]) -> set[Layer]:
    """Lets outputs stay int8 that only int8 layers read, all of them by the same scale."""
    links = [(layer, [reader]) for layer, reader in direct_links(graph, chosen.__contains__)]
    kept: set[Layer] = set()
    for layer, readers in (*links, *split_links(graph, chosen.__contains__)):
        scales = [scale for reader in readers if (scale := chosen[reader].input_scale) is not None]
        form = chosen[layer].form
        if form is None or not all(np.array_equal(scales[0], scale) for scale in scales):
            continue
        layer.params[form.param] = form.value + INT8_OUTPUT
        array = next(array for array in wanted(layer) if array.name == OUTPUT_SCALES)
        layer._weights += (encode(array, scales[0], Storage.RAW),)
        kept.add(layer)
    return kept


def _size(graph: Graph) -> int:
    return sum(weight.nbytes for layer in graph for weight in layer._weights)
