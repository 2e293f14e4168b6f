"""Reads the metadata of a Zipformer off its graph, stack by stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.speech.evidence import Answer, Fact, Inference, Reading, conclude, named, per_stack, settle
from ncnnparam.speech.flags import ZIPFORMER
from ncnnparam.speech.readings import (
    CROP_STARTS,
    RESHAPE_C,
    RESHAPE_H,
    Convolutions,
    Joins,
    cuts,
    kernel,
    piece,
    size,
    width,
)
from ncnnparam.speech.trace import maker, movers_below, unsplit

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

STATES = 7
"""States of a stack: length, average, keys, values, values of the second attention, two convolution caches.

The inputs are sorted by state, not by stack: ``in1`` to ``in5`` are the lengths of five stacks.
"""

FEATURES_PER_FRAME = 2
"""Feature frames for each frame that enters the first stack."""


def infer_zipformer(graph: Graph, joins: Joins, caches: Convolutions, stacks: int) -> Inference:
    """All that the graph of a Zipformer shows.

    Args:
        graph: The encoder.
        joins: ``readings.joins`` of it.
        caches: ``readings.convolutions`` of it, with every cache of every stack.
        stacks: Number of stacks.
    """
    first_convs = [caches[5 * stacks + 1 + stack] for stack in range(stacks)]
    both_convs = [first_convs[stack] + caches[6 * stacks + 1 + stack] for stack in range(stacks)]
    key_joins = [[join for join, _ in joins.get(2 * stacks + 1 + stack, [])] for stack in range(stacks)]
    chunks = [_chunk(each) for each in key_joins]
    lefts = [_left(each) for each in key_joins]
    full_rate = settle(
        _full_rate(graph),
        "{} frames taken by",
        "no Reshape of a downsampling module shows the frames of a chunk",
    )
    answers: dict[str, Answer] = {
        "decode_chunk_len": _features(full_rate),
        "num_left_chunks": _left_chunks(chunks, lefts),
        "num_encoder_layers": per_stack(
            Fact(len(convs), f"a cache for each of {named(convs)}") for convs in first_convs
        ),
        "encoder_dims": per_stack(width(convs) for convs in both_convs),
        "attention_dims": per_stack(_keys(each) for each in key_joins),
        "zipformer_downsampling_factors": per_stack(_factor(full_rate, chunk) for chunk in chunks),
        "cnn_module_kernels": per_stack(kernel(convs) for convs in both_convs),
    }
    evidence = (
        f"{STATES * stacks + 1} inputs, of which the last {2 * stacks} are caches of depthwise convolutions"
    )
    return conclude(ZIPFORMER, evidence, answers)


def _keys(joins: list[Layer]) -> Answer:
    """The width of the keys: a Slice cuts them out of the projection, a Concat adds the old ones."""
    readings = [reading for join in joins for reading in piece(join, 1)]
    return settle(readings, "keys of {} cut out by", "no Slice shows the width of the keys")


def _chunk(joins: list[Layer]) -> Answer:
    """Frames of a chunk in the rate of the stack."""
    # a Crop drops the oldest keys, as many as there are new ones, or keeps the newest, as many as there were
    readings = [
        Reading(start if start > 0 else _total(join) + start, crop)
        for join in joins
        for crop, start in cuts(join, CROP_STARTS)
        if start > 0 or _total(join) + start > 0
    ]
    return settle(readings, "chunks of {} frames by", "no Crop shows the frames of a chunk")


def _left(joins: list[Layer]) -> Answer:
    """Frames of left context in the rate of the stack."""
    readings = [
        Reading(-start if start < 0 else _total(join) - start, crop)
        for join in joins
        for crop, start in cuts(join, CROP_STARTS)
        if start < 0 or _total(join) - start > 0
    ]
    return settle(readings, "{} frames kept by", "no Crop shows the frames of the left context")


def _total(join: Layer) -> int:
    """Keys of left context and chunk together, from the Reshape that parts them into heads, else 0."""
    reshapes = (each for each in movers_below(join) if each.type == "Reshape")
    return next((keys for each in reshapes if (keys := size(each, RESHAPE_C))), 0)


def _full_rate(graph: Graph) -> list[Reading]:
    """Frames of a chunk before any stack downsamples them.

    A downsampling module reshapes ``factor * n`` frames to ``n`` of ``factor`` and weighs these by a Softmax
    over a sum; the Softmax of an attention has no sum above it. The encoder's output always passes one.
    """
    found: list[Reading] = []
    for softmax in graph.find("Softmax"):
        total = maker(softmax.inputs[0]) if softmax.inputs else None
        if total is None or total.type != "Reduction" or not total.inputs:
            continue
        product = maker(total.inputs[0])
        for blob in product.inputs if product is not None and product.type == "BinaryOp" else ():
            reshape = unsplit(blob).producer
            if reshape is not None and reshape.type == "Reshape":
                factor, frames = size(reshape, RESHAPE_H), size(reshape, RESHAPE_C)
                if factor and frames and factor > 1:
                    found.append(Reading(factor * frames, reshape))
    return found


def _features(full_rate: Answer) -> Answer:
    if isinstance(full_rate, str):
        return full_rate
    return Fact(full_rate.number * FEATURES_PER_FRAME, full_rate.evidence)


def _factor(full_rate: Answer, chunk: Answer) -> Answer:
    """What a stack divides the frame rate by."""
    if isinstance(full_rate, str):
        return full_rate
    if isinstance(chunk, str):
        return chunk
    factor, rest = divmod(full_rate.number, chunk.number)
    if rest:
        return f"{full_rate.number} frames do not divide into chunks of {chunk.number}"
    return Fact(factor, f"{chunk.evidence}, {full_rate.evidence}")


def _left_chunks(chunks: list[Answer], lefts: list[Answer]) -> Answer:
    counts: dict[int, str] = {}
    for stack, (chunk, left) in enumerate(zip(chunks, lefts, strict=True)):
        if isinstance(chunk, str):
            return f"stack {stack}: {chunk}"
        if isinstance(left, str):
            return f"stack {stack}: {left}"
        count, rest = divmod(left.number, chunk.number)
        if rest:
            return f"stack {stack}: {left.number} frames do not divide into chunks of {chunk.number}"
        counts.setdefault(count, f"{left.evidence}, {chunk.evidence}")
    if len(counts) > 1:
        return f"stacks disagree: {'; '.join(f'{count}, {evidence}' for count, evidence in counts.items())}"
    ((count, evidence),) = counts.items()
    return Fact(count, evidence)
