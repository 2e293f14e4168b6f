"""Reads the metadata of an encoder off its graph.

States enter by name (sherpa-ncnn feeds ``in1``, ``in2``, ...), so each layer of the model is found from the
state it keeps, and its sizes from the Slice, Crop, Concat and convolution layers around that state. The same
structure is in pnnx's raw output, in repaired graphs and in optimised ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncnnparam.speech.evidence import Answer, Fact, Inference, Reading, conclude, named, settle
from ncnnparam.speech.flags import CONV_EMFORMER, LSTM, SUBSAMPLING
from ncnnparam.speech.infer_zipformer import STATES as ZIPFORMER_STATES
from ncnnparam.speech.infer_zipformer import infer_zipformer
from ncnnparam.speech.readings import (
    CROP_ENDS,
    CROP_STARTS,
    LSTM_HIDDEN_SIZE,
    NUM_OUTPUT,
    SLICE_SIZES,
    Convolutions,
    Joins,
    convolutions,
    cuts,
    ints,
    joins,
    kernel,
    piece,
    size,
    width,
)
from ncnnparam.speech.trace import below, numbered_inputs

if TYPE_CHECKING:
    from ncnnparam.graph import Graph, Layer

LSTM_TYPES = ("LSTM", "LSTM2")
"""LSTM2 is what the pnnx fork of 2022 wrote; it has the params of LSTM."""

EMFORMER_STATES = 4
"""States of a ConvEmformer layer: memory, left keys, left values, convolution cache."""


def infer(graph: Graph) -> Inference:
    """All that a graph shows of its metadata.

    Args:
        graph: An encoder, raw from pnnx, repaired or optimised. Any other graph is answered with kind None.
    """
    inputs = len(numbered_inputs(graph))
    lstms = [layer for layer in graph if layer.type in LSTM_TYPES]
    if lstms and inputs == 4:
        return _lstm(lstms)
    caches = convolutions(graph)
    layers, odd = divmod(inputs - 1, EMFORMER_STATES)
    if layers > 0 and not odd and set(caches) == {EMFORMER_STATES * (layer + 1) for layer in range(layers)}:
        return _conv_emformer(joins(graph), caches, layers)
    stacks, odd = divmod(inputs - 1, ZIPFORMER_STATES)
    if stacks > 0 and not odd and set(caches) == set(range(5 * stacks + 1, 7 * stacks + 1)):
        return infer_zipformer(graph, joins(graph), caches, stacks)
    return Inference(
        None,
        f"it has {inputs} inputs in0, in1, ..., {len(caches)} of them caches of depthwise convolutions, "
        f"and {len(lstms)} LSTMs",
    )


def _lstm(lstms: list[Layer]) -> Inference:
    cells = [
        Reading(cells, layer)
        for layer in lstms
        # ncnn takes num_output for an absent hidden_size: an LSTM without projection
        if (cells := size(layer, LSTM_HIDDEN_SIZE) or size(layer, NUM_OUTPUT))
    ]
    answers = {
        "num_encoder_layers": Fact(len(lstms), f"number of LSTM layers: {len(lstms)}"),
        "encoder_dim": width(lstms),
        "rnn_hidden_size": settle(cells, "hidden_size {} of", "no LSTM states hidden_size"),
    }
    return conclude(LSTM, f"4 inputs and {named(lstms)}", answers)


def _conv_emformer(joins: Joins, caches: Convolutions, layers: int) -> Inference:
    depthwise = [conv for state in sorted(caches) for conv in caches[state]]
    key_joins, cache_joins = [], []
    for first in range(0, EMFORMER_STATES * layers, EMFORMER_STATES):
        key_joins += joins.get(first + 2, []) + joins.get(first + 3, [])
        cache_joins += joins.get(first + 4, [])
    # keys are memory, right context, left context, chunk; the last of them are kept as the next left context
    before_left = [reading for join, position in key_joins for reading in piece(join, position - 1)]
    left = [Reading(-at, crop) for join, _ in key_joins for crop, at in cuts(join, CROP_STARTS) if at < 0]
    # the convolution reads cache, chunk, right context; the next cache ends where the right context begins
    right = [Reading(-at, crop) for join, _ in cache_joins for crop, at in cuts(join, CROP_ENDS) if at < 0]
    right_context = settle(
        right,
        "{} encoder frames cut off by",
        "no Crop cuts the right context off the convolution cache",
        times=SUBSAMPLING,
        span=SUBSAMPLING,  # the recipe rounds down
    )
    answers: dict[str, Answer] = {
        "num_encoder_layers": Fact(layers, f"there are {4 * layers + 1} inputs, in0 and 4 for each layer"),
        "memory_size": _memory(before_left, right_context),
        "cnn_module_kernel": kernel(depthwise),
        "left_context_length": settle(
            left,
            "{} encoder frames kept by",
            "no Crop keeps the last keys as left context",
            times=SUBSAMPLING,
        ),
        "chunk_length": settle(
            _first_pieces(depthwise),
            "a cut after {} encoder frames by",
            "no Slice parts chunk and right context",
            times=SUBSAMPLING,
        ),
        "right_context_length": right_context,
        "encoder_dim": width(depthwise),
    }
    return conclude(CONV_EMFORMER, f"every 4th input is the cache of a {named(depthwise)}", answers)


def _memory(before_left: list[Reading], right_context: Answer) -> Answer:
    if isinstance(right_context, str):
        return right_context
    right = right_context.number // SUBSAMPLING
    return settle(
        [Reading(reading.value - right, reading.layer) for reading in before_left],
        f"{{}} rows of memory and {right} of right context put before the left context by",
        "no Slice cuts the keys behind memory and right context",
    )


def _first_pieces(depthwise: list[Layer]) -> list[Reading]:
    """What the Slice next below each convolution cuts off first: the chunk, before the right context."""
    found: list[Reading] = []
    for conv in depthwise:
        slicer = next((layer for layer in below(conv) if layer.type == "Slice"), None)
        pieces = ints(slicer, SLICE_SIZES) if slicer is not None else ()
        if slicer is not None and len(pieces) == 2 and pieces[0] > 0:
            found.append(Reading(pieces[0], slicer))
    return found
