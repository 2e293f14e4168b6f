"""The method ``eq``: of 100 scales from half to twice the first one, that whose int8 output is most alike.

First the scale of each weight row is sought, one after the other, then that of the input; alike is what has
the larger cosine with the float output, on average over at most 50 items. This is what ncnn2table means by
``eq``; its version of 2026-07 crashes on most nets.

A row's scale changes only the channels that are computed with it. So one int8 run with a scale of each row
tried at once gives the part of every row in the cosines, and 101 runs serve all rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ncnnparam.graph import Graph, Layer
from ncnnparam.model import dumps
from ncnnparam.quantize.data import Item
from ncnnparam.quantize.int8_form import INPUT_SCALES, Int8Form, int8_form
from ncnnparam.quantize.runners import NetRunner
from ncnnparam.quantize.table import Table, weight_key
from ncnnparam.runtime.session import Session
from ncnnparam.weights import in_order, pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 100
LOWEST, HIGHEST = np.float32(0.5), np.float32(2.0)
MOST_ITEMS = 50


class _Sample(NamedTuple):
    input: NDArray[np.float32]
    output: NDArray[np.float32]  # of the float layer, a row for each scale of the weights


class _Parts(NamedTuple):
    """What each row of an int8 output adds to a cosine; a row of these for each sample."""

    products: NDArray[np.float64]
    squares: NDArray[np.float64]


def equalize(
    runner: NetRunner,
    layers: Iterable[Layer],
    items: Sequence[Item],
    table: Table,
    advance: Callable[[int], None] | None = None,
) -> None:
    """Puts better scales into a table.

    Args:
        runner: The net.
        layers: Its layers that have input scales.
        items: What to run it on; the first 50 are used.
        table: The scales to start from; is changed.
        advance: Is called after each layer with 1.

    Raises:
        BadItemError: A layer cannot be computed of what it gets.
        NcnnParamError: ncnn cannot compute a blob.
    """
    used = [item.load() for item in items[:MOST_ITEMS]]
    net = Session(*runner.files, runner.types)
    try:
        for inputs in used:
            runner.guard.start(net, inputs)
        for layer in layers:
            form = int8_form(layer)
            if form is not None and layer.name in table:
                blobs = layer.inputs[0].source.name, layer.outputs[0].name
                with Search(layer, form, [net.run(inputs, blobs) for inputs in used]) as search:
                    search.improve(table)
            if advance is not None:
                advance(1)
    finally:
        net.close()


def grid(scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scales that are tried: a row for each step."""
    lowest = scales * LOWEST
    step = (scales * HIGHEST - lowest) / np.float32(STEPS)
    tried: NDArray[np.float32] = lowest + np.arange(STEPS, dtype=np.float32)[:, np.newaxis] * step
    return tried


class Search:
    """Tries scales on one layer.

    Args:
        layer: The layer, with its float weights.
        form: What it is in int8.
        runs: For each item what the layer's input and output held, in this order.
    """

    def __init__(self, layer: Layer, form: Int8Form, runs: Iterable[dict[str, NDArray[np.float32]]]) -> None:
        (self._scaled,) = form.scaled
        self._name = layer.name
        self._rows = self._scaled.scales.count
        self._layer = _int8_layer(layer, form)
        self._samples = [_Sample(given, self._by_row(made)) for given, made in (run.values() for run in runs)]
        lengths = [np.sqrt(np.square(sample.output, dtype=np.float64).sum()) for sample in self._samples]
        self._lengths = np.array(lengths)
        self._folder = tempfile.TemporaryDirectory(prefix="ncnnparam-")

    def improve(self, table: Table) -> None:
        """Puts the best scales into a table that has the first ones."""
        key = weight_key(self._name, self._scaled.number)
        weights, (given,) = table[key].copy(), table[self._name]
        if not np.isfinite([*weights, given]).all():
            return
        table[key] = weights = self._best_weights(weights, given)
        tried = grid(np.array([given], np.float32))[:, 0]
        runs = [self._run(weights, one) for one in tried]
        step = _best(self._alike(*(np.array(each).sum(axis=2) for each in zip(*runs, strict=True))))
        if step is not None:
            table[self._name] = [tried[step]]

    def likeness(self, weights: NDArray[np.float32], given: np.float32) -> float:
        """The mean cosine of int8 and float output, for scales of the weights and of the input."""
        products, squares = (each.sum(axis=1)[np.newaxis] for each in self._run(weights, given))
        return float(self._alike(products, squares)[0]) / len(self._samples)

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def _best_weights(self, scales: NDArray[np.float32], given: np.float32) -> NDArray[np.float32]:
        tried = grid(scales)
        best: NDArray[np.float32] = scales.copy()
        now, runs = self._run(scales, given), [self._run(each, given) for each in tried]
        by_step = _Parts(*(np.array(each) for each in zip(*runs, strict=True)))  # by step, sample and row
        for row in range(self._rows):
            others = (each.sum(axis=1) - each[:, row] for each in now)
            alike = self._alike(
                *(other + each[:, :, row] for other, each in zip(others, by_step, strict=True))
            )
            step = _best(alike)
            if step is not None:
                best[row] = tried[step, row]
                for each, all_steps in zip(now, by_step, strict=True):
                    each[:, row] = all_steps[step, :, row]
        return best

    def _run(self, weights: NDArray[np.float32], given: np.float32) -> _Parts:
        """Runs the int8 layer on all samples."""
        self._layer.weights.put(self._scaled.scales.name, weights)
        self._layer.weights.put(INPUT_SCALES, [given])
        graph = self._layer.graph
        assert graph is not None
        param, binary = Path(self._folder.name, "layer.param"), Path(self._folder.name, "layer.bin")
        param.write_text(dumps(graph), "utf-8", "surrogateescape")
        with binary.open("wb") as file:
            file.writelines(pieces(in_order(graph), None))
        net = Session(param, binary)
        made = []
        for sample in self._samples:
            (output,) = net.run({graph.inputs[0].name: sample.input}, [self._layer.outputs[0].name]).values()
            made.append(self._by_row(output).astype(np.float64))
        net.close()
        products = [
            (rows * sample.output).sum(axis=1) for rows, sample in zip(made, self._samples, strict=True)
        ]
        return _Parts(np.array(products), np.array([np.square(rows).sum(axis=1) for rows in made]))

    def _alike(self, products: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of the samples' cosines, for each step."""
        with np.errstate(divide="ignore", invalid="ignore"):
            alike: NDArray[np.float64] = (products / np.sqrt(squares) / self._lengths).sum(axis=1)
        return alike

    def _by_row(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """An output with the channels that share a scale in a row."""
        axis = 1 if output.ndim == 2 else 0  # rows of vectors have the channels along the width
        by_row: NDArray[np.float32] = np.moveaxis(output, axis, 0).reshape(self._rows, -1)
        return by_row


def _int8_layer(layer: Layer, form: Int8Form) -> Layer:
    """A copy of a layer in a graph of its own, in int8; ncnn rounds its float weights when it loads them."""
    assert layer.graph is not None
    alone: Graph = layer.graph.extract(inputs=[layer.inputs[0].name], outputs=[layer.outputs[0].name])
    copy = alone.layer(layer.name)
    copy.params[form.param] = form.value
    return copy


def _best(alike: NDArray[np.float64]) -> int | None:
    """The first step with the largest sum of cosines, or None if none is above 0."""
    sums = np.nan_to_num(alike, nan=0.0)
    best = int(np.argmax(sums))
    return best if sums[best] > 0 else None
